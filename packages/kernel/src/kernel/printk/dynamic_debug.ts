// SPDX-License-Identifier: MIT
/**
 * pr_debug() switched at run time. Each call in a module has a descriptor in section __dyndbg; its flags say whether
 * it prints and with what before it. Queries such as `module foo line 10-20 +pf` change the flags of all that match.
 */

import { KERN_ERR, type Log } from '../../lib/env.js';
import { EINVAL } from '../../lib/errno.js';
import {
  type GuestAccess,
  readCString,
  readS64,
  readU8,
  readUnsigned,
  writeU8,
} from '../../lib/guest_access.js';
import { addr, struct, u32 } from '../../lib/struct.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import type { Vaddr } from '../../machine/layout.js';

export const Ddebug = struct(
  '_ddebug',
  {
    modname: addr('const char'),
    function: addr('const char'),
    filename: addr('const char'),
    format: addr('const char'),
    /** lineno in the low 18 bits, class_id in 6, flags in the highest 8. */
    bits: u32,
  },
  { align: 8 },
);
/** The byte that holds the flags. */
const FLAGS_OFFSET = Ddebug.o.bits + 3;

const PRINT = 1;
const INCL_MODNAME = 2;
const INCL_FUNCNAME = 4;
const INCL_LINENO = 8;
const INCL_TID = 16;
const FLAG_LETTERS: readonly (readonly [flag: number, letter: string])[] = [
  [PRINT, 'p'],
  [INCL_MODNAME, 'm'],
  [INCL_FUNCNAME, 'f'],
  [INCL_LINENO, 'l'],
  [INCL_TID, 't'],
];

/** The descriptors of one module. */
export interface DdebugTable {
  readonly module: string;
  readonly address: Vaddr;
  readonly count: number;
}

interface Site {
  readonly address: Vaddr;
  readonly module: string;
  readonly function: string;
  readonly filename: string;
  readonly format: string;
  readonly line: number;
  readonly flags: number;
}

interface Query {
  module?: string;
  function?: string;
  filename?: string;
  format?: string;
  firstLine: number;
  lastLine: number;
}

export interface DynamicDebugDeps extends GuestAccess {
  readonly log: Log;
  /** The descriptors that are there now. */
  tables(): Iterable<DdebugTable>;
  /** PID of the caller, undefined in an interrupt. */
  pid(): number | undefined;
}

/** What a query gives up with: the messages, outermost last. */
class QueryError extends Error {
  constructor(readonly messages: readonly string[]) {
    super(messages.join('; '));
  }
}

/** Shell-like `*` and `?`. */
const wildcard = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '[^]*')
      .replaceAll('?', '[^]')}$`,
  );

/** Words, in quotes or not; `#` begins a comment. */
function tokenize(text: string): string[] {
  const words: string[] = [];
  for (let rest = text.trimStart(); rest !== '' && !rest.startsWith('#'); rest = rest.trimStart()) {
    const quote = rest[0] === '"' || rest[0] === "'" ? rest[0] : '';
    const end = quote ? rest.indexOf(quote, 1) : rest.search(/\s|$/);
    if (end < 0) throw new QueryError([`unclosed quote: ${rest.slice(1)}`, 'tokenize failed']);
    words.push(rest.slice(quote ? 1 : 0, end));
    rest = rest.slice(end + (quote ? 1 : 0));
  }
  if (words.length === 0) throw new QueryError(['tokenize failed']);
  return words;
}

/** `+pf`: bits that stay and bits that are set. */
function parseFlags(word: string): { keep: number; set: number } {
  const op = word[0] ?? '';
  if (!'+-='.includes(op) || op === '')
    throw new QueryError([`bad flag-op ${op}, at start of ${word}`, 'flags parse failed']);
  let flags = 0;
  for (const letter of word.slice(1)) {
    const known = FLAG_LETTERS.find(([, l]) => l === letter);
    if (!known && letter !== '_') throw new QueryError([`unknown flag '${letter}'`, 'flags parse failed']);
    flags |= known?.[0] ?? 0;
  }
  if (op === '+') return { keep: 0xff, set: flags };
  return op === '-' ? { keep: ~flags & 0xff, set: 0 } : { keep: 0, set: flags };
}

/** `10`, `10-20`, `10-`, `-20`. */
function parseLines(query: Query, text: string): void {
  const match = /^(\d*)(?:(-)(\d*))?$/.exec(text);
  if (!match || text === '' || text === '-')
    throw new QueryError([`bad line-number: ${text}`, 'query parse failed']);
  query.firstLine = Number(match[1] || 0);
  query.lastLine = match[2] ? Number(match[3] || Number.MAX_SAFE_INTEGER) : query.firstLine;
  if (query.lastLine < query.firstLine)
    throw new QueryError([`last-line:${query.lastLine} < 1st-line:${query.firstLine}`, 'query parse failed']);
}

