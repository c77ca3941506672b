// SPDX-License-Identifier: MIT
/**
 * File system types and super blocks: what kinds of file system there are, and the ones that are in use.
 *
 * How a mount asks a type for its file system: `mount_context.ts`.
 *
 * @linux fs/super.c, fs/filesystems.c partial: no block devices, no freezing
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EBUSY, EINVAL, ENOMEM } from '../lib/errno.js';
import { readCString, readS64, writeInteger } from '../lib/guest_access.js';
import {
  initListHead,
  ListHead,
  listAddTail,
  listCount,
  listDel,
  listDelInit,
  listEntries,
} from '../lib/list.js';
import { RwSemaphore } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SHIFT, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { CPointers, followed, MAX_DEPTH, objectAt } from './c_pointers.js';
import type { Dcache } from './dcache.js';
import { formatPointer } from './format.js';
import type { FsDeps } from './fs_context.js';
import { Dentry, Inode } from './fs_types.js';
import type { Inodes } from './inode.js';
import { FileSystemType, SuperBlock, SuperOperations } from './vfs_types.js';

/** Flags of file_system_type. */
export const FS_REQUIRES_DEV = 1;
export const FS_USERNS_MOUNT = 8;
/** Flags of a super block, and of mount(2). */
export const SB_RDONLY = 1;
export const SB_KERNMOUNT = 2 ** 22;
export const SB_SILENT = 0x8000;
export const SB_ACTIVE = 2 ** 30;
/** Bytes that a file may have: loff_t's, as far as a number is exact. */
export const MAX_LFS_FILESIZE = Number.MAX_SAFE_INTEGER;
const NAME_BYTES = 16;
const FIRST_ANON_MINOR = 1;

/** A type of the kernel's own: functions by name of their symbol. */
export interface KernelFileSystem {
  readonly name: string;
  readonly mount: string;
  readonly killSb: string;
}

export class Supers {
  private readonly first: Handle;
  private readonly list: Handle;
  private readonly lastMinor: Handle;
  private readonly own: { type: Handle; at: Vaddr; shape: KernelFileSystem }[] = [];

  constructor(
    private readonly deps: FsDeps,
    private readonly data: StaticData,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
  ) {
    this.first = data.declare('file_systems', 8);
    this.list = data.declare('super_blocks', ListHead.size);
    this.lastMinor = data.declare('unnamed_dev_ida', 4);
  }

  /** Adds a type of the kernel's own; it is registered at boot. */
  declare(shape: KernelFileSystem): void {
    const name = `${shape.name}_fs_type`;
    const type = this.data.declare(name, FileSystemType.size + NAME_BYTES);
    const { address } = this.data.variables[this.data.variables.length - 1];
    this.own.push({ type, at: address, shape });
  }

  boot(): void {
    const { deps } = this;
    initListHead(deps.ram, this.list);
    deps.ram.i32[this.lastMinor] = FIRST_ANON_MINOR - 1;
    for (const { type, at, shape } of this.own) {
      const t = FileSystemType.at(deps.ram, type);
      deps.ram.u8.set(encodeUtf8(shape.name), type * 4 + FileSystemType.size);
      t.name = at + FileSystemType.size;
      t.mount = deps.symbol(shape.mount);
      t.kill_sb = deps.symbol(shape.killSb);
      this.register(at);
    }
  }

  /** A view of a super block; a pointer that leads nowhere is a fault. */
  at(sb: Handle) {
    return SuperBlock.at(this.deps.ram, followed(this.deps, sb, SuperBlock.size));
  }

  // ---------------------------------------------------------------- types

  /** A word of a type, which may lie in a module. */
  field(type: Vaddr, name: keyof typeof FileSystemType.o): Vaddr {
    return readS64(this.deps, type + FileSystemType.o[name]);
  }

  typeName(type: Vaddr): string {
    return decodeUtf8(readCString(this.deps, this.field(type, 'name'), 255));
  }

  /** Registered types, oldest first. */
  types(): Vaddr[] {
    const types: Vaddr[] = [];
    const { ram } = this.deps;
    for (let at = ram.s64(this.first); at !== 0 && types.length < 1000; at = this.field(at, 'next'))
      types.push(at);
    return types;
  }

