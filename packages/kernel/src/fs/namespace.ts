// SPDX-License-Identifier: MIT
/**
 * Mounts: which file system lies on which folder of which other.
 *
 *     mount ─ mnt_parent, mnt_mountpoint ─ where it lies; the first one on itself
 *           ─ mnt.mnt_root               ─ what is seen there
 *
 * A path in the tree is a pair: a mount, and a dentry of its file system (`struct path`).
 *
 * @linux fs/namespace.c partial: one namespace, no propagation, no expiry
 */

import { EBUSY, EINVAL, ENODEV, ENOMEM, ENOTDIR } from '../lib/errno.js';
import { readCString, readS64, writeS64 } from '../lib/guest_access.js';
import { initListHead, ListHead, listAddTail, listDel, listDelInit, listEntries } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { CPointers, corrupt, followed, MAX_DEPTH } from './c_pointers.js';
import { DCACHE_MOUNTED, type Dcache } from './dcache.js';
import { S_IFDIR, S_IFMT } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { Path } from './fs_types.js';
import type { Inodes } from './inode.js';
import type { MountContexts } from './mount_context.js';
import { SB_KERNMOUNT, SB_RDONLY, SB_SILENT, type Supers } from './super.js';
import { Mount } from './vfs_types.js';

/** Flags of mount(2). */
export const MS_RDONLY = 1;
export const MS_NOSUID = 2;
export const MS_NODEV = 4;
export const MS_NOEXEC = 8;
export const MS_REMOUNT = 32;
export const MS_NOATIME = 1024;
export const MS_BIND = 4096;
export const MS_MOVE = 8192;
/** Flag of umount2(2): the mount goes at once, what is open goes on working. */
export const MNT_DETACH = 2;

/** mnt_flags. */
const MNT_NOSUID = 1;
const MNT_NODEV = 2;
const MNT_NOEXEC = 4;
const MNT_NOATIME = 8;
const MNT_RELATIME = 0x20;
const MNT_READONLY = 0x40;

/** Flags of mount(2) that are the file system's. */
const SB_FLAGS = SB_RDONLY | SB_SILENT | SB_KERNMOUNT;

const VFSMOUNT = Mount.w.mnt;

/** A place in the tree; who has one holds the mount and the dentry. */
export interface Place {
  readonly mnt: Handle;
  readonly dentry: Handle;
}

export class Mounts {
  private readonly cache: Handle;
  private readonly list: Handle;
  private readonly lastId: Handle;

  constructor(
    private readonly deps: FsDeps,
    data: StaticData,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly supers: Supers,
    private readonly contexts: MountContexts,
  ) {
    this.cache = data.declare('mnt_cache', 8);
    this.list = data.declare('init_mnt_ns', ListHead.size);
    this.lastId = data.declare('mnt_id_ida', 4);
  }

  boot(): void {
    const { ram, slub } = this.deps;
    ram.setPtr(this.cache, slub.kmemCacheCreate('mnt_cache', Mount.size, 64, 0, 0));
    initListHead(ram, this.list);
  }

  at(mnt: Handle) {
    return Mount.at(this.deps.ram, followed(this.deps, mnt, Mount.size));
  }

  /** The mount that a `struct vfsmount` is part of. */
  ofVfsmount(vfsmount: Handle): Handle {
    return vfsmount === 0 ? 0 : vfsmount - VFSMOUNT;
  }

  vfsmount(mnt: Handle): Handle {
    return mnt === 0 ? 0 : mnt + VFSMOUNT;
  }

  /** Mounts of the tree, oldest first. */
  all(): Handle[] {
    return [...listEntries(this.deps.ram, this.list)].map((link) => link - Mount.w.mnt_list);
  }

  /** The first mount: the root of the tree. */
  get root(): Handle {
    return this.all()[0];
  }

  // ---------------------------------------------------------------- holding

  get(place: Place): Place {
    this.at(place.mnt).mnt_count++;
    this.dcache.get(place.dentry);
    return place;
  }

  /** @linux fs/namei.c:path_put full */
  put({ mnt, dentry }: Place): void {
    this.dcache.put(dentry);
    this.putMount(mnt);
  }

  /** @linux fs/namespace.c:mntput full */
  putMount(mnt: Handle): void {
    const { deps } = this;
    if (mnt === 0) return;
    const m = this.at(mnt);
    if (--m.mnt_count > 0) return;
    const { mnt_root, mnt_sb } = m.mnt;
    deps.kfree(m.mnt_devname);
    deps.slub.kmemCacheFree(deps.ram.ptr(this.cache), deps.ram.addressOf(mnt));
    this.dcache.put(mnt_root);
    this.supers.deactivate(mnt_sb);
  }

