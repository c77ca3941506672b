// SPDX-License-Identifier: MIT
/**
 * hostfs: folders that lie outside of the machine, as a file system. What a mount shows is asked of a `HostFolder`
 * that was given to the kernel under the mount's device name.
 *
 * The kernel asks for names each time it needs one. A file's content is copied into the page cache when the file is
 * opened, and stays there until the last one closes it, so a saved machine has what its programs have open; what is
 * written goes to both. A machine that was loaded where nobody gives the folder answers -EIO for all else.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EIO, ENODEV, ENOENT, ENOMEM, EROFS } from '../../lib/errno.js';
import { readCString, readS64 } from '../../lib/guest_access.js';
import { Timespec64 } from '../../lib/timespec.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { ATTR_MODE, ATTR_MTIME, ATTR_SIZE, type Attributes } from '../attr.js';
import type { Dcache } from '../dcache.js';
import { S_IALLUGO, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../file_modes.js';
import type { FsDeps } from '../fs_context.js';
import { File, FileOperations, Kiocb } from '../fs_types.js';
import type { Inodes, Moment } from '../inode.js';
import type { OperationTables } from '../op_tables.js';
import type { SimpleFs } from '../simple_fs.js';
import { MAX_LFS_FILESIZE, type Supers } from '../super.js';
import { DentryOperations, Iattr, InodeOperations, SuperOperations } from '../vfs_types.js';

const HOSTFS_MAGIC = 0x00c0ffee;
/** Bits of i_state that hostfs uses: the content is in memory. */
const I_LOADED = 2 ** 20;

/** What lies outside; paths begin with a slash and are seen from the folder. A number is a negative errno. */
export interface HostFolder {
  /** Of a link itself. */
  stat(path: string): HostStat | number;
  list(path: string): readonly string[] | number;
  read(path: string): Uint8Array | number;
  readlink(path: string): string | number;
  /** The folder can be changed; without it everything is read-only. */
  readonly change?: HostChanges;
}

export interface HostStat {
  /** Type and permission bits. */
  readonly mode: number;
  readonly size: number;
  readonly mtime: Moment;
  readonly ino?: number;
  readonly nlink?: number;
}

/** Each returns 0 or a negative errno. */
export interface HostChanges {
  create(path: string, mode: number): number;
  write(path: string, offset: number, bytes: Uint8Array): number;
  truncate(path: string, size: number): number;
  mkdir(path: string, mode: number): number;
  unlink(path: string): number;
  rmdir(path: string): number;
  rename(from: string, to: string): number;
  symlink(target: string, path: string): number;
  link(from: string, to: string): number;
  chmod(path: string, mode: number): number;
  utimes(path: string, mtime: Moment): number;
}

export interface HostfsServices {
  readonly dcache: Dcache;
  readonly inodes: Inodes;
  readonly supers: Supers;
  readonly simple: SimpleFs;
  readonly attributes: Attributes;
  readonly tables: OperationTables;
}

export class Hostfs {
  private readonly folders = new Map<string, HostFolder>();

  constructor(
    private readonly deps: FsDeps,
    private readonly k: HostfsServices,
  ) {
    const { tables, supers } = k;
    tables.declare(FileOperations, {
      hostfs_file_fops: {
        open: 'hostfs_open',
        read_iter: 'generic_file_read_iter',
        write_iter: 'hostfs_write_iter',
        llseek: 'generic_file_llseek',
        fsync: 'noop_fsync',
      },
      hostfs_dir_fops: {
        read: 'generic_read_dir',
        llseek: 'dcache_dir_lseek',
        iterate_shared: 'hostfs_readdir',
      },
    });
    tables.declare(InodeOperations, {
      hostfs_iops: { setattr: 'hostfs_setattr' },
      hostfs_link_iops: { get_link: 'simple_get_link', setattr: 'hostfs_setattr' },
      hostfs_dir_iops: {
        lookup: 'hostfs_lookup',
        create: 'hostfs_create',
        link: 'hostfs_link',
        unlink: 'hostfs_unlink',
        symlink: 'hostfs_symlink',
        mkdir: 'hostfs_mkdir',
        rmdir: 'hostfs_rmdir',
        rename: 'hostfs_rename2',
        setattr: 'hostfs_setattr',
      },
    });
    tables.declare(SuperOperations, {
      hostfs_sbops: { statfs: 'simple_statfs', evict_inode: 'ramfs_evict_inode' },
    });
    tables.declare(DentryOperations, { hostfs_dops: { d_revalidate: 'hostfs_revalidate' } });
    supers.declare({ name: 'hostfs', mount: 'hostfs_mount', killSb: 'hostfs_kill_sb' });
  }

