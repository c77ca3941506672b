// SPDX-License-Identifier: MIT
/**
 * ramfs: a file system that is nothing but the page cache. Files are pages that are never written anywhere, folders
 * are dentries that are held as long as they have a name. The root of the tree is one, /tmp is in it, and /dev is one
 * too, in which the kernel makes the nodes of devices.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EINVAL, ENOMEM, ENOSPC } from '../../lib/errno.js';
import { readCString } from '../../lib/guest_access.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import { type Handle, PAGE_SHIFT, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { AddressSpaceOperations } from '../../mm/address_space_types.js';
import type { Dcache } from '../dcache.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../file_modes.js';
import type { FsDeps } from '../fs_context.js';
import { FileOperations } from '../fs_types.js';
import type { Inodes } from '../inode.js';
import type { OperationTables } from '../op_tables.js';
import { MAX_LFS_FILESIZE, type Supers } from '../super.js';
import { InodeOperations, SuperOperations } from '../vfs_types.js';

const RAMFS_MAGIC = 0x858458f6;
const TMPFS_MAGIC = 0x01021994;
const DEFAULT_MODE = 0o755;

/** Who makes files: what new ones belong to. */
export type Owner = () => { readonly uid: number; readonly gid: number };

export class Ramfs {
  constructor(
    private readonly deps: FsDeps,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly supers: Supers,
    private readonly owner: Owner,
    tables: OperationTables,
  ) {
    tables.declare(FileOperations, {
      ramfs_file_operations: {
        read_iter: 'generic_file_read_iter',
        write_iter: 'generic_file_write_iter',
        fsync: 'noop_fsync',
        llseek: 'generic_file_llseek',
      },
    });
    tables.declare(InodeOperations, {
      ramfs_file_inode_operations: { setattr: 'simple_setattr', getattr: 'simple_getattr' },
      ramfs_dir_inode_operations: {
        create: 'ramfs_create',
        lookup: 'simple_lookup',
        link: 'simple_link',
        unlink: 'simple_unlink',
        symlink: 'ramfs_symlink',
        mkdir: 'ramfs_mkdir',
        rmdir: 'simple_rmdir',
        mknod: 'ramfs_mknod',
        rename: 'simple_rename',
      },
      ramfs_symlink_inode_operations: { get_link: 'simple_get_link' },
    });
    tables.declare(SuperOperations, {
      ramfs_ops: {
        statfs: 'simple_statfs',
        drop_inode: 'generic_delete_inode',
        evict_inode: 'ramfs_evict_inode',
      },
    });
    tables.declare(AddressSpaceOperations, {
      ram_aops: {
        read_folio: 'simple_read_folio',
        write_begin: 'simple_write_begin',
        write_end: 'simple_write_end',
        dirty_folio: 'noop_dirty_folio',
      },
    });
    for (const name of ['rootfs', 'ramfs', 'tmpfs', 'devtmpfs'])
      supers.declare({ name, mount: 'ramfs_mount', killSb: 'kill_litter_super' });
  }

  /** An inode of a new file. @linux fs/ramfs/inode.c:ramfs_get_inode full */
  getInode(sb: Handle, dir: Handle, mode: number, rdev: number): Handle {
    const { symbol } = this.deps;
    const inode = this.inodes.create(sb);
    if (inode === 0) return 0;
    const i = this.inodes.at(inode);
    i.i_ino = this.inodes.nextIno();
    this.inodes.initOwner(inode, dir, mode, this.owner());
    i.i_data.a_ops = symbol('ram_aops');
    this.inodes.touch(inode, 'i_atime', 'i_mtime', 'i_ctime');
    switch (mode & S_IFMT) {
      case S_IFREG:
        i.i_op = symbol('ramfs_file_inode_operations');
        i.i_fop = symbol('ramfs_file_operations');
        break;
      case S_IFDIR:
        i.i_op = symbol('ramfs_dir_inode_operations');
        i.i_fop = symbol('simple_dir_operations');
        i.i_nlink = 2;
        break;
      case S_IFLNK:
        i.i_op = symbol('ramfs_symlink_inode_operations');
        break;
      default:
        i.i_op = symbol('ramfs_file_inode_operations');
        this.inodes.initSpecial(inode, i.i_mode, rdev);
    }
    return inode;
  }

  /** Makes a file of any kind. @linux fs/ramfs/inode.c:ramfs_mknod full */
  mknod(dir: Handle, dentry: Handle, mode: number, rdev: number): number {
    const inode = this.getInode(this.inodes.at(dir).i_sb, dir, mode, rdev);
    if (inode === 0) return -ENOSPC;
    this.dcache.instantiate(dentry, inode);
    this.dcache.rehash(dentry);
    this.dcache.get(dentry);
    this.inodes.touch(dir, 'i_mtime', 'i_ctime');
    return 0;
  }