  /** A `struct path` of C's, in any memory, as a place. */
  placeAt(path: Vaddr): Place {
    const [mnt, dentry] = [Path.o.mnt, Path.o.dentry].map((offset) => readS64(this.deps, path + offset));
    const { vfsmount, dentry: at, orNull } = new CPointers(this.deps);
    return { mnt: this.ofVfsmount(orNull(mnt, vfsmount)), dentry: orNull(dentry, at) };
  }

  /** Writes a place where C has a `struct path`. */
  writePath(path: Vaddr, { mnt, dentry }: Place): void {
    const { ram } = this.deps;
    writeS64(this.deps, path + Path.o.mnt, ram.addressOf(this.vfsmount(mnt)));
    writeS64(this.deps, path + Path.o.dentry, ram.addressOf(dentry));
  }

  // ---------------------------------------------------------------- walking

  /** The mount on top of those that lie on a place; 0 if none does. @linux fs/namespace.c:lookup_mnt full */
  lookup(mnt: Handle, dentry: Handle): Handle {
    const { ram } = this.deps;
    if (!(this.dcache.at(dentry).d_flags & DCACHE_MOUNTED)) return 0;
    for (const link of listEntries(ram, mnt + Mount.w.mnt_mounts)) {
      const child = link - Mount.w.mnt_child;
      if (this.at(child).mnt_mountpoint === dentry) return child;
    }
    return 0;
  }

  /** Goes from a held place to what is mounted on it. @linux fs/namei.c:follow_down full */
  down(place: Place): Place {
    let at = place;
    for (let child = this.lookup(at.mnt, at.dentry); child !== 0; child = this.lookup(at.mnt, at.dentry)) {
      const next = this.get({ mnt: child, dentry: this.at(child).mnt.mnt_root });
      this.put(at);
      at = next;
    }
    return at;
  }

  /** Whether a place is the root of its mount; then the place that the mount lies on, not held. */
  mountpoint({ mnt, dentry }: Place): Place | undefined {
    const { mnt_parent, mnt_mountpoint } = this.at(mnt);
    if (this.at(mnt).mnt.mnt_root !== dentry || mnt_parent === mnt) return undefined;
    return { mnt: mnt_parent, dentry: mnt_mountpoint };
  }

  /**
   * Full path of a place below `root`; a file that has no name any more has " (deleted)" behind it.
   * @linux fs/d_path.c:d_path partial: no seq_file escapes
   */
  pathOf(place: Place, root?: Place): string {
    const names: string[] = [];
    let { mnt, dentry } = place;
    const deleted = this.isDeleted(dentry);
    while (!root || mnt !== root.mnt || dentry !== root.dentry) {
      const d = this.dcache.at(dentry);
      const up = this.mountpoint({ mnt, dentry });
      if (up) ({ mnt, dentry } = up);
      else if (d.d_parent === dentry) break;
      else {
        if (names.unshift(this.dcache.nameOf(dentry)) > MAX_DEPTH)
          throw corrupt('a dentry lies below itself');
        dentry = d.d_parent;
      }
    }
    return `/${names.join('/')}${deleted ? ' (deleted)' : ''}`;
  }

  private isDeleted(dentry: Handle): boolean {
    return this.dcache.at(dentry).d_parent !== dentry && !this.dcache.isHashed(dentry);
  }

  // ---------------------------------------------------------------- mounting

  /** Makes a mount of a file system's root or folder; takes `root` and one count of its super block. */
  private create(root: Handle, device: string, flags: number): Handle {
    const { deps } = this;
    const address = deps.slub.kmemCacheAlloc(deps.ram.ptr(this.cache), GFP_KERNEL);
    const name = address === 0 ? 0 : this.string(device);
    if (name === 0) {
      if (address !== 0) deps.slub.kmemCacheFree(deps.ram.ptr(this.cache), address);
      const sb = this.dcache.at(root).d_sb;
      this.dcache.put(root);
      this.supers.deactivate(sb);
      return 0;
    }
    const mnt = deps.ram.handleOf(address);
    deps.ram.fill(mnt * 4, Mount.size, 0);
    const m = this.at(mnt);
    m.mnt_count = 1;
    m.mnt_parent = mnt;
    m.mnt_mountpoint = root;
    m.mnt_devname = name;
    m.mnt_id = ++deps.ram.i32[this.lastId];
    m.mnt.mnt_root = root;
    m.mnt.mnt_sb = this.dcache.at(root).d_sb;
    m.mnt.mnt_flags = mountFlags(flags);
    for (const list of ['mnt_mounts', 'mnt_child'] as const) initListHead(deps.ram, mnt + Mount.w[list]);
    listAddTail(deps.ram, mnt + Mount.w.mnt_list, this.list);
    return mnt;
  }

