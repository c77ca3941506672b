// SPDX-License-Identifier: MIT
/** fs.*: how much of the VFS there is; vm.drop_caches. */

import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { type SysctlEntry, wordEntry } from './sysctl_entry.js';

const MAX_FILES = '9223372036854775807';
const DENTRY_AGE_LIMIT = 45;

export interface FsSysctlDeps {
  readonly files: { readonly count: number };
  inodes(): number;
  dentries(): { readonly all: number; readonly negative: number };
}

const numbers = (path: string, read: () => readonly (number | string)[]): SysctlEntry => ({
  path: `fs/${path}`,
  mode: 0o444,
  read: () => `${read().join('\t')}\n`,
});

/** What nobody uses is not kept, so none is unused. */
export function fsSysctls(k: FsSysctlDeps): SysctlEntry[] {
  return [
    numbers('file-nr', () => [k.files.count, 0, MAX_FILES]),
    numbers('inode-nr', () => [k.inodes(), 0]),
    numbers('inode-state', () => [k.inodes(), 0, 0, 0, 0, 0, 0]),
    numbers('dentry-state', () => {
      const { all, negative } = k.dentries();
      return [all, 0, DENTRY_AGE_LIMIT, 0, negative, 0];
    }),
  ];
}

export interface DropCachesDeps {
  readonly ram: Ram;
  /** Where `sysctl_drop_caches` lies. */
  readonly at: Handle;
  /** Asks those who registered a shrinker. */
  dropSlab(): void;
  /** Says who did it, unless asked to be quiet. */
  log(message: string): void;
  current(): { readonly comm: string; readonly pid: number };
}

/** @linux fs/drop_caches.c:drop_caches_sysctl_handler partial: no page in memory has a copy elsewhere, so none goes */
export function dropCaches({ ram, at, dropSlab, log, current }: DropCachesDeps): SysctlEntry {
  return wordEntry('vm/drop_caches', ram, at, {
    mode: 0o200,
    min: 1,
    max: 4,
    changed: () => {
      const what = ram.i32[at];
      if (what & 2) dropSlab();
      const { comm, pid } = current();
      if (!(what & 4)) log(`${comm} (${pid}): drop_caches: ${what}`);
    },
  });
}
