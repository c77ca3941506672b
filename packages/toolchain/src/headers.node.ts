// SPDX-License-Identifier: MIT
/** The kernel headers: the package's own `include` folder, and those generated from the kernel's schemas. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HeaderTree } from './compile.js';
import { generatedHeaders } from './gen_headers.js';

/** All headers below `folder` and all generated ones, by path, with `/`. Throws what the file system throws. */
export function loadHeaders(folder = fileURLToPath(new URL('../include', import.meta.url))): HeaderTree {
  const tree = new Map<string, string>();
  const walk = (relative: string) => {
    for (const entry of readdirSync(`${folder}/${relative}`, { withFileTypes: true })) {
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (entry.name.endsWith('.h')) tree.set(path, readFileSync(`${folder}/${path}`, 'utf8'));
    }
  };
  walk('');
  for (const [name, text] of generatedHeaders()) tree.set(`generated/${name}`, text);
  return tree;
}