  private string(text: string): Vaddr {
    const bytes = encodeUtf8(text);
    const at = this.deps.kmalloc(bytes.length + 1);
    if (at !== 0) this.deps.guest.write(at, Uint8Array.of(...bytes, 0));
    return at;
  }

  /**
   * Makes a file system and a mount of it.
   * @param data options of the file system: `mode=755`
   * @returns a mount, or a negative errno
   * @linux fs/namespace.c:vfs_kern_mount full
   */
  kernMount(type: string, flags: number, device: string, data = ''): number {
    const at = this.supers.find(type);
    if (at === 0) return -ENODEV;
    const strings = [device, data].map((text) => this.string(text));
    const free = () => {
      for (const s of strings) if (s !== 0) this.deps.kfree(s);
    };
    if (strings.includes(0)) {
      free();
      return -ENOMEM;
    }
    const root = this.contexts.mount(at, flags & SB_FLAGS, strings[0], strings[1]);
    free();
    if (root < 0) return root;
    return this.create(root, device, flags) || -ENOMEM;
  }

  /** Makes a mount that is in no tree, for the kernel itself. @linux fs/namespace.c:kern_mount full */
  internal(type: string, flags = 0, device = type, data = ''): number {
    const mnt = this.kernMount(type, flags | SB_KERNMOUNT, device, data);
    if (mnt > 0) listDelInit(this.deps.ram, mnt + Mount.w.mnt_list);
    return mnt;
  }

  /** Whether a mount is in the tree that paths go through. */
  isInTree(mnt: Handle): boolean {
    return mnt === this.root || this.at(mnt).mnt_parent !== mnt;
  }

  /** Hangs a mount on a place, which it holds from now on. */
  private attach(mnt: Handle, place: Place): void {
    const m = this.at(mnt);
    m.mnt_parent = place.mnt;
    m.mnt_mountpoint = place.dentry;
    this.dcache.at(place.dentry).d_flags |= DCACHE_MOUNTED;
    listAddTail(this.deps.ram, mnt + Mount.w.mnt_child, place.mnt + Mount.w.mnt_mounts);
  }

  private isFolder(dentry: Handle): boolean {
    return (this.inodes.at(this.dcache.at(dentry).d_inode).i_mode & S_IFMT) === S_IFDIR;
  }

  /**
   * Mounts a file system on a place.
   * @param place held; taken, also when it fails
   * @linux fs/namespace.c:do_new_mount full
   */
  mountAt(place: Place, type: string, flags: number, device: string, data = ''): number {
    const isFolder = this.isFolder(place.dentry);
    const mnt = isFolder ? this.kernMount(type, flags, device, data) : -ENOTDIR;
    if (mnt < 0) {
      this.put(place);
      return mnt;
    }
    this.attach(mnt, place);
    return 0;
  }

  /** Lets a folder or file be seen at a second place. @linux fs/namespace.c:do_loopback partial: not recursive */
  bind(from: Place, to: Place): number {
    const device = decodeUtf8(readCString(this.deps, this.at(from.mnt).mnt_devname, 4096));
    if (this.isFolder(from.dentry) !== this.isFolder(to.dentry)) {
      this.put(to);
      return -ENOTDIR;
    }
    this.supers.at(this.dcache.at(from.dentry).d_sb).s_active++;
    const mnt = this.create(this.dcache.get(from.dentry), device, 0);
    if (mnt === 0) {
      this.put(to);
      return -ENOMEM;
    }
    this.at(mnt).mnt.mnt_flags = this.at(from.mnt).mnt.mnt_flags;
    this.attach(mnt, to);
    return 0;
  }

  /**
   * Changes the flags of a mount, and of its file system unless MS_BIND is among them.
   * @returns -EBUSY if somebody writes to what would be read-only
   * @linux fs/namespace.c:do_remount partial: the file system is not asked
   */
  remount(place: Place, flags: number): number {
    const { mnt_root, mnt_sb } = this.at(place.mnt).mnt;
    if (mnt_root !== place.dentry) return -EINVAL;
    const whole = !(flags & MS_BIND);
    const concerned = whole ? this.mountsOf(mnt_sb) : [place.mnt];
    if (flags & MS_RDONLY && concerned.some((mnt) => this.at(mnt).mnt_writers > 0)) return -EBUSY;
    if (whole) {
      const sb = this.supers.at(mnt_sb);
      sb.s_flags = flags & MS_RDONLY ? sb.s_flags | SB_RDONLY : sb.s_flags & ~SB_RDONLY;
    }
    this.at(place.mnt).mnt.mnt_flags = mountFlags(flags);
    return 0;
  }

