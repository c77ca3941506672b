// SPDX-License-Identifier: MIT
/** Wildcards in file names: `*`, `?`, `[…]`. */

import type { BuildFs } from '../fs.js';
import { resolvePath } from '../includes.js';

/** Paths that match, as the pattern spells them, sorted by name. A pattern without wildcards matches what exists. */
export async function glob(fs: BuildFs, cwd: string, pattern: string): Promise<string[]> {
  let found = [pattern.startsWith('/') ? '/' : ''];
  const parts = pattern.split('/').filter((part, i) => part !== '' || i > 0);
  for (const [i, part] of parts.entries()) {
    const last = i === parts.length - 1;
    const next: string[] = [];
    for (const base of found) {
      if (!/[*?[]/.test(part)) {
        const path = base + part;
        if (await fs.stat(resolvePath(cwd, path || '.'))) next.push(last ? path : `${path}/`);
        continue;
      }
      const matches = wildcardTest(part);
      for (const name of ((await fs.readdir(resolvePath(cwd, base || '.'))) ?? []).sort()) {
        if (!matches(name) || (name.startsWith('.') && !part.startsWith('.'))) continue;
        const stat = await fs.stat(resolvePath(cwd, base + name));
        if (last || stat?.directory) next.push(last ? base + name : `${base}${name}/`);
      }
    }
    found = next;
  }
  return found;
}

function wildcardTest(pattern: string): (name: string) => boolean {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    const expression = new RegExp(`^${source}$`, 's');
    return (name) => expression.test(name);
  } catch {
    return (name) => name === pattern;
  }
}
