// SPDX-License-Identifier: MIT
/**
 * Writes docs/coverage.md: which functions of Linux 6.1 the code answers to, from the `@linux` tags of its comments.
 *
 *     @linux mm/slub.c:new_slab full
 *     @linux mm/page_alloc.c:free_one_page partial: what is missing
 *     @linux kernel/watchdog.c:watchdog_timer_fn differs: why
 *
 * Ends with status 1 for a tag that is malformed, or names a function that 6.1's source file has not
 * (docs/linux-6.1-symbols.txt; source files that the list leaves out are not checked).
 */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const COVERAGE_FILE = `${ROOT}docs/coverage.md`;

const TAG = /@linux\s+(\S+?):(\w+)(?:\s+(full|partial|differs)\b(?::\s*((?:[^\n*]|\*(?!\/))*))?)?/g;

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && !/^(dist|node_modules)$/.test(entry.name)) yield* sources(path);
    else if (/\.(ts|h)$/.test(entry.name) && !/\.(test|d)\.ts$/.test(entry.name)) yield path;
  }
}

const sourceOf = (symbol) => symbol.slice(0, symbol.lastIndexOf(':'));

/** Every tag, and what is wrong with some. */
export function readTags() {
  const known = new Set(readFileSync(`${ROOT}docs/linux-6.1-symbols.txt`, 'utf8').trim().split('\n'));
  const files = new Set([...known].map(sourceOf));
  const tags = [];
  const errors = [];
  for (const path of sources(`${ROOT}packages`)) {
    const file = path.slice(ROOT.length);
    const text = readFileSync(path, 'utf8');
    for (const match of text.matchAll(TAG)) {
      const [, source, name, level, note = ''] = match;
      const where = `${file}:${text.slice(0, match.index).split('\n').length}`;
      // The list has whole source files; of others it says nothing.
      if (files.has(source) && !known.has(`${source}:${name}`))
        errors.push(`${where}: Linux 6.1 has no ${source}:${name}`);
      else if (!level) errors.push(`${where}: ${name}: expected full, "partial: …" or "differs: …"`);
      else if (level !== 'full' && note.trim() === '')
        errors.push(`${where}: ${name}: ${level} without a reason`);
      else tags.push({ source, name, level, note: note.trim(), file });
    }
  }
  return { tags, errors, known };
}

/** `mm/slub.c` → `mm/slub.c`'s subsystem: `mm`. */
const subsystemOf = (source) =>
  source.startsWith('include/linux/')
    ? 'include'
    : source
        .split('/')
        .slice(0, source.startsWith('arch') ? 2 : 1)
        .join('/');

function groupBy(items, keyOf) {
  const groups = new Map();
  for (const item of items) {
    const key = keyOf(item);
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups].sort(([a], [b]) => (a < b ? -1 : 1));
}

const count = (tags, level) =>
  new Set(tags.filter((t) => t.level === level).map((t) => `${t.source}:${t.name}`)).size;

/** The page's text. */
export function coverage({ tags, known }) {
  const totals = new Map();
  for (const symbol of known) {
    const source = sourceOf(symbol);
    totals.set(source, (totals.get(source) ?? 0) + 1);
  }
  const lines = [
    '# Functions of Linux 6.1 that the code answers to',
    '',
    'Made by `node scripts/coverage.mjs` from the `@linux` tags in the code; do not edit. *Full* means: what C, a user',
    'or a log can observe is the same. "In 6.1" counts the functions of the same source files,',
    'as far as docs/linux-6.1-symbols.txt lists them.',
    '',
    '| subsystem | full | partial | differs | in 6.1 |',
    '| --- | ---: | ---: | ---: | ---: |',
  ];
  for (const [subsystem, group] of groupBy(tags, (t) => subsystemOf(t.source))) {
    const files = new Set(group.map((t) => t.source));
    const total = [...files].reduce((sum, source) => sum + (totals.get(source) ?? 0), 0);
    const counts = ['full', 'partial', 'differs'].map((level) => count(group, level));
    lines.push(`| ${subsystem} | ${counts.join(' | ')} | ${total} |`);
  }
  for (const [source, group] of groupBy(tags, (t) => t.source)) {
    lines.push('', `## ${source}`, '', '| function | | where |', '| --- | --- | --- |');
    for (const [name, same] of groupBy(group, (t) => t.name)) {
      const levels = [...new Set(same.map((t) => (t.note ? `${t.level}: ${t.note}` : t.level)))].join('; ');
      const files = [...new Set(same.map((t) => t.file.replace(/^packages\//, '')))].sort();
      lines.push(`| \`${name}\` | ${levels.replaceAll('|', '\\|')} | ${files.join(', ')} |`);
    }
  }
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const read = readTags();
  for (const error of read.errors) console.error(error);
  writeFileSync(COVERAGE_FILE, coverage(read));
  process.exitCode = read.errors.length > 0 ? 1 : 0;
}
