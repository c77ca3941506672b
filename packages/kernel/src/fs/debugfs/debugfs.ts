// SPDX-License-Identifier: MIT
/** debugfs: files below /sys/kernel/debug by which a module shows its variables, or whatever it likes. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EACCES, EEXIST, EINVAL, ENOMEM } from '../../lib/errno.js';
import { readCString, readS64, readUnsigned, writeBigInt, writeS64 } from '../../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Dcache } from '../dcache.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../file_modes.js';
import type { FileTable } from '../file_table.js';
import type { FsDeps } from '../fs_context.js';
import { Dentry } from '../fs_types.js';
import { type Kernfs, NODE_DEBUGFS, NODE_STATIC, type NodeShape } from '../kernfs/kernfs.js';
import type { KernfsMounts } from '../kernfs/mount.js';
import { parseNumber } from '../libfs.js';
import { copyIn, copyOut } from '../sysfs/file.js';

type Bytes = 1 | 2 | 4 | 8;
/** Kinds of variables: bytes, and hexadecimal digits or 0 for decimal; a node keeps its kind's number. */
const NUMBERS: readonly {
  readonly name: string;
  readonly bytes: Bytes;
  readonly hex: number;
  readonly signed?: boolean;
}[] = [
  { name: 'u8', bytes: 1, hex: 0 },
  { name: 'u16', bytes: 2, hex: 0 },
  { name: 'u32', bytes: 4, hex: 0 },
  { name: 'u64', bytes: 8, hex: 0 },
  { name: 'ulong', bytes: 8, hex: 0 },
  { name: 'x8', bytes: 1, hex: 2 },
  { name: 'x16', bytes: 2, hex: 4 },
  { name: 'x32', bytes: 4, hex: 8 },
  { name: 'x64', bytes: 8, hex: 16 },
  { name: 'size_t', bytes: 8, hex: 0 },
  { name: 'atomic_t', bytes: 4, hex: 0, signed: true },
];
const BOOL = 100;
const STR = 101;
const BLOB = 102;
const U32_ARRAY = 103;
const TEXT_MAX = 4096;
const isError = (pointer: Vaddr) => pointer < 0 && pointer >= -4095;

