// SPDX-License-Identifier: MIT
/** Shell patterns (`*`, `?`, `[…]`) and the file names that match one. */

import type { Vfs } from '../fs/vfs.js';

/** A stretch of text; in a quoted one no character is special. */
export interface Segment {
  text: string;
  quoted: boolean;
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');

/** A regular expression's source for a pattern; `star` is what `*` becomes. */
export function patternSource(segments: readonly Segment[], star = '[\\s\\S]*', any = '[\\s\\S]'): string {
  let source = '';
  for (const { text, quoted } of segments) {
    if (quoted) {
      source += escapeRegExp(text);
      continue;
    }
    for (let at = 0; at < text.length; at++) {
      const character = text[at];
      if (character === '*') source += star;
      else if (character === '?') source += any;
      else if (character === '\\' && at + 1 < text.length) source += escapeRegExp(text[++at]);
      else if (character === '[') {
        const set = /^\[([!^]?)(\]?(?:\[:[a-z]+:\]|[^\]])*)\]/.exec(text.slice(at));
        if (!set) source += '\\[';
        else {
          source += `[${set[1] ? '^' : ''}${bracket(set[2])}]`;
          at += set[0].length - 1;
        }
      } else source += escapeRegExp(character);
    }
  }
  return source;
}

const CLASSES: Record<string, string> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  blank: ' \\t',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  cntrl: '\\x00-\\x1f\\x7f',
  print: '\\x20-\\x7e',
  graph: '\\x21-\\x7e',
};

/** The inside of a bracket expression, POSIX classes included, for a regular expression. */
export function bracket(text: string): string {
  return text
    .split(/(\[:[a-z]+:\])/)
    .map((piece) => CLASSES[/^\[:([a-z]+):\]$/.exec(piece)?.[1] ?? ''] ?? piece.replace(/[\\\]^[]/g, '\\$&'))
    .join('');
}

export const matches = (segments: readonly Segment[], text: string): boolean =>
  new RegExp(`^${patternSource(segments)}$`, 'u').test(text);

export const hasPattern = (segments: readonly Segment[]): boolean =>
  segments.some(({ text, quoted }) => !quoted && /[*?]|\[.*\]/.test(text));

/** Splits a field at slashes, keeping which parts are quoted. */
function components(segments: readonly Segment[]): Segment[][] {
  const result: Segment[][] = [[]];
  for (const { text, quoted } of segments) {
    text.split('/').forEach((piece, index) => {
      if (index > 0) result.push([]);
      if (piece !== '') result[result.length - 1].push({ text: piece, quoted });
    });
  }
  return result;
}

/** Paths that match, sorted; none if none does. */
export function glob(segments: readonly Segment[], fs: Vfs, cwd: string): string[] {
  const parts = components(segments);
  const absolute = parts[0].length === 0 && parts.length > 1;
  let found = [absolute ? '/' : ''];
  for (const [index, part] of (absolute ? parts.slice(1) : parts).entries()) {
    const last = index === parts.length - (absolute ? 2 : 1);
    found = found.flatMap((prefix) => matchComponent(prefix, part, last, fs, cwd));
  }
  return found;
}

function matchComponent(prefix: string, part: Segment[], last: boolean, fs: Vfs, cwd: string): string[] {
  const text = part.map((segment) => segment.text).join('');
  const folder = prefix.startsWith('/') ? prefix : `${cwd}/${prefix}`;
  const end = last ? '' : '/';
  if (!hasPattern(part))
    return last && text !== '' && !fs.exists(`${folder}/${text}`) ? [] : [prefix + text + end];
  if (!fs.isDirectory(folder)) return [];
  const regex = new RegExp(`^${patternSource(part, '[^/]*', '[^/]')}$`, 'u');
  return fs
    .readdir(folder)
    .filter((name) => regex.test(name) && (!name.startsWith('.') || text.startsWith('.')))
    .filter((name) => last || fs.isDirectory(`${folder}/${name}`))
    .map((name) => prefix + name + end);
}