  find(name: string): Vaddr {
    return this.types().find((type) => this.typeName(type) === name) ?? 0;
  }

  /** Text of /proc/filesystems. @linux fs/filesystems.c:filesystems_proc_show full */
  text(): string {
    const line = (type: Vaddr) =>
      `${this.field(type, 'fs_flags') & FS_REQUIRES_DEV ? '' : 'nodev'}\t${this.typeName(type)}\n`;
    return this.types().map(line).join('');
  }

  /** @linux fs/filesystems.c:register_filesystem full */
  private register(type: Vaddr): number {
    if (this.field(type, 'next') !== 0) return -EBUSY;
    const all = this.types();
    if (all.some((other) => this.typeName(other) === this.typeName(type))) return -EBUSY;
    this.link(all[all.length - 1], type);
    return 0;
  }

  /** @linux fs/filesystems.c:unregister_filesystem full */
  private unregister(type: Vaddr): number {
    const all = this.types();
    const i = all.indexOf(type);
    if (i < 0) return -EINVAL;
    this.link(all[i - 1], this.field(type, 'next'));
    writeInteger(this.deps, type + FileSystemType.o.next, 0, 8);
    return 0;
  }

  /** Makes `type` the one after `previous`, or the first. */
  private link(previous: Vaddr | undefined, type: Vaddr): void {
    if (previous === undefined) this.deps.ram.set64(this.first, type);
    else writeInteger(this.deps, previous + FileSystemType.o.next, type, 8);
  }

  private module(type: Vaddr): Handle {
    const owner = this.field(type, 'owner');
    return owner === 0 ? 0 : objectAt(this.deps, owner, 8);
  }

  /** Holds the module of a type; false if it is on its way out. @linux fs/filesystems.c:get_filesystem full */
  getType(type: Vaddr): boolean {
    const owner = this.module(type);
    return owner === 0 || this.deps.modules().tryGet(owner);
  }

  /** @linux fs/filesystems.c:put_filesystem full */
  putType(type: Vaddr): void {
    const owner = this.module(type);
    if (owner !== 0) this.deps.modules().put(owner);
  }

  // ---------------------------------------------------------------- super blocks

  /**
   * A super block with a device number of its own.
   * @returns 0 if there is no memory
   * @linux fs/super.c:sget partial: never shares one
   */
  create(type: Vaddr, flags: number): Handle {
    const { deps } = this;
    const address = deps.kmalloc(SuperBlock.size);
    if (address === 0) return 0;
    const sb = deps.ram.handleOf(address);
    deps.ram.fill(sb * 4, SuperBlock.size, 0);
    const s = this.at(sb);
    s.s_dev = ++deps.ram.i32[this.lastMinor];
    s.s_blocksize = PAGE_SIZE;
    s.s_blocksize_bits = PAGE_SHIFT;
    s.s_maxbytes = 2 ** 31 - 1;
    s.s_type = type;
    s.s_flags = flags;
    s.s_count = 1;
    s.s_active = 1;
    s.s_time_gran = 1e9;
    s.s_id.set(encodeUtf8(this.typeName(type)).subarray(0, 31));
    initListHead(deps.ram, sb + SuperBlock.w.s_inodes);
    initListHead(deps.ram, sb + SuperBlock.w.s_umount + RwSemaphore.w.wait_list);
    listAddTail(deps.ram, sb, this.list);
    this.getType(type);
    return sb;
  }

  /** A super block without a root is of no use to anybody. */
  private free(sb: Handle): void {
    const { deps } = this;
    const type = this.at(sb).s_type;
    listDel(deps.ram, sb);
    deps.kfree(deps.ram.addressOf(sb));
    this.putType(type);
  }

  /** Super blocks in use, oldest first. */
  all(): Handle[] {
    return [...listEntries(this.deps.ram, this.list)];
  }

  /** Inodes in memory, of all file systems. */
  inodeCount(): number {
    const { ram } = this.deps;
    return this.all().reduce((sum, sb) => sum + listCount(ram, sb + SuperBlock.w.s_inodes), 0);
  }

