// SPDX-License-Identifier: MIT
/** Make's functions: `$(subst …)` to `$(shell …)`. */

import { resolvePath } from '../includes.js';
import { MakeError } from './error.js';
import type { ExpandHost } from './expand.js';
import { patsubst, type Scope, stemOf, words } from './variables.js';

export interface FunctionContext {
  readonly host: ExpandHost;
  /** The line that a message belongs to. */
  readonly where: string | undefined;
  readonly scope: Scope;
  expand(text: string): Promise<string>;
  expandWith(values: ReadonlyMap<string, string>, text: string): Promise<string>;
}

export interface MakeFunction {
  readonly min: number;
  /** Later commas belong to the last argument. */
  readonly max: number;
  /** The function expands its arguments itself. */
  readonly lazy?: boolean;
  run(context: FunctionContext, args: string[]): string | Promise<string>;
}

const pure = (min: number, run: (...args: string[]) => string): MakeFunction => ({
  min,
  max: min,
  run: (_, args) => run(...args),
});

const onWords = (run: (word: string) => string) => pure(1, (list) => words(list).map(run).join(' '));

const directoryPart = (word: string) => word.slice(0, word.lastIndexOf('/') + 1) || './';
const filePart = (word: string) => word.slice(word.lastIndexOf('/') + 1);
/** Where a word's suffix begins: its last dot after the last slash, or its end. */
const suffixAt = (word: string) => {
  const dot = word.lastIndexOf('.');
  return dot > word.lastIndexOf('/') ? dot : word.length;
};

const filtered = (keep: boolean) =>
  pure(2, (patterns, list) => {
    const all = words(patterns);
    return words(list)
      .filter((word) => all.some((pattern) => stemOf(pattern, word) !== undefined) === keep)
      .join(' ');
  });

function count(text: string, what: string, { where }: FunctionContext): number {
  const n = text.trim();
  if (!/^\d+$/.test(n)) throw new MakeError(`non-numeric ${what} argument to function: '${text}'`, where);
  return Number(n);
}

const word: MakeFunction = {
  min: 2,
  max: 2,
  run(context, [n, list]) {
    const index = count(n, 'first', context);
    if (index === 0)
      throw new MakeError("first argument to 'word' function must be greater than 0", context.where);
    return words(list)[index - 1] ?? '';
  },
};

const wordlist: MakeFunction = {
  min: 3,
  max: 3,
  run(context, [from, to, list]) {
    const first = Math.max(count(from, 'first', context) - 1, 0);
    const wanted = [...list.matchAll(/[^ \t\n]+/g)].slice(first, count(to, 'second', context));
    const last = wanted.at(-1);
    return last ? list.slice(wanted[0].index, last.index + last[0].length) : '';
  },
};

const wildcard: MakeFunction = {
  min: 1,
  max: 1,
  async run({ host }, [patterns]) {
    const found: string[] = [];
    for (const pattern of words(patterns)) found.push(...(await host.glob(pattern)));
    return found.join(' ');
  },
};

const realpath: MakeFunction = {
  min: 1,
  max: 1,
  async run({ host }, [list]) {
    const found: string[] = [];
    for (const path of words(list).map((w) => resolvePath(host.cwd, w)))
      if (await host.exists(path)) found.push(path);
    return found.join(' ');
  },
};

const foreach: MakeFunction = {
  min: 3,
  max: 3,
  lazy: true,
  async run({ expand, expandWith }, [nameText, listText, body]) {
    const name = (await expand(nameText)).trim();
    const out: string[] = [];
    for (const item of words(await expand(listText)))
      out.push(await expandWith(new Map([[name, item]]), body));
    return out.join(' ');
  },
};

const condition: MakeFunction = {
  min: 2,
  max: 3,
  lazy: true,
  async run({ expand }, [test, then, otherwise]) {
    return expand((await expand(test.trim())) !== '' ? then : (otherwise ?? ''));
  },
};

