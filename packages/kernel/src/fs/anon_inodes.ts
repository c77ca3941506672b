// SPDX-License-Identifier: MIT
/**
 * Files without a place in the tree: what anon_inode_getfd() makes. All have one inode, and each a dentry of its own
 * that says what it is: /proc would show `anon_inode:[name]`.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { ENOMEM } from '../lib/errno.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CPointers } from './c_pointers.js';
import type { Dcache } from './dcache.js';
import { textToEnd } from './dcache_exports.js';
import type { FsDeps } from './fs_context.js';
import type { Inodes } from './inode.js';
import type { Mounts, Place } from './namespace.js';
import type { OperationTables } from './op_tables.js';
import type { Supers } from './super.js';
import { DentryOperations, SuperOperations } from './vfs_types.js';

const ANON_INODE_FS_MAGIC = 0x09041934;

export interface AnonServices {
  readonly dcache: Dcache;
  readonly inodes: Inodes;
  readonly supers: Supers;
  readonly mounts: Mounts;
}

export class AnonInodes {
  private readonly mount: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly k: AnonServices,
    tables: OperationTables,
    data: StaticData,
  ) {
    this.mount = data.declare('anon_inode_mnt', 8);
    tables.declare(SuperOperations, { anon_inodefs_ops: { statfs: 'simple_statfs' } });
    tables.declare(DentryOperations, { anon_inodefs_dentry_operations: { d_dname: 'anon_inodefs_dname' } });
    k.supers.declare({ name: 'anon_inodefs', mount: 'anon_inodefs_mount', killSb: 'kill_anon_super' });
  }

  boot(): void {
    this.deps.ram.setPtr(this.mount, this.k.mounts.internal('anon_inodefs'));
  }

  /** @linux fs/libfs.c:init_pseudo full */
  private fill(type: Vaddr, flags: number): number {
    const { deps } = this;
    const { supers, inodes, dcache } = this.k;
    const sb = supers.create(type, flags);
    if (sb === 0) return -ENOMEM;
    const s = supers.at(sb);
    s.s_magic = ANON_INODE_FS_MAGIC;
    s.s_op = deps.symbol('anon_inodefs_ops');
    s.s_d_op = deps.symbol('anon_inodefs_dentry_operations');
    s.s_time_gran = 1;
    const inode = inodes.create(sb);
    if (inode !== 0) {
      inodes.at(inode).i_mode = 0o600;
      inodes.at(inode).i_ino = inodes.nextIno();
    }
    const root = dcache.makeRoot(inode);
    if (root === 0) {
      supers.deactivate(sb);
      return -ENOMEM;
    }
    s.s_root = root;
    return supers.activate(sb);
  }

  /** A place for a file, held. @returns a negative errno if there is no memory */
  place(name: string): Place | number {
    const { dcache, inodes, mounts } = this.k;
    const mnt = this.deps.ram.ptr(this.mount);
    const root = mounts.at(mnt).mnt.mnt_root;
    const dentry = dcache.alloc(0, encodeUtf8(name), dcache.at(root).d_sb);
    if (dentry === 0) return -ENOMEM;
    dcache.instantiate(dentry, inodes.get(dcache.at(root).d_inode));
    mounts.at(mnt).mnt_count++;
    return { mnt, dentry };
  }

  exports(): KernelExports {
    const { dentry } = new CPointers(this.deps);
    return {
      anon_inodefs_mount: ['p:pipp', (type: Vaddr, flags: number) => this.fill(type, flags)],
      anon_inodefs_dname: [
        'p:ppi',
        (at: Vaddr, buf: Vaddr, size: number) =>
          textToEnd(this.deps, `anon_inode:${this.k.dcache.nameOf(dentry(at))}`, buf, size),
      ],
    };
  }
}
