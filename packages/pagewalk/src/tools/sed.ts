// SPDX-License-Identifier: MIT
/** sed: addresses, s, y, d, p, q, a, i, c, n, =, labels and the hold space are here; files are edited with -i. */

import type { Command, CommandContext } from '../shell/command.js';
import { readAll } from '../shell/stream.js';
import { parseFlags, UsageError, withUsage } from './arguments.js';
import { compilePattern } from './grep.js';
import { unescapeText } from './printf.js';
import { eachInput, linesOf } from './text.js';

type Address =
  | { kind: 'line'; line: number }
  | { kind: 'last' }
  | { kind: 'match'; regex: RegExp }
  | { kind: 'plus'; lines: number };

interface Instruction {
  from?: Address;
  to?: Address;
  negated: boolean;
  letter: string;
  /** Text of a, i, c; label of b, t, `:`. */
  text: string;
  substitute?: { regex: RegExp; replacement: string; print: boolean; occurrence: number };
  translate?: Map<string, string>;
  block?: Instruction[];
  /** Inside a range: the line that ends it, or true until the closing pattern. */
  active: boolean;
  endLine: number;
}

class ScriptReader {
  private at = 0;

  constructor(
    private readonly script: string,
    private readonly extended: boolean,
  ) {}

  instructions(inBlock = false): Instruction[] {
    const result: Instruction[] = [];
    for (;;) {
      this.skip(/[\s;]*/y);
      if (this.script[this.at] === '#') {
        this.skip(/[^\n]*/y);
        continue;
      }
      if (this.at >= this.script.length) {
        if (inBlock) throw new UsageError("-e expression #1: unmatched `{'");
        return result;
      }
      if (this.script[this.at] === '}' && inBlock) {
        this.at++;
        return result;
      }
      result.push(this.instruction());
    }
  }

  private skip(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const text = pattern.exec(this.script)?.[0] ?? '';
    this.at += text.length;
    return text;
  }

  private address(): Address | undefined {
    const character = this.script[this.at];
    if (character === '$') {
      this.at++;
      return { kind: 'last' };
    }
    if (character === '/' || character === '\\') {
      if (character === '\\') this.at++;
      const pattern = this.delimited(this.script[this.at++]);
      const flags = this.skip(/[I]/y) ? 'i' : '';
      return { kind: 'match', regex: compilePattern(pattern, this.extended, flags) };
    }
    if (character === '+') {
      this.at++;
      return { kind: 'plus', lines: Number(this.skip(/\d+/y)) };
    }
    const digits = this.skip(/\d+/y);
    return digits ? { kind: 'line', line: Number(digits) } : undefined;
  }

  /** Text up to the delimiter; an escaped delimiter stands for itself. */
  private delimited(delimiter: string): string {
    let text = '';
    for (; this.script[this.at] !== delimiter; this.at++) {
      if (this.at >= this.script.length)
        throw new UsageError(`-e expression #1, char ${this.at}: unterminated expression`);
      if (this.script[this.at] === '\\') {
        this.at++;
        if (this.script[this.at] !== delimiter) text += '\\';
      }
      text += this.script[this.at] ?? '';
    }
    this.at++;
    return text;
  }

