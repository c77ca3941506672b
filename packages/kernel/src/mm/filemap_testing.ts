// SPDX-License-Identifier: MIT
/** A machine with allocators and a page cache, and files that are nothing but an inode, for tests. */

import { AddressSpace, File, Inode, Kiocb } from '../fs/fs_types.js';
import { UserAccess } from '../kernel/uaccess.js';
import { readS64, writeInteger, writeS64, writeU8 } from '../lib/guest_access.js';
import type { UserCopies } from '../lib/iov_iter.js';
import type { TestEnv } from '../lib/testing.js';
import { XaNode } from '../lib/xarray_node.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { PageCache } from './filemap.js';
import { GFP_HIGHUSER, GFP_KERNEL } from './gfp.js';
import type { PageAllocator } from './page_alloc.js';
import type { Slub } from './slub.js';
import { slubMachine } from './slub_testing.js';

export interface PageCacheMachine {
  readonly env: TestEnv;
  readonly mm: PageAllocator;
  readonly slub: Slub;
  readonly cache: PageCache;
  /** Nodes of trees that are in use. */
  nodes(): number;
  /** A file without pages: handle of its inode. */
  newInode(): Handle;
  /** A second page cache over the same memory. */
  again(): PageCache;
}

/** User memory from address 0 on, as long as a kernel buffer. */
export function userMemory(m: PageCacheMachine, buffer: Vaddr, end: number): UserCopies {
  const { guest } = m.env;
  const missing = (at: Vaddr, n: number) => Math.min(n, Math.max(0, at + n - end));
  return {
    copyTo(to, from, n) {
      const rest = missing(to, n);
      guest.write(buffer + to, guest.read(from, n - rest));
      return rest;
    },
    rawCopyFrom(to, from, n) {
      const rest = missing(from, n);
      guest.write(to, guest.read(buffer + from, n - rest));
      return rest;
    },
    clear(to, n) {
      const rest = missing(to, n);
      guest.write(buffer + to, new Uint8Array(n - rest));
      return rest;
    },
    read: (from, n) => (missing(from, n) > 0 ? undefined : guest.read(buffer + from, n)),
    checkObject: () => {},
  };
}

export function pageCacheMachine(mib = 16, shouldFail: () => boolean = () => false): PageCacheMachine {
  const { env, mm, slub } = slubMachine({ mib });
  const { ram } = env;
  const nodeCache = slub.kmemCacheCreate('radix_tree_node', XaNode.size, 0, 0);
  let nodes = 0;
  const make = () =>
    new PageCache({
      ram,
      guest: env.guest,
      env,
      pages: mm,
      user: new UserAccess(env),
      nodes: {
        alloc: (gfp) => {
          const node = shouldFail() ? 0 : slub.kmemCacheAlloc(nodeCache, gfp);
          if (node !== 0) nodes++;
          return node === 0 ? 0 : ram.handleOf(node);
        },
        free: (node) => {
          nodes--;
          slub.kmemCacheFree(nodeCache, ram.addressOf(node));
        },
      },
      callC: () => {
        throw new Error('there is no C here');
      },
      symbol: () => undefined,
      kmalloc: (bytes, gfp) => slub.kmalloc(bytes, gfp),
      kfree: (address) => void slub.kfree(address),
    });
  return {
    env,
    mm,
    slub,
    cache: make(),
    nodes: () => nodes,
    newInode() {
      const inode = ram.handleOf(slub.kmalloc(Inode.size, GFP_KERNEL));
      ram.fill(inode * 4, Inode.size, 0);
      const mapping = mappingOf(inode);
      Inode.at(ram, inode).i_mapping = mapping;
      const m = AddressSpace.at(ram, mapping);
      m.host = inode;
      m.gfp_mask = GFP_HIGHUSER;
      return inode;
    },
    again: make,
  };
}

export const mappingOf = (inode: Handle): Handle => inode + Inode.w.i_data;

const ITER_KVEC = 1;
const ITER_UBUF = 6;

/** An open file with a kiocb, and an iterator over kernel memory. */
export class OpenTestFile {
  readonly iocb: Vaddr;
  readonly iter: Vaddr;
  private readonly file: Handle;

  constructor(
    private readonly m: PageCacheMachine,
    inode: Handle,
  ) {
    const { ram } = m.env;
    const zeroed = (bytes: number) => {
      const at = m.slub.kmalloc(bytes, GFP_KERNEL);
      ram.fill(ram.handleOf(at) * 4, bytes, 0);
      return at;
    };
    this.file = ram.handleOf(zeroed(File.size));
    const f = File.at(ram, this.file);
    f.f_inode = inode;
    f.f_mapping = mappingOf(inode);
    this.iocb = zeroed(Kiocb.size);
    writeS64(m.env, this.iocb + Kiocb.o.ki_filp, ram.addressOf(this.file));
    this.iter = zeroed(128);
  }

  close(): void {
    for (const at of [this.m.env.ram.addressOf(this.file), this.iocb, this.iter]) this.m.slub.kfree(at);
  }

  get pos(): number {
    return readS64(this.m.env, this.iocb + Kiocb.o.ki_pos);
  }

  /** Where the next call reads or writes. */
  seek(pos: number, flags = 0): void {
    writeS64(this.m.env, this.iocb + Kiocb.o.ki_pos, pos);
    writeInteger(this.m.env, this.iocb + Kiocb.o.ki_flags, flags, 4);
  }

  /** Makes the iterator stand on one user buffer. */
  overUser(at: Vaddr, bytes: number): Vaddr {
    const { env } = this.m;
    writeInteger(env, this.iter, 0, 8);
    writeU8(env, this.iter, ITER_UBUF);
    writeS64(env, this.iter + 8, 0);
    writeS64(env, this.iter + 16, bytes);
    writeS64(env, this.iter + 24, at);
    return this.iter;
  }

  /** Makes the iterator stand on buffers; its second half holds the vectors. */
  over(...buffers: readonly { at: Vaddr; bytes: number }[]): Vaddr {
    const { env } = this.m;
    buffers.forEach(({ at, bytes }, i) => {
      writeS64(env, this.iter + 48 + 16 * i, at);
      writeS64(env, this.iter + 56 + 16 * i, bytes);
    });
    writeInteger(env, this.iter, 0, 8);
    writeU8(env, this.iter, ITER_KVEC);
    writeS64(env, this.iter + 8, 0);
    writeS64(
      env,
      this.iter + 16,
      buffers.reduce((sum, { bytes }) => sum + bytes, 0),
    );
    writeS64(env, this.iter + 24, this.iter + 48);
    writeS64(env, this.iter + 32, buffers.length);
    return this.iter;
  }
}