  /** Gives the kernel a folder; mounts of this device show it. */
  offer(device: string, folder: HostFolder): void {
    this.folders.set(device, folder);
  }

  /** Shows what another machine was offered. */
  shareWith(other: Hostfs): void {
    for (const [device, folder] of other.folders) this.offer(device, folder);
  }

  private folderOf(sb: Handle): HostFolder | undefined {
    const { s_fs_info } = this.k.supers.at(sb);
    return this.folders.get(decodeUtf8(readCString(this.deps, s_fs_info, PAGE_SIZE)));
  }

  /** Does something with the folder and path of a dentry. */
  private on(dentry: Handle, then: (folder: HostFolder, path: string) => number): number {
    const folder = this.folderOf(this.k.dcache.at(dentry).d_sb);
    return folder === undefined ? -EIO : then(folder, this.k.dcache.pathOf(dentry));
  }

  private changing(dentry: Handle, then: (change: HostChanges, path: string) => number): number {
    return this.on(dentry, ({ change }, path) => (change ? then(change, path) : -EROFS));
  }

  // ---------------------------------------------------------------- names

  /** An inode as the host tells; 0 if there is no memory. */
  private makeInode(sb: Handle, stat: HostStat, target: string): Handle {
    const { inodes } = this.k;
    const { symbol } = this.deps;
    const inode = inodes.create(sb);
    if (inode === 0) return 0;
    const i = inodes.at(inode);
    i.i_ino = stat.ino ?? inodes.nextIno();
    i.i_data.a_ops = symbol('ram_aops');
    const type = stat.mode & S_IFMT;
    i.i_op = symbol(
      type === S_IFDIR ? 'hostfs_dir_iops' : type === S_IFLNK ? 'hostfs_link_iops' : 'hostfs_iops',
    );
    if (type === S_IFDIR) i.i_fop = symbol('hostfs_dir_fops');
    if (type === S_IFREG) i.i_fop = symbol('hostfs_file_fops');
    if (type === S_IFLNK && !this.setTarget(inode, target)) {
      inodes.put(inode);
      return 0;
    }
    this.refresh(inode, stat);
    return inode;
  }

  private setTarget(inode: Handle, target: string): boolean {
    const { deps } = this;
    const bytes = encodeUtf8(target);
    const at = deps.kmalloc(bytes.length + 1);
    if (at === 0) return false;
    deps.guest.write(at, Uint8Array.of(...bytes, 0));
    this.k.inodes.at(inode).i_link = at;
    return true;
  }

  private refresh(inode: Handle, stat: HostStat): void {
    const { inodes } = this.k;
    const i = inodes.at(inode);
    i.i_mode = stat.mode;
    i.i_nlink = stat.nlink ?? 1;
    if (!(i.i_state & I_LOADED)) i.i_size = stat.size;
    for (const field of ['i_atime', 'i_mtime', 'i_ctime'] as const) inodes.setTime(inode, field, stat.mtime);
  }

  /** Looks a name up on the host, and lets it be found. */
  private lookup(dentry: Handle): number {
    const { dcache } = this.k;
    return this.on(dentry, (folder, path) => {
      const stat = folder.stat(path);
      if (typeof stat === 'number' && stat !== -ENOENT) return stat;
      let inode = 0;
      if (typeof stat !== 'number') {
        const target = (stat.mode & S_IFMT) === S_IFLNK ? folder.readlink(path) : '';
        if (typeof target === 'number') return target;
        inode = this.makeInode(dcache.at(dentry).d_sb, stat, target);
        if (inode === 0) return -ENOMEM;
      }
      dcache.add(dentry, inode);
      return 0;
    });
  }

  /** Whether a name still stands for what it did; what the host says of it is taken over. */
  private revalidate(dentry: Handle): number {
    const { dcache, inodes } = this.k;
    const { d_inode } = dcache.at(dentry);
    if (d_inode === 0) return 0;
    const folder = this.folderOf(dcache.at(dentry).d_sb);
    if (folder === undefined) return 1;
    const stat = folder.stat(dcache.pathOf(dentry));
    if (typeof stat === 'number') return 0;
    const { i_mode, i_ino } = inodes.at(d_inode);
    if (((stat.mode ^ i_mode) & S_IFMT) !== 0 || (stat.ino !== undefined && stat.ino !== i_ino)) return 0;
    this.refresh(d_inode, stat);
    return 1;
  }