  private instruction(): Instruction {
    const result: Instruction = { negated: false, letter: '', text: '', active: false, endLine: 0 };
    const from = this.address();
    if (from) result.from = from;
    if (from && this.script[this.at] === ',') {
      this.at++;
      const to = this.address();
      if (!to) throw new UsageError(`-e expression #1, char ${this.at}: unexpected \`,'`);
      result.to = to;
    }
    this.skip(/\s*/y);
    if (this.script[this.at] === '!') {
      result.negated = true;
      this.at++;
      this.skip(/\s*/y);
    }
    const letter = this.script[this.at++] ?? '';
    result.letter = letter;
    if (letter === '{') result.block = this.instructions(true);
    else if (letter === 's') result.substitute = this.substitution();
    else if (letter === 'y') {
      const delimiter = this.script[this.at++];
      const source = [...this.delimited(delimiter)];
      const target = [...this.delimited(delimiter)];
      if (source.length !== target.length)
        throw new UsageError("strings for `y' command are different lengths");
      result.translate = new Map(source.map((character, index) => [character, target[index]]));
    } else if ('aic'.includes(letter)) {
      result.text = unescapeText(this.skip(/[^\n]*/y).replace(/^\s*(\\\n?)?\s*/, ''));
    } else if (':bt'.includes(letter)) result.text = this.skip(/[^;\n}]*/y).trim();
    else if (!'dpqnN=gGhHxDP'.includes(letter) || letter === '') {
      throw new UsageError(`-e expression #1, char ${this.at}: unknown command: \`${letter}'`);
    }
    return result;
  }

  private substitution(): NonNullable<Instruction['substitute']> {
    const delimiter = this.script[this.at++];
    const pattern = this.delimited(delimiter);
    const replacement = this.delimited(delimiter);
    const flags = this.skip(/[gpiI0-9]*/y);
    const global = flags.includes('g');
    const regex = compilePattern(pattern, this.extended, `g${/i/i.test(flags) ? 'i' : ''}`);
    return {
      regex,
      replacement,
      print: flags.includes('p'),
      occurrence: global ? 0 : Number(/\d+/.exec(flags)?.[0] ?? 1),
    };
  }
}

/** The replacement's text: `&`, `\1`, `\n`, `\U…\E`. */
function replacementText(template: string, groups: readonly string[]): string {
  let change = (text: string) => text;
  return template.replace(/\\([0-9])|\\([ULE])|\\(.)|\\\n|&|[^\\&]+/gs, (all, digit, mode, escaped) => {
    if (digit !== undefined) return change(groups[Number(digit)] ?? '');
    if (mode !== undefined) {
      change = mode === 'U' ? (t) => t.toUpperCase() : mode === 'L' ? (t) => t.toLowerCase() : (t) => t;
      return '';
    }
    if (escaped !== undefined) return escaped === 'n' ? '\n' : escaped === 't' ? '\t' : escaped;
    return all === '&' ? change(groups[0]) : change(all);
  });
}

class Editor {
  private pattern = '';
  private hold = '';
  private number = 0;
  private substituted = false;
  private appended: string[] = [];
  output = '';
  quit = false;

  constructor(
    private readonly program: Instruction[],
    private readonly lines: string[],
    private readonly silent: boolean,
  ) {}

  run(): string {
    while (this.number < this.lines.length && !this.quit) {
      this.pattern = this.lines[this.number++];
      this.appended = [];
      const outcome = this.block(this.program);
      if (outcome !== 'delete' && !this.silent) this.output += `${this.pattern}\n`;
      this.output += this.appended.join('');
    }
    return this.output;
  }

  private matchesAddress(address: Address): boolean {
    switch (address.kind) {
      case 'line':
        return this.number === address.line;
      case 'last':
        return this.number === this.lines.length;
      case 'match':
        return address.regex.test(this.pattern);
      case 'plus':
        return false;
    }
  }

  private selects(item: Instruction): boolean {
    if (!item.from) return true;
    if (!item.to) return this.matchesAddress(item.from);
    if (!item.active) {
      if (!this.matchesAddress(item.from)) return false;
      item.endLine =
        item.to.kind === 'line'
          ? item.to.line
          : item.to.kind === 'plus'
            ? this.number + item.to.lines
            : Number.POSITIVE_INFINITY;
      item.active =
        this.number < item.endLine && !(item.to.kind === 'last' && this.number === this.lines.length);
      return true;
    }
    if (this.number >= item.endLine || (item.to.kind !== 'line' && this.matchesAddress(item.to)))
      item.active = false;
    return true;
  }

  private block(program: Instruction[]): 'end' | 'delete' {
    for (let at = 0; at < program.length; at++) {
      const item = program[at];
      if (this.selects(item) === item.negated) continue;
      if (item.block) {
        const outcome = this.block(item.block);
        if (outcome === 'delete' || this.quit) return outcome;
        continue;
      }
      if (item.letter === 'b' || (item.letter === 't' && this.substituted)) {
        this.substituted = false;
        if (item.text === '') return 'end';
        at = program.findIndex((other) => other.letter === ':' && other.text === item.text);
        if (at < 0) throw new UsageError(`can't find label for jump to \`${item.text}'`);
        continue;
      }
      const outcome = this.simple(item);
      if (outcome) return outcome;
    }
    return 'end';
  }

