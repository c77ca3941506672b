// SPDX-License-Identifier: MIT
/**
 * References from what stays to what is freed (`__init`, `__initdata`) or may never have been kept (`__exit`), as
 * the section checks of Linux 6.1's modpost find them: each relocation is a reference from one section to another.
 */

import { type ObjectFile, type ObjectSymbol, R, SYM_UNDEFINED } from '@pagewalk/kernel/arch/wasm64/object';
import { TEXT } from '@pagewalk/kernel/arch/wasm64/sections';

/** One end of a reference. */
interface Place {
  readonly section: string;
  /** The function or variable; may be empty. */
  readonly symbol: string;
}

interface Check {
  readonly from: RegExp;
  readonly to: RegExp;
  /** Names of referring variables and functions that are known to know what they do. */
  readonly allowed?: RegExp;
}

const INIT = /^\.init\./;
const EXIT = /^\.exit\./;
const TEXT_SECTIONS = /^\.(text|text\.unlikely|sched\.text|kprobes\.text|cpuidle\.text|noinstr\.text)$/;
const DATA_SECTIONS = /^\.data(\.rel)?$/;
/** What Linux calls DEFAULT_SYMBOL_WHITE_LIST. */
const OPERATIONS = /(_template|_timer|_sht|_ops|_probe|_probe_one|_console)$/;
const DRIVERS = /(driver|_template|_timer|_sht|_ops|_probe|_probe_one|_console)$/;

/** The table of scripts/mod/modpost.c, without .meminit and .pci_fixup. */
const CHECKS: readonly Check[] = [
  { from: TEXT_SECTIONS, to: INIT, allowed: DRIVERS },
  { from: DATA_SECTIONS, to: INIT, allowed: OPERATIONS },
  { from: TEXT_SECTIONS, to: EXIT, allowed: DRIVERS },
  { from: DATA_SECTIONS, to: EXIT, allowed: DRIVERS },
  { from: INIT, to: EXIT, allowed: DRIVERS },
  { from: EXIT, to: INIT },
];
const EXPORTS = /^__ksymtab(_gpl)?$/;

/**
 * What modpost has to say of an object's references, without `WARNING: modpost: `.
 * @param file the object, as messages name it
 * @param functions the section of each function
 */
export function sectionMismatches(file: string, object: ObjectFile, functions: readonly string[]): string[] {
  const places = new Places(object, functions);
  const messages: string[] = [];
  const look = (from: () => Place, symbol: number) => {
    const to = places.ofSymbol(symbol);
    if (!to || !(INIT.test(to.section) || EXIT.test(to.section))) return;
    const message = mismatch(from(), to);
    if (message !== undefined) messages.push(`${file}: ${message}`);
  };
  for (const { type, offset, index } of object.codeRelocations)
    if (type !== R.TYPE_INDEX_LEB && type !== R.GLOBAL_INDEX_LEB) look(() => places.ofCode(offset), index);
  object.segments.forEach((segment, i) => {
    for (const { offset, index } of segment.relocations) look(() => places.ofData(i, offset), index);
  });
  return messages;
}

/** What is wrong with a reference, if something is. */
function mismatch(from: Place, to: Place): string | undefined {
  if (EXPORTS.test(from.section))
    return `EXPORT_SYMBOL used for init/exit symbol: ${to.symbol} (section: ${to.section})`;
  const check = CHECKS.find((c) => c.from.test(from.section) && c.to.test(to.section));
  if (!check || check.allowed?.test(from.symbol)) return undefined;
  return `section mismatch in reference: ${from.symbol} (section: ${from.section}) -> ${to.symbol} (section: ${to.section})`;
}

/** Names what relocations refer from and to. */
class Places {
  constructor(
    private readonly object: ObjectFile,
    private readonly functions: readonly string[],
  ) {}

  ofCode(offset: number): Place {
    const { functions } = this.object;
    let low = 0;
    let high = functions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (functions[middle].end <= offset) low = middle + 1;
      else high = middle;
    }
    return { section: this.functions[low] ?? TEXT, symbol: functions[low]?.name ?? '' };
  }

  ofData(segment: number, offset: number): Place {
    const holder = this.object.symbols.find(
      (s) =>
        s.kind === 'data' &&
        s.segment === segment &&
        offset >= s.offset &&
        offset < s.offset + Math.max(s.size, 1),
    );
    return { section: this.sectionOfSegment(segment), symbol: holder?.name ?? '' };
  }

  /** Undefined for what is defined elsewhere. */
  ofSymbol(index: number): Place | undefined {
    const s: ObjectSymbol | undefined = this.object.symbols[index];
    if (!s || s.flags & SYM_UNDEFINED) return undefined;
    if (s.kind === 'data') return { section: this.sectionOfSegment(s.segment), symbol: s.name };
    if (s.kind !== 'function') return undefined;
    const defined = s.index - this.object.imports.length;
    return { section: this.functions[defined] ?? TEXT, symbol: s.name };
  }

  /** clang gives each variable a section of its own, `.data.name`, which is part of `.data`. */
  private sectionOfSegment(segment: number): string {
    const name = this.object.segments[segment]?.name ?? '';
    return /^\.(data|bss|rodata)\.[^.]/.test(name) ? name.slice(0, name.indexOf('.', 1)) : name;
  }
}