/** Pairs of a keyword and a value. */
function parseQuery(words: readonly string[], module?: string): Query {
  const query: Query = { firstLine: 0, lastLine: Number.MAX_SAFE_INTEGER };
  if (module !== undefined) query.module = module;
  if (words.length % 2 !== 0)
    throw new QueryError(['expecting pairs of match-spec <value>', 'query parse failed']);
  for (let i = 0; i < words.length; i += 2) {
    const [keyword, value] = words.slice(i, i + 2);
    if (keyword === 'func') query.function = value;
    else if (keyword === 'module') query.module = value;
    else if (keyword === 'format') query.format = value.replaceAll('\\n', '\n').replaceAll('\\t', '\t');
    else if (keyword === 'line') parseLines(query, value);
    else if (keyword === 'file') {
      const [name, ...rest] = value.split(':');
      const where = rest.join(':');
      query.filename = name;
      if (/^[A-Za-z*?]/.test(where)) query.function = where;
      else if (rest.length > 0) parseLines(query, where);
    } else throw new QueryError([`unknown keyword "${keyword}"`, 'query parse failed']);
  }
  return query;
}

const basename = (path: string) => path.slice(path.lastIndexOf('/') + 1);

function matches(query: Query, site: Site): boolean {
  if (query.module !== undefined && !wildcard(query.module).test(site.module)) return false;
  if (query.function !== undefined && !wildcard(query.function).test(site.function)) return false;
  if (query.filename !== undefined) {
    const pattern = wildcard(query.filename);
    if (!pattern.test(site.filename) && !pattern.test(basename(site.filename))) return false;
  }
  if (query.format?.startsWith('^') && !site.format.startsWith(query.format.slice(1))) return false;
  if (query.format !== undefined && !query.format.startsWith('^') && !site.format.includes(query.format))
    return false;
  return site.line >= query.firstLine && site.line <= query.lastLine;
}

export class DynamicDebug {
  constructor(private readonly deps: DynamicDebugDeps) {}

  /**
   * Runs queries, separated by `;` or newlines.
   * @param module only this module's calls
   * @returns how many calls matched, or -EINVAL if any query was bad (the others count)
   */
  exec(queries: string, module?: string): number {
    let found = 0;
    let error = 0;
    for (const text of queries.split(/[;\n]/)) {
      if (/^\s*(#|$)/.test(text)) continue;
      try {
        found += this.execOne(text, module);
      } catch (failure) {
        if (!(failure instanceof QueryError)) throw failure;
        for (const message of failure.messages) this.deps.log.log(KERN_ERR, `dyndbg: ${message}`);
        error = -EINVAL;
      }
    }
    return error || found;
  }

  private execOne(text: string, module?: string): number {
    const words = tokenize(text);
    const { keep, set } = parseFlags(words[words.length - 1]);
    const query = parseQuery(words.slice(0, -1), module);
    let found = 0;
    for (const site of this.sites()) {
      if (!matches(query, site)) continue;
      writeU8(this.deps, site.address + FLAGS_OFFSET, (site.flags & keep) | set);
      found++;
    }
    return found;
  }

  /** What dynamic_debug/control shows. */
  show(): string {
    const lines = [...this.sites()].map((site) => {
      const flags = FLAG_LETTERS.map(([flag, letter]) => (site.flags & flag ? letter : '')).join('') || '_';
      const format = site.format.replaceAll('\n', '\\n').replaceAll('\t', '\\t').replaceAll('\r', '\\r');
      return `${site.filename}:${site.line} [${site.module}]${site.function} =${flags} "${format}"\n`;
    });
    return `# filename:lineno [module]function flags format\n${lines.join('')}`;
  }

  /** What stands before a message of a call: `[123] mod:func:42: `. */
  prefix(descriptor: Vaddr): string {
    const { deps } = this;
    const site = this.site(descriptor);
    let text = '';
    if (site.flags & INCL_MODNAME) text += `${site.module}:`;
    if (site.flags & INCL_FUNCNAME) text += `${site.function}:`;
    if (site.flags & INCL_LINENO) text += `${site.line}:`;
    const pid = deps.pid();
    const tid = site.flags & INCL_TID ? (pid === undefined ? '<intr> ' : `[${pid}] `) : '';
    return tid + (text === '' ? '' : `${text} `);
  }

  private *sites(): Generator<Site> {
    for (const { address, count } of this.deps.tables())
      for (let i = 0; i < count; i++) yield this.site(address + i * Ddebug.size);
  }

  private site(address: Vaddr): Site {
    const { deps } = this;
    const string = (offset: number) => decodeUtf8(readCString(deps, readS64(deps, address + offset), 4096));
    return {
      address,
      module: string(Ddebug.o.modname),
      function: string(Ddebug.o.function),
      filename: string(Ddebug.o.filename),
      format: string(Ddebug.o.format),
      line: readUnsigned(deps, address + Ddebug.o.bits, 4) & 0x3ffff,
      flags: readU8(deps, address + FLAGS_OFFSET),
    };
  }
}