  private simple(item: Instruction): 'end' | 'delete' | undefined {
    switch (item.letter) {
      case 'd':
        return 'delete';
      case 'D': {
        const newline = this.pattern.indexOf('\n');
        if (newline < 0) return 'delete';
        this.lines[--this.number] = this.pattern.slice(newline + 1);
        return 'delete';
      }
      case 'p':
        this.output += `${this.pattern}\n`;
        return undefined;
      case 'P':
        this.output += `${this.pattern.split('\n')[0]}\n`;
        return undefined;
      case '=':
        this.output += `${this.number}\n`;
        return undefined;
      case 'q':
        this.quit = true;
        return 'end';
      case 'a':
        this.appended.push(`${item.text}\n`);
        return undefined;
      case 'i':
        this.output += `${item.text}\n`;
        return undefined;
      case 'c':
        if (!item.to || !item.active) this.output += `${item.text}\n`;
        return 'delete';
      case 'n':
        if (this.number >= this.lines.length) return 'end';
        if (!this.silent) this.output += `${this.pattern}\n`;
        this.pattern = this.lines[this.number++];
        return undefined;
      case 'N':
        if (this.number >= this.lines.length) return 'end';
        this.pattern += `\n${this.lines[this.number++]}`;
        return undefined;
      case 'h':
        this.hold = this.pattern;
        return undefined;
      case 'H':
        this.hold += `\n${this.pattern}`;
        return undefined;
      case 'g':
        this.pattern = this.hold;
        return undefined;
      case 'G':
        this.pattern += `\n${this.hold}`;
        return undefined;
      case 'x':
        [this.hold, this.pattern] = [this.pattern, this.hold];
        return undefined;
      case 'y':
        this.pattern = [...this.pattern].map((c) => item.translate!.get(c) ?? c).join('');
        return undefined;
      case 's':
        this.substitute(item.substitute!);
        return undefined;
      default:
        return undefined;
    }
  }

  private substitute({
    regex,
    replacement,
    print,
    occurrence,
  }: NonNullable<Instruction['substitute']>): void {
    let seen = 0;
    let changed = false;
    this.pattern = this.pattern.replace(regex, (...match) => {
      const groups = match.slice(
        0,
        match.findIndex((value) => typeof value === 'number'),
      ) as string[];
      seen++;
      if (occurrence !== 0 && seen !== occurrence) return groups[0];
      changed = true;
      return replacementText(replacement, groups);
    });
    if (!changed) return;
    this.substituted = true;
    if (print) this.output += `${this.pattern}\n`;
  }
}

async function edit(context: CommandContext): Promise<number> {
  const flags = parseFlags(context.args, 'ne:Ersi', {
    quiet: 'n',
    silent: 'n',
    expression: 'e',
    'regexp-extended': 'E',
    'in-place': 'i',
  });
  const operands = [...flags.operands];
  const script = flags.value('e') ?? operands.shift();
  if (script === undefined) throw new UsageError('usage: sed [OPTION]... {script} [input-file]...');
  const program = () => new ScriptReader(script, flags.has('E') || flags.has('r')).instructions();
  const decoder = new TextDecoder();
  if (flags.has('i')) {
    for (const file of operands) {
      const path = context.path(file);
      const text = new Editor(
        program(),
        linesOf(decoder.decode(context.fs.readFile(path))),
        flags.has('n'),
      ).run();
      context.fs.writeFile(path, new TextEncoder().encode(text));
    }
    return 0;
  }
  const lines: string[] = [];
  const instructions = program();
  const status = await eachInput(context, operands, async (input) => {
    lines.push(...linesOf(decoder.decode(await readAll(input))));
  });
  await context.out(new Editor(instructions, lines, flags.has('n')).run());
  return status;
}

export const sed: Command = (context) => withUsage(context, () => edit(context));