export class Debugfs {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly files: FileTable,
    private readonly kernfs: KernfsMounts,
    private readonly dcache: Dcache,
  ) {}

  private string(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, 255));
  }

  /** The node of a dentry; the root of debugfs for NULL. */
  private nodeOf(dentry: Vaddr): Handle {
    const { ram } = this.deps;
    if (dentry === 0) return this.tree.folder('sys/kernel/debug');
    return this.files.kernelNode(Dentry.at(ram, ram.handleOf(dentry)).d_inode);
  }

  /** Makes a node and its dentry, which stays as long as the node. */
  private create(nameAt: Vaddr, parent: Vaddr, shape: NodeShape): Vaddr {
    if (isError(parent)) return parent;
    const folder = this.nodeOf(parent);
    const name = this.string(nameAt);
    if (this.tree.find(folder, name) !== 0) {
      const where = parent === 0 ? '/' : this.tree.nameOf(folder);
      const isFolder = (shape.mode & S_IFDIR) !== 0;
      const what = isFolder ? `Directory '${name}' with parent` : `File '${name}' in directory`;
      this.deps.env.log.log(3, `debugfs: ${what} '${where}' already present!`);
      return -EEXIST;
    }
    const node = this.tree.create(folder, name, { ...shape, flags: NODE_DEBUGFS });
    if (node === 0) return -ENOMEM;
    const dentry = this.kernfs.dentryOf(this.tree.at(folder).dentry, node);
    if (dentry === 0) {
      this.tree.remove(node);
      return -ENOMEM;
    }
    this.tree.at(node).dentry = dentry;
    return this.deps.ram.addressOf(dentry);
  }

  private file(name: Vaddr, mode: number, parent: Vaddr, priv: Vaddr, fops: Vaddr, size = 0): Vaddr {
    const dentry = this.create(name, parent, { mode: S_IFREG | (mode & 0o7777), priv, fops });
    if (size > 0 && !isError(dentry)) this.tree.at(this.nodeOf(dentry)).size = size;
    return dentry;
  }

  private value(name: Vaddr, mode: number, parent: Vaddr, priv: Vaddr, kind: number): Vaddr {
    const fops = this.deps.symbol('debugfs_attr_fops');
    return this.create(name, parent, { mode: S_IFREG | (mode & 0o777), priv, fops, attr: kind });
  }

  /** @linux fs/debugfs/inode.c:debugfs_remove full */
  remove(dentry: Vaddr): void {
    if (dentry !== 0 && !isError(dentry)) this.removeNode(this.nodeOf(dentry));
  }

  private removeNode(node: Handle): void {
    if (this.tree.at(node).flags & NODE_STATIC) return;
    for (const child of this.tree.children(node)) this.removeNode(child);
    const { dentry } = this.tree.at(node);
    this.tree.remove(node);
    this.dcache.drop(dentry);
    this.dcache.put(dentry);
  }

  // ---------------------------------------------------------------- values

  private fileNode(file: Vaddr) {
    return this.tree.at(this.files.nodeOf(this.deps.ram.handleOf(file)));
  }

  private bigAt(at: Vaddr, bytes: Bytes): bigint {
    return this.deps.guest.read(at, bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  private text(kind: number, at: Vaddr): Uint8Array {
    const { deps } = this;
    if (kind === BOOL) return encodeUtf8(readUnsigned(deps, at, 1) ? 'Y\n' : 'N\n');
    if (kind === STR) return encodeUtf8(`${decodeUtf8(readCString(deps, readS64(deps, at), TEXT_MAX))}\n`);
    if (kind === BLOB) return deps.guest.read(readS64(deps, at), Math.min(readS64(deps, at + 8), 2 ** 22));
    if (kind === U32_ARRAY) {
      const n = Math.min(readUnsigned(deps, at + 8, 4), 2 ** 16);
      const numbers = Array.from({ length: n }, (_, i) => readUnsigned(deps, readS64(deps, at) + 4 * i, 4));
      return encodeUtf8(`${numbers.join(' ')}\n`);
    }
    const { bytes, hex, signed } = NUMBERS[kind - 1];
    const value = this.bigAt(at, bytes);
    if (hex > 0) return encodeUtf8(`0x${value.toString(16).padStart(hex, '0')}\n`);
    return encodeUtf8(`${signed ? BigInt.asIntN(8 * bytes, value) : value}\n`);
  }

  private read(file: Vaddr, to: Vaddr, count: number, ppos: Vaddr): number {
    const { deps } = this;
    const { mode, attr, priv } = this.fileNode(file);
    if (!(mode & 0o444)) return -EACCES;
    const text = this.text(attr, priv);
    const buffer = deps.kmalloc(Math.max(1, text.length));
    if (buffer === 0) return -ENOMEM;
    deps.guest.write(buffer, text);
    const n = copyOut(deps, buffer, text.length, to, count, ppos);
    deps.kfree(buffer);
    return n;
  }

  private write(file: Vaddr, from: Vaddr, count: number, ppos: Vaddr): number {
    const { deps } = this;
    const { mode, attr, priv } = this.fileNode(file);
    if (!(mode & 0o222)) return -EACCES;
    const copy = copyIn(deps, from, Math.min(count, 63));
    if (isError(copy)) return copy;
    const text = decodeUtf8(readCString(deps, copy, 63)).trim();
    deps.kfree(copy);
    if (attr === BOOL) {
      const match = /^(?:([yYtT1]|on)|([nNfF0]|of))/i.exec(text);
      if (!match) return -EINVAL;
      writeBigInt(deps, priv, match[1] === undefined ? 0n : 1n, 1);
    } else if (attr > BOOL) return -EINVAL;
    else {
      const value = parseNumber(text);
      if (typeof value === 'number') return value;
      writeBigInt(deps, priv, value, NUMBERS[attr - 1].bytes);
    }
    writeS64(deps, ppos, readS64(deps, ppos) + count);
    return count;
  }

  exports(): KernelExports {
    const make = (kind: number) =>
      [
        'v:pupp',
        (name: Vaddr, mode: number, parent: Vaddr, at: Vaddr): void => {
          this.value(name, mode, parent, at, kind);
        },
      ] as const;
    const create = [
      'p:puppp',
      (name: Vaddr, mode: number, parent: Vaddr, data: Vaddr, fops: Vaddr) =>
        this.file(name, mode, parent, data, fops),
    ] as const;
    return {
      ...Object.fromEntries(NUMBERS.map(({ name }, i) => [`debugfs_create_${name}`, make(i + 1)])),
      debugfs_create_bool: make(BOOL),
      debugfs_create_str: make(STR),
      debugfs_create_u32_array: make(U32_ARRAY),
      debugfs_create_blob: [
        'p:pupp',
        (name: Vaddr, mode: number, parent: Vaddr, at: Vaddr) =>
          this.value(name, mode & 0o444, parent, at, BLOB),
      ],
      debugfs_create_file: create,
      debugfs_create_file_unsafe: create,
      debugfs_create_file_size: [
        'v:pupppl',
        (name: Vaddr, mode: number, parent: Vaddr, data: Vaddr, fops: Vaddr, size: number): void => {
          this.file(name, mode, parent, data, fops, size);
        },
      ],
      debugfs_create_dir: [
        'p:pp',
        (name: Vaddr, parent: Vaddr) => this.create(name, parent, { mode: S_IFDIR | 0o755 }),
      ],
      debugfs_create_symlink: [
        'p:ppp',
        (name: Vaddr, parent: Vaddr, target: Vaddr) =>
          this.create(name, parent, { mode: S_IFLNK | 0o777, target: this.string(target) }),
      ],
      debugfs_remove: ['v:p', (dentry: Vaddr) => this.remove(dentry)],
      debugfs_lookup: ['p:pp', (name: Vaddr, parent: Vaddr) => this.lookupAndHold(name, parent)],
      debugfs_lookup_and_remove: [
        'v:pp',
        (name: Vaddr, parent: Vaddr) => this.remove(this.lookup(name, parent)),
      ],
      debugfs_initialized: ['b:', () => true],
      debugfs_attr_read: [
        'l:ppzp',
        (file: Vaddr, to: Vaddr, n: number, ppos: Vaddr) => this.read(file, to, n, ppos),
      ],
      debugfs_attr_write: [
        'l:ppzp',
        (file: Vaddr, from: Vaddr, n: number, ppos: Vaddr) => this.write(file, from, n, ppos),
      ],
    };
  }

  /** The dentry of a name, which the caller gives back. @linux fs/debugfs/inode.c:debugfs_lookup full */
  private lookupAndHold(name: Vaddr, parent: Vaddr): Vaddr {
    const dentry = this.lookup(name, parent);
    const { ram } = this.deps;
    if (dentry !== 0) Dentry.at(ram, ram.handleOf(dentry)).d_count++;
    return dentry;
  }

  /** The same, not held. */
  private lookup(name: Vaddr, parent: Vaddr): Vaddr {
    if (isError(parent)) return 0;
    const node = this.tree.find(this.nodeOf(parent), this.string(name));
    return node === 0 ? 0 : this.deps.ram.addressOf(this.tree.at(node).dentry);
  }
}