  /** @linux fs/ramfs/inode.c:ramfs_mkdir full */
  private mkdir(dir: Handle, dentry: Handle, mode: number): number {
    const error = this.mknod(dir, dentry, mode | S_IFDIR, 0);
    if (error === 0) this.inodes.at(dir).i_nlink++;
    return error;
  }

  /** @linux fs/ramfs/inode.c:ramfs_symlink differs: the text lies in a block of its own, not in a page */
  private symlink(dir: Handle, dentry: Handle, target: Vaddr): number {
    const { deps } = this;
    const bytes = readCString(deps, target, PAGE_SIZE);
    const text = deps.kmalloc(bytes.length + 1);
    if (text === 0) return -ENOMEM;
    deps.guest.write(text, Uint8Array.of(...bytes, 0));
    const error = this.mknod(dir, dentry, S_IFLNK | 0o777, 0);
    if (error !== 0) {
      deps.kfree(text);
      return error;
    }
    const i = this.inodes.at(this.dcache.at(dentry).d_inode);
    i.i_link = text;
    i.i_size = bytes.length;
    return 0;
  }

  private evict(inode: Handle): void {
    const i = this.inodes.at(inode);
    if ((i.i_mode & S_IFMT) === S_IFLNK && i.i_link !== 0) this.deps.kfree(i.i_link);
    this.inodes.finish(inode);
  }

  /** The option `mode=755` of a mount; undefined if an option makes no sense. */
  private modeOption(data: Vaddr): number | undefined {
    if (data === 0) return DEFAULT_MODE;
    const options = decodeUtf8(readCString(this.deps, data, PAGE_SIZE)).split(',');
    let mode = DEFAULT_MODE;
    for (const option of options) {
      const match = /^mode=([0-7]{1,4})$/.exec(option);
      if (match) mode = Number.parseInt(match[1], 8);
      else if (option.startsWith('mode=')) return undefined;
    }
    return mode;
  }

  /** @linux fs/ramfs/inode.c:ramfs_fill_super full */
  private mount(type: Vaddr, flags: number, data: Vaddr): number {
    const { deps } = this;
    const mode = this.modeOption(data);
    if (mode === undefined) return -EINVAL;
    const sb = this.supers.create(type, flags);
    if (sb === 0) return -ENOMEM;
    const s = this.supers.at(sb);
    s.s_maxbytes = MAX_LFS_FILESIZE;
    s.s_blocksize = PAGE_SIZE;
    s.s_blocksize_bits = PAGE_SHIFT;
    s.s_magic = this.supers.typeName(type) === 'ramfs' ? RAMFS_MAGIC : TMPFS_MAGIC;
    s.s_op = deps.symbol('ramfs_ops');
    s.s_time_gran = 1;
    const root = this.dcache.makeRoot(this.getInode(sb, 0, S_IFDIR | mode, 0));
    if (root === 0) {
      this.supers.deactivate(sb);
      return -ENOMEM;
    }
    s.s_root = root;
    return deps.ram.addressOf(this.dcache.get(root));
  }

  exports(): KernelExports {
    const h = (address: Vaddr) => this.deps.ram.handleOf(address);
    return {
      ramfs_mount: [
        'p:pipp',
        (type: Vaddr, flags: number, _device: Vaddr, data: Vaddr) => this.mount(type, flags, data),
      ],
      ramfs_create: [
        'i:pppuu',
        (_ns: Vaddr, dir: Vaddr, dentry: Vaddr, mode: number) =>
          this.mknod(h(dir), h(dentry), mode | S_IFREG, 0),
      ],
      ramfs_mknod: [
        'i:pppuu',
        (_ns: Vaddr, dir: Vaddr, dentry: Vaddr, mode: number, rdev: number) =>
          this.mknod(h(dir), h(dentry), mode, rdev),
      ],
      ramfs_mkdir: [
        'i:pppu',
        (_ns: Vaddr, dir: Vaddr, dentry: Vaddr, mode: number) => this.mkdir(h(dir), h(dentry), mode),
      ],
      ramfs_symlink: [
        'i:pppp',
        (_ns: Vaddr, dir: Vaddr, dentry: Vaddr, target: Vaddr) => this.symlink(h(dir), h(dentry), target),
      ],
      ramfs_evict_inode: ['v:p', (inode: Vaddr) => this.evict(h(inode))],
      ramfs_get_inode: [
        'p:ppuu',
        (sb: Vaddr, dir: Vaddr, mode: number, rdev: number) => {
          const inode = this.getInode(h(sb), dir === 0 ? 0 : h(dir), mode, rdev);
          return inode === 0 ? 0 : this.deps.ram.addressOf(inode);
        },
      ],
    };
  }
}
