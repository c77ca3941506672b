// SPDX-License-Identifier: MIT
/**
 * The tree of files that the kernel and its modules make: one for /dev, /proc and /sys.
 *
 * A node lies in RAM. What a file does is said by the table of functions it points to: `fops` is a
 * `struct file_operations`, for a file of /proc a `struct proc_ops`, and for a device node nothing: its number leads
 * to the driver.
 */

import { initListHead, ListHead, listAddTail, listDel, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { addr, int, ptr, s64, struct, u16, u32, uint, ulong, vaddr } from '../../lib/struct.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { step } from '../../lib/walk.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { S_IFDIR, S_IFMT } from '../file_modes.js';

/** Node flags. `NODE_PROC`: fops is a proc_ops. `NODE_REMOVED`: off the tree, kept for who has it open. */
export const NODE_PROC = 1;
export const NODE_REMOVED = 2;
/** Made at boot, in the kernel's static data: never freed. */
export const NODE_STATIC = 4;
/** A debugfs file: what is removed answers -EIO, and its inode carries a reference to the module. */
export const NODE_DEBUGFS = 8;
/** A sysfs file: permission bits count for root too, what is removed answers -ENODEV. */
export const NODE_SYSFS = 16;
/** A kernel-made text, or a folder of texts: on no list of its folder, and gone when nobody has it any more. */
export const NODE_TEXT = 32;

export const KernfsNode = struct('kernfs_node', {
  /** One for being in the tree, one for each inode made from it. */
  count: int,
  flags: uint,
  parent: ptr('struct kernfs_node'),
  name: addr('char'),
  sibling: ListHead,
  children: ListHead,
  mode: u16,
  uid: u32,
  gid: u32,
  rdev: u32,
  ino: ulong,
  size: s64,
  fops: vaddr,
  /** inode->i_private; for sysfs the kobject. */
  priv: vaddr,
  /** sysfs: the attribute; proc: seq_operations or show function of a file that the kernel opens. */
  attr: vaddr,
  /** proc: bytes of private data of a seq_file. */
  state_size: uint,
  /** The text of a link. */
  target: addr('char'),
  /** While somebody uses it. */
  inode: ptr('struct inode'),
  /** debugfs: the dentry that stays as long as the node; else that of the root of a file system. */
  dentry: ptr('struct dentry'),
});

export interface KernfsMemory {
  readonly ram: Ram;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** Folders that exist from power-on, parents first. */
const BOOT_FOLDERS = [
  '',
  'dev',
  'proc',
  'sys',
  'sys/block',
  'sys/bus',
  'sys/class',
  'sys/class/misc',
  'sys/dev',
  'sys/dev/char',
  'sys/devices',
  'sys/devices/virtual',
  'sys/devices/virtual/misc',
  'sys/firmware',
  'sys/fs',
  'sys/hypervisor',
  'sys/kernel',
  'sys/kernel/debug',
  'sys/kernel/mm',
  'sys/kernel/slab',
  'sys/kernel/tracing',
  'sys/module',
  'sys/power',
] as const;
const NAME_BYTES = 16;
const GFP_KERNEL = 0xcc0;
const MAX_NAME = 255;

/** What a node is made with. */
export interface NodeShape {
  readonly mode: number;
  readonly flags?: number;
  readonly fops?: Vaddr;
  readonly priv?: Vaddr;
  readonly attr?: Vaddr;
  readonly rdev?: number;
  readonly stateSize?: number;
  readonly target?: string;
  /** Number of the file; else the next one. */
  readonly ino?: number;
}

export class Kernfs {
  private readonly bootNodes: Handle;
  private readonly bootNames: Handle;
  private readonly lastIno: Handle;

  constructor(
    private readonly memory: KernfsMemory,
    data: StaticData,
  ) {
    this.bootNodes = data.declare('kernfs_boot_nodes', BOOT_FOLDERS.length * KernfsNode.size);
    this.bootNames = data.declare('kernfs_boot_names', BOOT_FOLDERS.length * NAME_BYTES);
    this.lastIno = data.declare('kernfs_last_ino', 8);
  }

  boot(): void {
    const { ram } = this.memory;
    BOOT_FOLDERS.forEach((path, i) => {
      const node = this.bootNode(i);
      const name = this.bootNames + (i * NAME_BYTES) / 4;
      ram.u8.set(encodeUtf8(path.split('/').pop()!), name * 4);
      const parent = path === '' ? 0 : this.folder(path.split('/').slice(0, -1).join('/'));
      const flags = path.startsWith('sys') ? NODE_STATIC | NODE_SYSFS : NODE_STATIC;
      this.fill(node, { mode: S_IFDIR | (path === 'sys/kernel/debug' ? 0o700 : 0o755), flags });
      this.at(node).name = ram.addressOf(name);
      if (parent !== 0) this.enlist(node, parent);
    });
  }

  private bootNode(i: number): Handle {
    return this.bootNodes + (i * KernfsNode.size) / 4;
  }

  /** A folder that exists from power-on, by its path without the first slash. */
  folder(path: (typeof BOOT_FOLDERS)[number] | string): Handle {
    return this.bootNode((BOOT_FOLDERS as readonly string[]).indexOf(path));
  }

  at(node: Handle) {
    return KernfsNode.at(this.memory.ram, node);
  }

  private fill(node: Handle, shape: NodeShape): void {
    const { ram } = this.memory;
    ram.fill(node * 4, KernfsNode.size, 0);
    const n = this.at(node);
    n.count = 1;
    n.flags = shape.flags ?? 0;
    n.mode = shape.mode;
    n.fops = shape.fops ?? 0;
    n.priv = shape.priv ?? 0;
    n.attr = shape.attr ?? 0;
    n.rdev = shape.rdev ?? 0;
    n.state_size = shape.stateSize ?? 0;
    n.ino = shape.ino ?? ram.u64(this.lastIno) + 1;
    if (shape.ino === undefined) ram.set64(this.lastIno, n.ino);
    initListHead(ram, node + KernfsNode.w.sibling);
    initListHead(ram, node + KernfsNode.w.children);
  }

  private enlist(node: Handle, parent: Handle): void {
    this.at(node).parent = parent;
    listAddTail(this.memory.ram, node + KernfsNode.w.sibling, parent + KernfsNode.w.children);
  }

  /** A NUL-terminated string in slab memory; 0 if there is none. */
  private string(text: string): Vaddr {
    const { memory } = this;
    const bytes = encodeUtf8(text);
    const at = memory.kmalloc(bytes.length + 1, GFP_KERNEL);
    if (at === 0) return 0;
    const p = memory.ram.handleOf(at) * 4;
    memory.ram.u8.set(bytes, p);
    memory.ram.u8[p + bytes.length] = 0;
    return at;
  }

  private textAt(address: Vaddr): string {
    if (address === 0) return '';
    const { ram } = this.memory;
    const p = ram.handleOf(address) * 4;
    return decodeUtf8(ram.u8.subarray(p, ram.u8.indexOf(0, p)));
  }

  /**
   * Makes a node, in a folder or on its own (`parent` 0).
   * @returns 0 if there is no memory
   * @linux fs/kernfs/dir.c:kernfs_add_one partial: names are not hashed
   */
  create(parent: Handle, name: string, shape: NodeShape): Handle {
    const { memory } = this;
    const address = memory.kmalloc(KernfsNode.size, GFP_KERNEL);
    const nameAt = address === 0 ? 0 : this.string(name.slice(0, MAX_NAME));
    const target = shape.target === undefined || nameAt === 0 ? 0 : this.string(shape.target);
    if (nameAt === 0 || (shape.target !== undefined && target === 0)) {
      for (const got of [address, nameAt]) if (got !== 0) memory.kfree(got);
      return 0;
    }
    const node = memory.ram.handleOf(address);
    this.fill(node, shape);
    const n = this.at(node);
    n.name = nameAt;
    n.target = target;
    if (parent !== 0) this.enlist(node, parent);
    return node;
  }

  /** A node of a text, which its folder does not list; 0 if there is no memory. */
  createText(parent: Handle, name: string, shape: NodeShape): Handle {
    const flags = NODE_TEXT | (this.at(parent).flags & NODE_SYSFS);
    const node = this.create(0, name, { ...shape, flags });
    if (node === 0) return 0;
    this.at(node).parent = parent;
    this.get(parent);
    return node;
  }

  /** Takes a node and all below it off the tree. @linux fs/kernfs/dir.c:kernfs_remove full */
  remove(node: Handle): void {
    const n = this.at(node);
    if (n.flags & (NODE_REMOVED | NODE_STATIC)) return;
    for (const child of this.children(node)) this.remove(child);
    n.flags |= NODE_REMOVED;
    listDel(this.memory.ram, node + KernfsNode.w.sibling);
    n.parent = 0;
    this.put(node);
  }

  /** Moves a node to another folder or name; false if there is no memory. */
  rename(node: Handle, parent: Handle, name: string): boolean {
    const { ram } = this.memory;
    const nameAt = this.string(name);
    if (nameAt === 0) return false;
    const n = this.at(node);
    this.memory.kfree(n.name);
    n.name = nameAt;
    listDel(ram, node + KernfsNode.w.sibling);
    this.enlist(node, parent);
    return true;
  }

  get(node: Handle): void {
    this.at(node).count++;
  }

  put(node: Handle): void {
    const n = this.at(node);
    if (--n.count > 0 || n.flags & NODE_STATIC) return;
    if (n.flags & NODE_TEXT) this.put(n.parent);
    this.memory.kfree(n.name);
    if (n.target !== 0) this.memory.kfree(n.target);
    this.memory.kfree(this.memory.ram.addressOf(node));
  }

  nameOf(node: Handle): string {
    return this.textAt(this.at(node).name);
  }

  targetOf(node: Handle): string {
    return this.textAt(this.at(node).target);
  }

  /** Nodes in a folder, oldest first. */
  children(node: Handle): Handle[] {
    const { ram } = this.memory;
    return [...listEntries(ram, node + KernfsNode.w.children)].map((n) => n - KernfsNode.w.sibling);
  }

  /** The node of a name in a folder; 0 if there is none. */
  find(parent: Handle, name: string): Handle {
    const bytes = encodeUtf8(name);
    return this.children(parent).find((node) => this.isNamed(node, bytes)) ?? 0;
  }

  private isNamed(node: Handle, name: Uint8Array): boolean {
    const { ram } = this.memory;
    const address = this.at(node).name;
    if (address === 0) return name.length === 0;
    const p = ram.handleOf(address) * 4;
    for (let i = 0; i < name.length; i++) if (ram.u8[p + i] !== name[i]) return false;
    return ram.u8[p + name.length] === 0;
  }

  isFolder(node: Handle): boolean {
    return (this.at(node).mode & S_IFMT) === S_IFDIR;
  }

  /** Full path of a node: `/dev/x`. */
  pathOf(node: Handle): string {
    const parts: string[] = [];
    for (let at = node; at !== 0; at = this.at(at).parent) {
      step(this.memory.ram);
      const name = this.nameOf(at);
      if (name !== '') parts.unshift(name);
    }
    return `/${parts.join('/')}`;
  }
}
