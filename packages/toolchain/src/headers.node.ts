// SPDX-License-Identifier: MIT
/** Loads the kernel headers from the package's own `include` folder. */

import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { HeaderTree } from './compile.js';

/** All headers below `folder`, by their path relative to it, with `/`. Throws what the file system throws. */
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
  return tree;
}
