// SPDX-License-Identifier: MIT
/** What the kernel headers declare for the kernel to provide: functions and variables, by name and header. */

import { readdirSync, readFileSync } from 'node:fs';

/** C text without comments and preprocessor lines. */
const bare = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, ' ')
    .replace(/\/\/[^\n]*/g, ' ')
    .replace(/^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$/gm, ' ');

/** Declarations and definitions outside of braces; what stood in braces is `{}`. */
function statements(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let current = '';
  for (const c of text) {
    if (c === '{' && depth++ === 0) current += '{';
    else if (c === '}' && --depth === 0) {
      current += '}';
      // A function's body ends its statement; a struct's does not.
      if (/\)\s*\{\}$/.test(current)) current = '';
    } else if (depth > 0) continue;
    else if (c === ';') {
      found.push(current.replace(/\s+/g, ' ').trim());
      current = '';
    } else current += c;
  }
  return found;
}

/** Attributes and macros of the headers that look like calls. */
const ATTRIBUTE =
  /\b(__attribute__|__printf|__scanf|__acquires|__releases|__alloc_size__?|__section|__aligned|__assume_aligned|__counted_by)\s*\((?:[^()]|\([^()]*\))*\)/g;

/** The names that a statement declares. */
function declaredIn(statement: string): string[] {
  const text = statement.replace(ATTRIBUTE, ' ').replaceAll(/\(\s*\(.*?\)\s*\)/g, ' ');
  if (
    /^(typedef|static|struct \w+ __STRUCT_|DECLARE_|DEFINE_|_Static_assert|struct \w+ \{\}$|enum\b[^(]*$)/.test(
      text,
    )
  )
    return [];
  if (/\binline\b/.test(text)) return [];
  const fn = /^(?:extern )?[\w\s*{}]*?\b(\w+)\s*\(/.exec(text);
  if (fn) return /^(extern\s+)?\w+\s*\(/.test(text) ? [] : [fn[1]];
  if (!text.startsWith('extern ')) return [];
  return text
    .split(',')
    .map((part) => /(\w+)\s*(?:\[[^\]]*\]\s*)*$/.exec(part.trim())?.[1] ?? '')
    .filter((name) => name !== '');
}

/** Names by header, headers in the order of their paths. */
export function declaredSymbols(include: string): Map<string, string[]> {
  const headers = readdirSync(include, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.h'))
    .sort();
  const byHeader = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const header of headers) {
    const names = statements(bare(readFileSync(`${include}/${header}`, 'utf8')))
      .flatMap(declaredIn)
      .filter((name) => !seen.has(name) && seen.add(name));
    if (names.length > 0) byHeader.set(header, names);
  }
  return byHeader;
}
