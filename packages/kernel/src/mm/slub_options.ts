// SPDX-License-Identifier: MIT
/** The boot parameter slub_debug: `FZPU`, `FZ,kmalloc-64,ext2*;U,dentry`, or empty for everything. */

import {
  DEBUG_DEFAULT_FLAGS,
  SLAB_CONSISTENCY_CHECKS,
  SLAB_FAILSLAB,
  SLAB_NO_USER_FLAGS,
  SLAB_NOLEAKTRACE,
  SLAB_POISON,
  SLAB_RED_ZONE,
  SLAB_STORE_USER,
  SLAB_TRACE,
} from './slab.js';

export interface SlubDebugOptions {
  /** Flags for every cache. */
  readonly global: number;
  /** Flags for caches by name; a name may end in `*`. */
  readonly blocks: readonly { readonly flags: number; readonly names: readonly string[] }[];
  /** `O`: no debugging where it would make slabs larger. */
  readonly disableHigherOrder: boolean;
  readonly enabled: boolean;
  /** Letters that mean nothing. */
  readonly unknown: readonly string[];
}

const LETTERS: Readonly<Record<string, number>> = {
  f: SLAB_CONSISTENCY_CHECKS,
  z: SLAB_RED_ZONE,
  p: SLAB_POISON,
  u: SLAB_STORE_USER,
  t: SLAB_TRACE,
  a: SLAB_FAILSLAB,
};

/**
 * Reads the parameter's value (undefined: not given).
 * @linux mm/slub.c:setup_slub_debug full
 */
export function parseSlubDebug(value: string | undefined): SlubDebugOptions {
  const unknown: string[] = [];
  const blocks: { flags: number; names: string[] }[] = [];
  let global = 0;
  let disableHigherOrder = false;
  if (value === undefined) return { global, blocks, disableHigherOrder, enabled: false, unknown };
  for (const block of value.replace(/^=/, '').split(';')) {
    const [letters, ...names] = block.split(',');
    let flags = letters === '' ? DEBUG_DEFAULT_FLAGS : 0;
    for (const letter of letters) {
      if (letter === '-') flags = 0;
      else if (letter.toLowerCase() === 'o') disableHigherOrder = true;
      else if (letter.toLowerCase() in LETTERS) flags |= LETTERS[letter.toLowerCase()];
      else unknown.push(letter);
    }
    if (names.length === 0) global = flags;
    else blocks.push({ flags, names });
  }
  return { global, blocks, disableHigherOrder, enabled: global !== 0 || blocks.length > 0, unknown };
}

/**
 * The flags of a cache, with those that the boot parameter adds.
 * @linux mm/slub.c:kmem_cache_flags full
 */
export function kmemCacheFlags(options: SlubDebugOptions, flags: number, name: string): number {
  if (flags & SLAB_NO_USER_FLAGS) return flags;
  const matches = (pattern: string): boolean =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  for (const block of options.blocks) if (block.names.some(matches)) return flags | block.flags;
  const global = flags & SLAB_NOLEAKTRACE ? options.global & ~SLAB_STORE_USER : options.global;
  return flags | global;
}