  /** Dentries in memory that have a name to be found by, of all file systems; negative ones stand for nothing. */
  dentryCount(): { all: number; negative: number } {
    let [all, negative] = [0, 0];
    const below = (dentry: Handle, depth: number): void => {
      all++;
      if (this.dcache.at(dentry).d_inode === 0) negative++;
      if (depth < MAX_DEPTH) for (const child of this.dcache.children(dentry)) below(child, depth + 1);
    };
    for (const sb of this.all()) if (this.at(sb).s_root !== 0) below(this.at(sb).s_root, 0);
    return { all, negative };
  }

  /** A function of a super block; 0 if it has none. */
  operation(sb: Handle, name: keyof typeof SuperOperations.o): Vaddr {
    const { s_op } = this.at(sb);
    return s_op === 0 ? 0 : readS64(this.deps, s_op + SuperOperations.o[name]);
  }

  /** Takes the tree of a file system apart. @linux fs/super.c:generic_shutdown_super full */
  shutdown(sb: Handle): void {
    const { deps } = this;
    const s = this.at(sb);
    const root = s.s_root;
    if (root === 0) return;
    this.reportBusy(root, sb);
    s.s_root = 0;
    this.dcache.put(root);
    s.s_flags = s.s_flags % SB_ACTIVE;
    this.inodes.evictUnused(sb);
    const put = this.operation(sb, 'put_super');
    if (put !== 0) deps.callC(put, 'v:p', deps.ram.addressOf(sb));
    const left = this.inodes.of(sb);
    if (left.length === 0) return;
    deps.env.log.log(
      4,
      `VFS: Busy inodes after unmount of ${this.id(sb)}. Self-destruct in 5 seconds.  Have a nice day...`,
    );
    for (const inode of left) {
      this.inodes.unhash(inode);
      this.inodes.at(inode).i_sb = 0;
      listDelInit(deps.ram, inode + Inode.w.i_sb_list);
    }
  }

  private id(sb: Handle): string {
    const { s_id } = this.at(sb);
    return decodeUtf8(s_id.subarray(0, s_id.indexOf(0)));
  }

  /** Says which dentries somebody still has, those at the ends of the tree. @linux fs/dcache.c:umount_check full */
  private reportBusy(dentry: Handle, sb: Handle): void {
    const { dcache, deps } = this;
    const children = dcache.children(dentry);
    for (const child of children) this.reportBusy(child, sb);
    const { d_count, d_inode, d_parent } = dcache.at(dentry);
    if (children.length > 0 || (d_parent === dentry && d_count === 1)) return;
    const ino = d_inode === 0 ? 0 : this.inodes.at(d_inode).i_ino;
    const what = `{i=${ino.toString(16)},n=${dcache.nameOf(dentry)}}  still in use (${d_count})`;
    const where = `[unmount of ${this.typeName(this.at(sb).s_type)} ${this.id(sb)}]`;
    deps.env.log.log(3, `BUG: Dentry ${formatPointer(deps, deps.ram.addressOf(dentry))}${what} ${where}`);
    deps.env.reports.warn('fs/dcache.c', 1664, 'umount_check');
  }

  /** The last mount of a file system is gone. @linux fs/super.c:deactivate_super full */
  deactivate(sb: Handle): void {
    const { deps } = this;
    const s = this.at(sb);
    if (--s.s_active > 0) return;
    const kill = this.field(s.s_type, 'kill_sb');
    if (kill !== 0) deps.callC(kill, 'v:p', deps.ram.addressOf(sb));
    else this.shutdown(sb);
    this.free(sb);
  }

  /**
   * A super block that a type has already, or a fresh one.
   * @param test C function that knows the one wanted; 0: always a fresh one
   * @param set C function that gives a fresh one its number
   * @returns a handle, or a negative errno
   * @linux fs/super.c:sget full
   */
  get(type: Vaddr, test: Vaddr, set: Vaddr, flags: number, data: Vaddr): number {
    const { ram, callC } = this.deps;
    const there =
      test === 0
        ? undefined
        : this.all().find(
            (sb) => this.at(sb).s_type === type && callC(test, 'i:pp', ram.addressOf(sb), data) !== 0,
          );
    if (there !== undefined) {
      this.at(there).s_active++;
      return there;
    }
    const sb = this.create(type, flags);
    if (sb === 0) return -ENOMEM;
    const error = set === 0 ? 0 : callC(set, 'i:pp', ram.addressOf(sb), data);
    if (error === 0) return sb;
    this.free(sb);
    return error;
  }

