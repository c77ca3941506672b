// SPDX-License-Identifier: MIT
/**
 * devtmpfs: the file system of /dev, in which the kernel makes and removes the nodes of devices. It is a ramfs, so
 * users may make files of their own in it.
 *
 * @linux drivers/base/devtmpfs.c partial: no thread of its own
 */

import type { Dcache } from '../../fs/dcache.js';
import { S_IFDIR, S_IFLNK, S_IFMT } from '../../fs/file_modes.js';
import type { FsDeps } from '../../fs/fs_context.js';
import type { Inodes } from '../../fs/inode.js';
import type { Ramfs } from '../../fs/ramfs/inode.js';
import type { SimpleFs } from '../../fs/simple_fs.js';
import { ENOENT, ENOMEM } from '../../lib/errno.js';
import type { StaticData } from '../../lib/static_data.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';

export interface DevtmpfsServices {
  readonly dcache: Dcache;
  readonly inodes: Inodes;
  readonly ramfs: Ramfs;
  readonly simple: SimpleFs;
}

export class Devtmpfs {
  private readonly rootAt: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly k: DevtmpfsServices,
    data: StaticData,
  ) {
    this.rootAt = data.declare('devtmpfs_root', 8);
  }

  /** Says which dentry is the file system's root. */
  boot(root: Handle): void {
    this.deps.ram.setPtr(this.rootAt, root);
  }

  /** The dentry of a name in a folder, held; 0 if there is none. */
  private find(folder: Handle, name: string): Handle {
    const { dcache } = this.k;
    const dentry = dcache.lookup(folder, encodeUtf8(name));
    if (dentry === 0 || dcache.at(dentry).d_inode !== 0) return dentry;
    dcache.put(dentry);
    return 0;
  }

  private isFolder(dentry: Handle): boolean {
    return (this.k.inodes.at(this.k.dcache.at(dentry).d_inode).i_mode & S_IFMT) === S_IFDIR;
  }

  /** Makes a file in a folder; its dentry, held, or 0 if there is no memory. */
  private make(folder: Handle, name: string, mode: number, rdev: number): Handle {
    const { dcache, ramfs, inodes } = this.k;
    const dentry = dcache.alloc(folder, encodeUtf8(name));
    if (dentry === 0) return 0;
    const dir = dcache.at(folder).d_inode;
    if (ramfs.mknod(dir, dentry, mode, rdev) === 0) {
      if ((mode & S_IFMT) === S_IFDIR) inodes.at(dir).i_nlink++;
      return dentry;
    }
    dcache.put(dentry);
    return 0;
  }

  /** The folder in which a path's last name lies, held, made if asked; 0 if there is none. */
  private folder(path: string, make: boolean): Handle {
    const { dcache } = this.k;
    let at = dcache.get(this.deps.ram.ptr(this.rootAt));
    for (const name of path.split('/').slice(0, -1)) {
      const next = this.find(at, name) || (make ? this.make(at, name, S_IFDIR | 0o755, 0) : 0);
      dcache.put(at);
      if (next === 0) return 0;
      at = next;
    }
    return at;
  }

  private last(path: string): string {
    return path.slice(path.lastIndexOf('/') + 1);
  }

  /**
   * Makes the node of a device.
   * @param mode with its type
   * @param owner address that removes it again
   * @returns 0 or -ENOMEM; a name that is there stays as it is
   * @linux drivers/base/devtmpfs.c:handle_create full
   */
  createNode(path: string, mode: number, rdev: number, owner: Vaddr): number {
    const { dcache, inodes } = this.k;
    const folder = this.folder(path, true);
    if (folder === 0) return -ENOMEM;
    const there = this.find(folder, this.last(path));
    const node = there || this.make(folder, this.last(path), mode, rdev);
    if (there === 0 && node !== 0) inodes.at(dcache.at(node).d_inode).i_private = owner;
    dcache.put(node);
    dcache.put(folder);
    return node === 0 ? -ENOMEM : 0;
  }

  /** Makes a link, as init does for /dev/fd and its kin. */
  createLink(path: string, target: string): void {
    const { dcache, inodes } = this.k;
    const { deps } = this;
    const folder = this.folder(path, true);
    const node = folder === 0 ? 0 : this.make(folder, this.last(path), S_IFLNK | 0o777, 0);
    if (node !== 0) {
      const bytes = encodeUtf8(target);
      const text = deps.kmalloc(bytes.length + 1);
      if (text !== 0) deps.guest.write(text, Uint8Array.of(...bytes, 0));
      const i = inodes.at(dcache.at(node).d_inode);
      i.i_link = text;
      i.i_size = bytes.length;
      dcache.put(node);
    }
    dcache.put(folder);
  }

  /**
   * Removes the node that was made for an owner, and folders that it leaves empty.
   * @linux drivers/base/devtmpfs.c:handle_remove full
   */
  deleteNode(path: string, owner: Vaddr): number {
    const { dcache, inodes, simple } = this.k;
    const folder = this.folder(path, false);
    if (folder === 0) return -ENOENT;
    const node = this.find(folder, this.last(path));
    const ours = node !== 0 && inodes.at(dcache.at(node).d_inode).i_private === owner;
    if (ours) {
      simple.unlink(dcache.at(folder).d_inode, node);
      dcache.drop(node);
    }
    dcache.put(node);
    const isRoot = dcache.at(folder).d_parent === folder;
    const empty = !isRoot && dcache.isEmpty(folder) && this.isFolder(folder);
    dcache.put(folder);
    if (empty && ours) this.removeFolder(path.slice(0, path.lastIndexOf('/')));
    return ours ? 0 : -ENOENT;
  }

  private removeFolder(path: string): void {
    const { dcache, simple } = this.k;
    const parent = this.folder(path, false);
    if (parent === 0) return;
    const folder = this.find(parent, this.last(path));
    if (folder !== 0 && simple.rmdir(dcache.at(parent).d_inode, folder) === 0) dcache.drop(folder);
    dcache.put(folder);
    const { d_parent } = dcache.at(parent);
    const empty = d_parent !== parent && dcache.isEmpty(parent);
    dcache.put(parent);
    if (empty) this.removeFolder(path.slice(0, path.lastIndexOf('/')));
  }
}
