// SPDX-License-Identifier: MIT
/** grep, and POSIX regular expressions as JavaScript ones. */

import { FsError } from '../fs/filesystem.js';
import type { Command, CommandContext } from '../shell/command.js';
import { bracket } from '../shell/pattern.js';
import { Input } from '../shell/stream.js';
import { count, type Flags, parseFlags, UsageError, withUsage } from './arguments.js';

/** A POSIX basic or extended regular expression in JavaScript's syntax. */
export function posixRegExp(pattern: string, extended: boolean): string {
  let source = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    const set = character === '[' ? /^\[(\^?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/.exec(pattern.slice(at)) : null;
    if (set) {
      source += `[${set[1]}${bracket(set[2])}]`;
      at += set[0].length - 1;
    } else if (character === '\\' && at + 1 < pattern.length) {
      const next = pattern[++at];
      if ('(){}|+?'.includes(next)) source += extended ? `\\${next}` : next;
      else if (next === '<' || next === '>') source += '\\b';
      else if (/[wWsSbB0-9nt]/.test(next)) source += `\\${next}`;
      else source += next.replace(/[.*^$[\]\\/+?(){}|]/, '\\$&');
    } else if (!extended && '(){}|+?'.includes(character)) source += `\\${character}`;
    else if (character === '*' && (source === '' || source.endsWith('(') || source === '^')) source += '\\*';
    else source += character;
  }
  return source;
}

export function compilePattern(pattern: string, extended: boolean, flags: string): RegExp {
  try {
    return new RegExp(posixRegExp(pattern, extended), flags);
  } catch {
    throw new UsageError(`invalid regular expression: '${pattern}'`);
  }
}

const LONG = {
  'ignore-case': 'i',
  'invert-match': 'v',
  count: 'c',
  'line-number': 'n',
  'files-with-matches': 'l',
  recursive: 'r',
  'extended-regexp': 'E',
  'fixed-strings': 'F',
  'only-matching': 'o',
  quiet: 'q',
  silent: 'q',
  'word-regexp': 'w',
  color: 'y',
  regexp: 'e',
};

interface Search {
  regex: RegExp;
  flags: Flags;
  before: number;
  after: number;
  /** Whether file names stand before lines. */
  named: boolean;
}

function matcher(flags: Flags, patterns: string[], extended: boolean): RegExp {
  const sources = patterns
    .flatMap((pattern) => pattern.split('\n'))
    .map((pattern) =>
      flags.has('F') ? pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&') : posixRegExp(pattern, extended),
    )
    .map((source) =>
      flags.has('x') ? `^(?:${source})$` : flags.has('w') ? `\\b(?:${source})\\b` : `(?:${source})`,
    );
  try {
    return new RegExp(sources.join('|'), flags.has('i') ? 'gi' : 'g');
  } catch {
    throw new UsageError(`invalid regular expression: '${patterns.join("', '")}'`);
  }
}

/** Number of lines that match. */
async function searchInput(
  context: CommandContext,
  input: Input,
  name: string,
  search: Search,
): Promise<number> {
  const { regex, flags, before, after, named } = search;
  const limit = flags.has('m') ? count(flags.value('m')!, 'max count') : Number.POSITIVE_INFINITY;
  const quiet = flags.has('q') || flags.has('l') || flags.has('c') || flags.has('L');
  const recent: { number: number; text: string }[] = [];
  let found = 0;
  let trailing = 0;
  let last = 0;
  const print = async (number: number, text: string, mark: string) => {
    if (last > 0 && number > last + 1 && before + after > 0) await context.out('--\n');
    last = number;
    await context.out(`${named ? `${name}${mark}` : ''}${flags.has('n') ? `${number}${mark}` : ''}${text}\n`);
  };
  for (let number = 1; found < limit || trailing > 0; number++) {
    const line = await input.line();
    if (!line) break;
    const hits = [...line.text.matchAll(regex)];
    if (hits.length > 0 !== flags.has('v') && found < limit) {
      found++;
      trailing = after;
      if (flags.has('q')) break;
      if (quiet) continue;
      for (const old of recent.splice(0)) await print(old.number, old.text, '-');
      if (!flags.has('o')) await print(number, line.text, ':');
      else for (const hit of hits.filter((item) => item[0] !== '')) await print(number, hit[0], ':');
    } else if (trailing > 0 && !quiet) {
      trailing--;
      await print(number, line.text, '-');
    } else if (before > 0) {
      recent.push({ number, text: line.text });
      if (recent.length > before) recent.shift();
    }
  }
  return found;
}

function filesBelow(context: CommandContext, path: string): string[] {
  const full = context.path(path);
  if (!context.fs.isDirectory(full)) return [path];
  return context.fs
    .readdir(full)
    .filter((name) => context.fs.lstat(`${full}/${name}`).type !== 'symlink')
    .flatMap((name) => filesBelow(context, path === '.' ? name : `${path.replace(/\/$/, '')}/${name}`));
}

async function grepFiles(context: CommandContext, flags: Flags, extended: boolean): Promise<number> {
  const operands = [...flags.operands];
  const pattern = flags.value('e') ?? operands.shift();
  if (pattern === undefined) throw new UsageError('usage: grep [OPTION]... PATTERNS [FILE]...');
  const recursive = flags.has('r') || flags.has('R');
  const roots = operands.length > 0 ? operands : recursive ? ['.'] : ['-'];
  const files = recursive ? roots.flatMap((root) => filesBelow(context, root)) : roots;
  const around = flags.value('C') ?? '0';
  const search: Search = {
    regex: matcher(flags, [pattern], extended || flags.has('E')),
    flags,
    before: count(flags.value('B') ?? around, 'context length argument'),
    after: count(flags.value('A') ?? around, 'context length argument'),
    named: (files.length > 1 || recursive || flags.has('H')) && !flags.has('h'),
  };
  let total = 0;
  let failed = false;
  for (const file of files) {
    try {
      const input = file === '-' ? context.stdin : new Input(context.fs.openRead(context.path(file)));
      const name = file === '-' ? '(standard input)' : file;
      const found = await searchInput(context, input, name, search);
      total += found;
      if (flags.has('c')) await context.out(`${search.named ? `${name}:` : ''}${found}\n`);
      else if ((flags.has('l') && found > 0) || (flags.has('L') && found === 0))
        await context.out(`${name}\n`);
      if (flags.has('q') && found > 0) return 0;
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      failed = true;
      if (!flags.has('s')) await context.fail(`${file}: ${error.reason}`);
    }
  }
  return failed ? 2 : total > 0 ? 0 : 1;
}

const grepWith =
  (extended: boolean): Command =>
  (context) =>
    withUsage(
      context,
      () => grepFiles(context, parseFlags(context.args, 'ivcnlLrREFGowxqshHm:A:B:C:e:y', LONG), extended),
      2,
    );

export const grepTools: Record<string, [Command, string]> = {
  grep: [grepWith(false), 'lines that match a regular expression'],
  egrep: [grepWith(true), 'grep with extended regular expressions'],
  fgrep: [
    (context) =>
      withUsage(
        context,
        () =>
          grepFiles(
            context,
            parseFlags(['-F', ...context.args], 'ivcnlLrREFGowxqshHm:A:B:C:e:y', LONG),
            false,
          ),
        2,
      ),
    'grep for fixed strings',
  ],
};