  private readdir(file: Handle, ctx: Vaddr): number {
    const { dentry } = File.at(this.deps.ram, file).f_path;
    return this.on(dentry, (folder, path) => {
      const names = folder.list(path);
      if (typeof names === 'number') return names;
      const base = path === '/' ? '' : path;
      const entries = names.flatMap((name) => {
        const stat = folder.stat(`${base}/${name}`);
        return typeof stat === 'number' ? [] : [{ name, ino: stat.ino ?? 1, mode: stat.mode }];
      });
      return this.k.simple.iterate(file, ctx, entries);
    });
  }

  // ---------------------------------------------------------------- content

  /** Copies a file's content into memory, unless it is there. */
  private open(inode: Handle, file: Handle): number {
    const { inodes } = this.k;
    const { pageCache } = this.deps;
    const i = inodes.at(inode);
    if (i.i_state & I_LOADED) return 0;
    return this.on(File.at(this.deps.ram, file).f_path.dentry, (folder, path) => {
      const bytes = folder.read(path);
      if (typeof bytes === 'number') return bytes;
      i.i_size = 0;
      const written = bytes.length === 0 ? 0 : pageCache.writeBytes(i.i_mapping, 0, bytes);
      if (written !== bytes.length) {
        pageCache.truncatePages(i.i_mapping, 0);
        i.i_size = bytes.length;
        return -ENOMEM;
      }
      i.i_size = bytes.length;
      i.i_state |= I_LOADED;
      return 0;
    });
  }

  /** Writes into memory, and from there to the host. */
  private writeIter(iocb: Vaddr, iter: Vaddr): number {
    const { deps } = this;
    const written = deps.pageCache.genericFileWriteIter(iocb, iter);
    if (written <= 0) return written;
    const file = deps.ram.handleOf(readS64(deps, iocb + Kiocb.o.ki_filp));
    const start = readS64(deps, iocb + Kiocb.o.ki_pos) - written;
    const f = File.at(deps.ram, file);
    const { i_mapping, i_size } = this.k.inodes.at(f.f_inode);
    const bytes = deps.pageCache.readBytes(i_mapping, i_size, start, written);
    const error = this.changing(f.f_path.dentry, (change, path) => change.write(path, start, bytes));
    return error === 0 ? written : error;
  }

  private setattr(dentry: Handle, attr: Handle): number {
    const { deps } = this;
    const inode = this.k.dcache.at(dentry).d_inode;
    const a = Iattr.at(deps.ram, attr);
    const error = this.changing(dentry, (change, path) => {
      if (a.ia_valid & ATTR_SIZE) {
        const bad = change.truncate(path, a.ia_size);
        if (bad !== 0) return bad;
        this.k.inodes.at(inode).i_size = a.ia_size;
        deps.pageCache.truncatePages(this.k.inodes.at(inode).i_mapping, a.ia_size);
      }
      if (a.ia_valid & ATTR_MODE) {
        const bad = change.chmod(path, a.ia_mode & S_IALLUGO);
        if (bad !== 0) return bad;
      }
      if (!(a.ia_valid & ATTR_MTIME) || a.ia_valid & ATTR_SIZE) return 0;
      const { tv_sec, tv_nsec } = Timespec64.at(deps.ram, attr + Iattr.w.ia_mtime);
      return change.utimes(path, { sec: tv_sec, nsec: tv_nsec });
    });
    if (error === 0) this.k.attributes.copy(inode, attr);
    return error;
  }

  // ---------------------------------------------------------------- changing folders

  /** Makes a name on the host, and says what it stands for. */
  private make(dentry: Handle, make: (change: HostChanges, path: string) => number): number {
    const error = this.changing(dentry, make);
    if (error !== 0) return error;
    this.k.dcache.drop(dentry);
    return this.lookup(dentry);
  }

  private rename(old: Handle, now: Handle): number {
    const to = this.k.dcache.pathOf(now);
    return this.changing(old, (change, from) => change.rename(from, to));
  }

  private link(old: Handle, dentry: Handle): number {
    const from = this.k.dcache.pathOf(old);
    return this.make(dentry, (change, path) => change.link(from, path));
  }

