// SPDX-License-Identifier: MIT
/**
 * Pointers that C gives the VFS, made into handles. One that leads nowhere ends in the oops that using it would cause.
 */

import { DataCorruption, type Env } from '../lib/env.js';
import type { GuestAccess } from '../lib/guest_access.js';
import { type Handle, PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { Dentry, File, Inode, Path } from './fs_types.js';
import { SuperBlock, Vfsmount } from './vfs_types.js';

type Deps = GuestAccess & { readonly env: Env };

/** More dentries than lie above one another in any tree that makes sense. */
export const MAX_DEPTH = 4096;

/** An object of the kernel's, which lies in the direct map, or within one page of a module's data. */
export function objectAt({ ram, guest }: Deps, address: Vaddr, bytes: number): Handle {
  if (ram.isDirect(address, bytes) && address % 4 === 0) return ram.handleOf(address);
  guest.read(address, Math.min(bytes, PAGE_SIZE));
  const physical = guest.translate(address, true);
  const inOnePage = (physical & PAGE_MASK_LOW) + bytes <= PAGE_SIZE;
  if (physical < 0 || physical % 4 !== 0 || !inOnePage) throw corrupt(`no object at ${address.toString(16)}`);
  return physical / 4;
}

/** A handle that was found in an object in RAM: if it leads nowhere, using it is a fault as in C. */
export function followed({ ram, guest }: Deps, handle: Handle, bytes: number): Handle {
  if (handle > 0 && handle * 4 + bytes <= ram.size) return handle;
  guest.read(ram.addressOf(handle), 1);
  throw corrupt('an object lies where no memory is');
}

/** What the VFS's own lists and trees cannot look like. */
export const corrupt = (what: string): DataCorruption =>
  new DataCorruption(`VFS: ${what}`, 'fs/dcache.c', 1355, 'd_walk');

export class CPointers {
  constructor(private readonly deps: Deps) {}

  readonly dentry = (at: Vaddr): Handle => objectAt(this.deps, at, Dentry.size);
  readonly inode = (at: Vaddr): Handle => objectAt(this.deps, at, Inode.size);
  readonly superBlock = (at: Vaddr): Handle => objectAt(this.deps, at, SuperBlock.size);
  readonly file = (at: Vaddr): Handle => objectAt(this.deps, at, File.size);
  readonly vfsmount = (at: Vaddr): Handle => objectAt(this.deps, at, Vfsmount.size);
  readonly path = (at: Vaddr): Handle => objectAt(this.deps, at, Path.size);

  /** The same with NULL allowed. */
  readonly orNull = (at: Vaddr, to: (at: Vaddr) => Handle): Handle => (at === 0 ? 0 : to(at));
}