  /** Mounts of a file system. */
  private mountsOf(sb: Handle): Handle[] {
    return this.all().filter((mnt) => this.at(mnt).mnt.mnt_sb === sb);
  }

  /**
   * Takes a mount off the tree.
   * @param place its root, held once by the caller
   * @linux fs/namespace.c:do_umount full
   */
  umount(place: Place, flags: number): number {
    const { ram } = this.deps;
    const { mnt } = place;
    const m = this.at(mnt);
    if (m.mnt.mnt_root !== place.dentry) return -EINVAL;
    if (m.mnt_parent === mnt) return -EBUSY;
    const children = [...listEntries(ram, mnt + Mount.w.mnt_mounts)].map((link) => link - Mount.w.mnt_child);
    const lazy = (flags & MNT_DETACH) !== 0;
    if (!lazy && (children.length > 0 || m.mnt_count > 2)) return -EBUSY;
    for (const child of children) this.umount({ mnt: child, dentry: this.at(child).mnt.mnt_root }, flags);
    this.detach(mnt);
    return 0;
  }

  private detach(mnt: Handle): void {
    const { ram } = this.deps;
    const m = this.at(mnt);
    const on: Place = { mnt: m.mnt_parent, dentry: m.mnt_mountpoint };
    listDel(ram, mnt + Mount.w.mnt_child);
    listDel(ram, mnt + Mount.w.mnt_list);
    m.mnt_parent = mnt;
    m.mnt_mountpoint = m.mnt.mnt_root;
    initListHead(ram, mnt + Mount.w.mnt_list);
    if (!this.all().some((other) => this.at(other).mnt_mountpoint === on.dentry && other !== mnt))
      this.dcache.at(on.dentry).d_flags &= ~DCACHE_MOUNTED;
    this.put(on);
    this.putMount(mnt);
  }

  // ---------------------------------------------------------------- what mounts allow

  /** Whether nothing may be changed below a mount. @linux fs/namespace.c:mnt_want_write full */
  isReadOnly(mnt: Handle): boolean {
    const { mnt_flags, mnt_sb } = this.at(mnt).mnt;
    return (mnt_flags & MNT_READONLY) !== 0 || (this.supers.at(mnt_sb).s_flags & SB_RDONLY) !== 0;
  }

  allowsDevices(mnt: Handle): boolean {
    return !(this.at(mnt).mnt.mnt_flags & MNT_NODEV);
  }

  /** Text of /proc/mounts. @linux fs/proc_namespace.c:show_vfsmnt full */
  text(): string {
    const root = this.root;
    const base = { mnt: root, dentry: this.at(root).mnt.mnt_root };
    const line = (mnt: Handle) => {
      const m = this.at(mnt);
      const { s_type } = this.supers.at(m.mnt.mnt_sb);
      const path = this.pathOf({ mnt, dentry: m.mnt.mnt_root }, base);
      const device = decodeUtf8(readCString(this.deps, m.mnt_devname, 4096)) || 'none';
      const options = optionsText(m.mnt.mnt_flags, this.isReadOnly(mnt));
      return `${escapeName(device)} ${escapeName(path)} ${this.supers.typeName(s_type)} ${options} 0 0\n`;
    };
    return this.all().map(line).join('');
  }
}

/** Spaces, tabs, newlines and backslashes of a name, as /proc/mounts shows them. */
const escapeName = (text: string): string =>
  text.replace(/[ \t\n\\]/g, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`);

function mountFlags(flags: number): number {
  let out = flags & MS_NOATIME ? MNT_NOATIME : MNT_RELATIME;
  if (flags & MS_RDONLY) out |= MNT_READONLY;
  if (flags & MS_NOSUID) out |= MNT_NOSUID;
  if (flags & MS_NODEV) out |= MNT_NODEV;
  if (flags & MS_NOEXEC) out |= MNT_NOEXEC;
  return out;
}

const OPTIONS: readonly (readonly [number, string])[] = [
  [MNT_NOSUID, 'nosuid'],
  [MNT_NODEV, 'nodev'],
  [MNT_NOEXEC, 'noexec'],
  [MNT_NOATIME, 'noatime'],
  [MNT_RELATIME, 'relatime'],
];

function optionsText(flags: number, readOnly: boolean): string {
  const set = OPTIONS.filter(([bit]) => flags & bit).map(([, name]) => name);
  return [readOnly ? 'ro' : 'rw', ...set].join(',');
}
