// SPDX-License-Identifier: MIT
/** Words of an awk program. Whether a slash begins a regular expression depends on the word before it. */

import { AwkError } from './ast.js';

export interface Token {
  kind:
    | 'number'
    | 'string'
    | 'regex'
    | 'name'
    | 'call'
    | 'builtin'
    | 'keyword'
    | 'operator'
    | 'newline'
    | 'end';
  text: string;
  line: number;
}

const KEYWORDS = new Set(
  'BEGIN END function func if else while for do break continue next nextfile exit return delete in getline print printf'.split(
    ' ',
  ),
);
export const BUILTINS: ReadonlySet<string> = new Set(
  'atan2 close cos exp fflush gsub index int length log match rand sin split sprintf sqrt srand sub substr system tolower toupper'.split(
    ' ',
  ),
);
const OPERATORS = [
  ...[
    '**=',
    '&&',
    '||',
    '==',
    '!=',
    '<=',
    '>=',
    '++',
    '--',
    '+=',
    '-=',
    '*=',
    '/=',
    '%=',
    '^=',
    '**',
    '>>',
    '!~',
  ],
  ...'{}()[];,+-*/%^!<>|?:~$='.split(''),
];

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

/** Escapes of a string: an unknown one keeps its backslash, so that `"\."` is a regular expression's dot. */
export const unescapeAwk = (text: string): string =>
  text.replace(/\\(?:([0-7]{1,3})|\n|([\s\S]))/g, (all, octal: string, letter: string) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    if (letter === undefined) return '';
    return ESCAPES[letter] ?? ('"\\/'.includes(letter) ? letter : all);
  });

export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let line = 1;
  const add = (kind: Token['kind'], text: string) => tokens.push({ kind, text, line });
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  /** After a value a slash divides. */
  const afterValue = () => {
    const last = tokens[tokens.length - 1];
    if (!last) return false;
    if (last.kind === 'operator') return [')', ']', '$', '++', '--'].includes(last.text);
    return ['number', 'string', 'name', 'builtin', 'regex'].includes(last.kind);
  };
  while (at < source.length) {
    if (take(/[ \t\r]+|#[^\n]*/y) !== undefined) continue;
    if (take(/\\\r?\n/y) !== undefined) line++;
    else if (take(/\n/y) !== undefined) {
      add('newline', '\n');
      line++;
    } else if (source[at] === '"') {
      const text = take(/"(?:[^"\\\n]|\\[\s\S])*"/y);
      if (text === undefined) throw new AwkError(`unterminated string at source line ${line}`);
      add('string', unescapeAwk(text.slice(1, -1)));
    } else if (source[at] === '/' && !afterValue()) {
      const text = take(/\/(?:[^/\\\n[]|\\.|\[\^?\]?(?:\[:[a-z]+:\]|\\.|[^\]\n])*\])*\//y);
      if (text === undefined) throw new AwkError(`unterminated regular expression at source line ${line}`);
      add('regex', text.slice(1, -1).replaceAll('\\/', '/'));
    } else {
      const number = take(/0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/y);
      const name = number === undefined ? take(/[A-Za-z_]\w*/y) : undefined;
      if (number !== undefined) add('number', number);
      else if (name !== undefined) {
        if (KEYWORDS.has(name)) add('keyword', name === 'func' ? 'function' : name);
        else if (BUILTINS.has(name)) add('builtin', name);
        else add(source[at] === '(' ? 'call' : 'name', name);
      } else {
        const operator = OPERATORS.find((item) => source.startsWith(item, at));
        if (!operator) throw new AwkError(`unexpected character '${source[at]}' at source line ${line}`);
        at += operator.length;
        add('operator', operator === '**' ? '^' : operator === '**=' ? '^=' : operator);
      }
    }
  }
  add('newline', '\n');
  add('end', 'end of program');
  return tokens;
}