  // ---------------------------------------------------------------- mounting

  private mount(type: Vaddr, flags: number, device: Vaddr): number {
    const { deps } = this;
    const { supers, dcache } = this.k;
    const name = readCString(deps, device, PAGE_SIZE);
    const folder = this.folders.get(decodeUtf8(name));
    if (folder === undefined) return -ENODEV;
    const stat = folder.stat('/');
    if (typeof stat === 'number') return stat;
    const copy = deps.kmalloc(name.length + 1);
    const sb = copy === 0 ? 0 : supers.create(type, flags | Number(folder.change === undefined));
    if (sb === 0) {
      if (copy !== 0) deps.kfree(copy);
      return -ENOMEM;
    }
    deps.guest.write(copy, Uint8Array.of(...name, 0));
    const s = supers.at(sb);
    s.s_maxbytes = MAX_LFS_FILESIZE;
    s.s_magic = HOSTFS_MAGIC;
    s.s_op = deps.symbol('hostfs_sbops');
    s.s_d_op = deps.symbol('hostfs_dops');
    s.s_fs_info = copy;
    const root = dcache.makeRoot(this.makeInode(sb, stat, ''));
    if (root === 0) {
      supers.deactivate(sb);
      return -ENOMEM;
    }
    s.s_root = root;
    return deps.ram.addressOf(dcache.get(root));
  }

  private kill(sb: Handle): void {
    this.k.supers.shutdown(sb);
    this.deps.kfree(this.k.supers.at(sb).s_fs_info);
  }

  exports(): KernelExports {
    const h = (address: Vaddr) => this.deps.ram.handleOf(address);
    const text = (at: Vaddr) => decodeUtf8(readCString(this.deps, at, PAGE_SIZE));
    return {
      hostfs_mount: [
        'p:pipp',
        (type: Vaddr, flags: number, device: Vaddr) => this.mount(type, flags, device),
      ],
      hostfs_kill_sb: ['v:p', (sb: Vaddr) => this.kill(h(sb))],
      hostfs_lookup: ['p:ppu', (_dir: Vaddr, dentry: Vaddr) => this.lookup(h(dentry))],
      hostfs_revalidate: ['i:pu', (dentry: Vaddr) => this.revalidate(h(dentry))],
      hostfs_readdir: ['i:pp', (file: Vaddr, ctx: Vaddr) => this.readdir(h(file), ctx)],
      hostfs_open: ['i:pp', (inode: Vaddr, file: Vaddr) => this.open(h(inode), h(file))],
      hostfs_write_iter: ['l:pp', (iocb: Vaddr, iter: Vaddr) => this.writeIter(iocb, iter)],
      hostfs_setattr: ['i:ppp', (_ns: Vaddr, dentry: Vaddr, attr: Vaddr) => this.setattr(h(dentry), h(attr))],
      hostfs_create: [
        'i:pppuu',
        (_ns: Vaddr, _dir: Vaddr, dentry: Vaddr, mode: number) =>
          this.make(h(dentry), (change, path) => change.create(path, mode & S_IALLUGO)),
      ],
      hostfs_mkdir: [
        'i:pppu',
        (_ns: Vaddr, _dir: Vaddr, dentry: Vaddr, mode: number) =>
          this.make(h(dentry), (change, path) => change.mkdir(path, mode & S_IALLUGO)),
      ],
      hostfs_symlink: [
        'i:pppp',
        (_ns: Vaddr, _dir: Vaddr, dentry: Vaddr, target: Vaddr) =>
          this.make(h(dentry), (change, path) => change.symlink(text(target), path)),
      ],
      hostfs_link: ['i:ppp', (old: Vaddr, _dir: Vaddr, dentry: Vaddr) => this.link(h(old), h(dentry))],
      hostfs_unlink: [
        'i:pp',
        (_dir: Vaddr, dentry: Vaddr) => this.changing(h(dentry), (change, path) => change.unlink(path)),
      ],
      hostfs_rmdir: [
        'i:pp',
        (_dir: Vaddr, dentry: Vaddr) => this.changing(h(dentry), (change, path) => change.rmdir(path)),
      ],
      hostfs_rename2: [
        'i:pppppu',
        (_ns: Vaddr, _oldDir: Vaddr, old: Vaddr, _newDir: Vaddr, now: Vaddr) => this.rename(h(old), h(now)),
      ],
    };
  }
}