  /**
   * A file system without a disk: a super block that `fill` fills.
   * @param single one for all mounts of the type
   * @returns address of its root, held, or a negative errno; NULL if `fill` has made none
   * @linux fs/super.c:mount_nodev full
   */
  private mountAnon(type: Vaddr, flags: number, data: Vaddr, fill: Vaddr, single: boolean): number {
    const { deps } = this;
    const existing = single ? this.all().find((sb) => this.at(sb).s_type === type) : undefined;
    if (existing !== undefined) {
      this.at(existing).s_active++;
      return deps.ram.addressOf(this.dcache.get(this.at(existing).s_root));
    }
    const sb = this.create(type, flags);
    if (sb === 0) return -ENOMEM;
    const error = deps.callC(fill, 'i:ppi', deps.ram.addressOf(sb), data, flags & SB_SILENT ? 1 : 0);
    if (error !== 0) {
      this.deactivate(sb);
      return error;
    }
    return this.activate(sb);
  }

  /** A super block has been filled: address of its root, held. */
  activate(sb: Handle): Vaddr {
    const s = this.at(sb);
    if (s.s_flags % (2 * SB_ACTIVE) < SB_ACTIVE) s.s_flags += SB_ACTIVE;
    const root = this.deps.ram.s64(sb + SuperBlock.w.s_root);
    if (root !== 0) this.dcache.get(objectAt(this.deps, root, Dentry.size));
    return root;
  }

  exports(): KernelExports {
    const { ram } = this.deps;
    const { superBlock } = new CPointers(this.deps);
    const shutdown = (sb: Vaddr) => this.shutdown(superBlock(sb));
    const deactivate = (sb: Vaddr) => this.deactivate(superBlock(sb));
    const anon =
      (single: boolean) =>
      (type: Vaddr, flags: number, data: Vaddr, fill: Vaddr): number =>
        this.mountAnon(type, flags, data, fill, single);
    return {
      register_filesystem: ['i:p', (type: Vaddr) => this.register(type)],
      unregister_filesystem: ['i:p', (type: Vaddr) => this.unregister(type)],
      get_fs_type: [
        'p:p',
        (name: Vaddr) => {
          const type = this.find(decodeUtf8(readCString(this.deps, name, 255)));
          return type !== 0 && this.getType(type) ? type : 0;
        },
      ],
      get_filesystem: ['p:p', (type: Vaddr) => (this.getType(type) ? type : 0)],
      put_filesystem: ['v:p', (type: Vaddr) => this.putType(type)],
      mount_nodev: ['p:pipp', anon(false)],
      mount_single: ['p:pipp', anon(true)],
      sget: [
        'p:pppip',
        (type: Vaddr, test: Vaddr, set: Vaddr, flags: number, data: Vaddr) => {
          const sb = this.get(type, test, set, flags, data);
          return sb < 0 ? sb : ram.addressOf(sb);
        },
      ],
      // Each super block has a number from the start.
      set_anon_super: ['i:pp', () => 0],
      deactivate_super: ['v:p', deactivate],
      deactivate_locked_super: ['v:p', (sb: Vaddr) => deactivate(sb)],
      iterate_supers_type: [
        'v:ppp',
        (type: Vaddr, fn: Vaddr, arg: Vaddr) => {
          for (const sb of this.all())
            if (this.at(sb).s_type === type && this.at(sb).s_root !== 0)
              this.deps.callC(fn, 'v:pp', ram.addressOf(sb), arg);
        },
      ],
      generic_shutdown_super: ['v:p', shutdown],
      kill_anon_super: ['v:p', (sb: Vaddr) => shutdown(sb)],
      kill_litter_super: [
        'v:p',
        (at: Vaddr) => {
          const sb = superBlock(at);
          if (this.at(sb).s_root !== 0) this.dcache.genocide(this.at(sb).s_root);
          this.shutdown(sb);
        },
      ],
    };
  }
}
