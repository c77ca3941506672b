// SPDX-License-Identifier: MIT
/** `a{b,c}d` and `{1..5}`: one word becomes several, before any other expansion. */

import type { Part, Word } from './ast.js';

/** A character of unquoted text, or a part that is left as it is. */
type Item = string | Part;

export function expandBraces(word: Word): Word[] {
  if (!word.some((part) => part.kind === 'text' && !part.quoted && part.text.includes('{'))) return [word];
  const items = word.flatMap((part): Item[] =>
    part.kind === 'text' && !part.quoted ? [...part.text] : [part],
  );
  return expand(items).map(toWord);
}

function toWord(items: Item[]): Word {
  const word: Word = [];
  for (const item of items) {
    const last = word[word.length - 1];
    if (typeof item !== 'string') word.push(item);
    else if (last?.kind === 'text' && !last.quoted) last.text += item;
    else word.push({ kind: 'text', text: item, quoted: false });
  }
  return word;
}

function expand(items: Item[]): Item[][] {
  for (let open = items.indexOf('{'); open >= 0; open = items.indexOf('{', open + 1)) {
    const close = closing(items, open);
    if (close < 0) continue;
    const choices = alternatives(items.slice(open + 1, close));
    if (!choices) continue;
    const head = items.slice(0, open);
    const tails = expand(items.slice(close + 1));
    return choices.flatMap((choice) => tails.map((tail) => [...head, ...choice, ...tail]));
  }
  return [items];
}

function closing(items: Item[], open: number): number {
  let depth = 0;
  for (let at = open; at < items.length; at++) {
    if (items[at] === '{') depth++;
    else if (items[at] === '}' && --depth === 0) return at;
  }
  return -1;
}

/** What stands between the braces, each choice expanded; undefined if it is no brace expansion. */
function alternatives(inner: Item[]): Item[][] | undefined {
  const choices: Item[][] = [[]];
  let depth = 0;
  for (const item of inner) {
    if (item === '{') depth++;
    else if (item === '}') depth--;
    if (item === ',' && depth === 0) choices.push([]);
    else choices[choices.length - 1].push(item);
  }
  if (choices.length > 1) return choices.flatMap(expand);
  if (!inner.every((item) => typeof item === 'string')) return undefined;
  return range(inner.join(''))?.map((text) => [...text]);
}

function range(text: string): string[] | undefined {
  const numbers = /^(-?\d+)\.\.(-?\d+)(?:\.\.(-?\d+))?$/.exec(text);
  const letters = /^([A-Za-z])\.\.([A-Za-z])(?:\.\.(-?\d+))?$/.exec(text);
  if (!numbers && !letters) return undefined;
  const [, from, to, by] = (numbers ?? letters)!;
  const start = numbers ? Number(from) : from.charCodeAt(0);
  const end = numbers ? Number(to) : to.charCodeAt(0);
  const step = Math.max(1, Math.abs(Number(by ?? 1))) * (start <= end ? 1 : -1);
  const width = numbers && /^-?0\d/.test(`${from} `.trim()) ? Math.max(from.length, to.length) : 0;
  const result: string[] = [];
  for (let value = start; step > 0 ? value <= end : value >= end; value += step) {
    result.push(numbers ? padded(value, width) : String.fromCharCode(value));
  }
  return result;
}

function padded(value: number, width: number): string {
  const digits = String(Math.abs(value));
  return value < 0 ? `-${digits.padStart(width - 1, '0')}` : digits.padStart(width, '0');
}