const firstOrLast = (stopAt: (value: string) => boolean, atEnd: (last: string) => string): MakeFunction => ({
  min: 1,
  max: Number.POSITIVE_INFINITY,
  lazy: true,
  async run({ expand }, args) {
    let value = '';
    for (const arg of args) {
      value = await expand(arg.trim());
      if (stopAt(value)) return value;
    }
    return atEnd(value);
  },
});

const call: MakeFunction = {
  min: 1,
  max: Number.POSITIVE_INFINITY,
  async run({ scope, expandWith }, [nameText, ...args]) {
    const name = nameText.trim();
    const values = new Map<string, string>([['0', name]]);
    args.forEach((arg, i) => {
      values.set(String(i + 1), arg);
    });
    if (FUNCTIONS[name])
      return expandWith(values, `$(${name} ${args.map((_, i) => `$(${i + 1})`).join(',')})`);
    return expandWith(values, scope.get(name)?.value ?? '');
  },
};

const shell: MakeFunction = {
  min: 1,
  max: 1,
  run: ({ host }, [command]) => host.shell(command),
};

const report = (run: (host: ExpandHost, text: string) => void): MakeFunction => ({
  min: 1,
  max: 1,
  run({ host }, [text]) {
    run(host, text);
    return '';
  },
});

export const FUNCTIONS: Readonly<Record<string, MakeFunction>> = {
  subst: pure(3, (from, to, text) => (from === '' ? text + to : text.replaceAll(from, () => to))),
  patsubst: pure(3, (pattern, to, list) => patsubst(pattern.trim(), to.trim(), list)),
  strip: pure(1, (text) => words(text).join(' ')),
  findstring: pure(2, (find, text) => (text.includes(find) ? find : '')),
  filter: filtered(true),
  'filter-out': filtered(false),
  sort: pure(1, (list) => [...new Set(words(list))].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0)).join(' ')),
  word,
  wordlist,
  words: pure(1, (list) => String(words(list).length)),
  firstword: pure(1, (list) => words(list)[0] ?? ''),
  lastword: pure(1, (list) => words(list).at(-1) ?? ''),
  dir: onWords(directoryPart),
  notdir: onWords(filePart),
  suffix: pure(1, (list) =>
    words(list)
      .map((w) => w.slice(suffixAt(w)))
      .filter((suffix) => suffix !== '')
      .join(' '),
  ),
  basename: onWords((w) => w.slice(0, suffixAt(w))),
  addsuffix: pure(2, (suffix, list) =>
    words(list)
      .map((w) => w + suffix)
      .join(' '),
  ),
  addprefix: pure(2, (prefix, list) =>
    words(list)
      .map((w) => prefix + w)
      .join(' '),
  ),
  join: pure(2, (first, second) => {
    const [a, b] = [words(first), words(second)];
    return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => (a[i] ?? '') + (b[i] ?? '')).join(
      ' ',
    );
  }),
  wildcard,
  realpath,
  abspath: {
    min: 1,
    max: 1,
    run: ({ host }, [list]) =>
      words(list)
        .map((w) => resolvePath(host.cwd, w))
        .join(' '),
  },
  foreach,
  if: condition,
  or: firstOrLast(
    (value) => value !== '',
    () => '',
  ),
  and: firstOrLast(
    (value) => value === '',
    (last) => last,
  ),
  call,
  shell,
  value: { min: 1, max: 1, run: ({ scope }, [name]) => scope.get(name)?.value ?? '' },
  origin: { min: 1, max: 1, run: ({ scope }, [name]) => scope.get(name)?.origin ?? 'undefined' },
  flavor: {
    min: 1,
    max: 1,
    run({ scope }, [name]) {
      const variable = scope.get(name);
      return variable ? (variable.recursive ? 'recursive' : 'simple') : 'undefined';
    },
  },
  eval: {
    min: 1,
    max: 1,
    async run({ host }, [text]) {
      await host.evaluate(text);
      return '';
    },
  },
  info: report((host, text) => host.info(`${text}\n`)),
  warning: report((host, text) => host.warn(`${host.where ? `${host.where}: ` : ''}${text}\n`)),
  error: report((host, text) => {
    throw new MakeError(text, host.where);
  }),
};
