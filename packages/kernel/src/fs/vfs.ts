// SPDX-License-Identifier: MIT
/** The virtual file system: its parts, and the tree that a machine has at power-on. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { Devtmpfs } from '../drivers/base/devtmpfs.js';
import { Cred } from '../kernel/cred.js';
import { TaskStruct } from '../kernel/sched.js';
import { KernelBug } from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle } from '../machine/layout.js';
import { AnonInodes } from './anon_inodes.js';
import { Attributes } from './attr.js';
import { Dcache } from './dcache.js';
import { FileTable } from './file_table.js';
import type { FsDeps } from './fs_context.js';
import { FsParser } from './fs_parser.js';
import { Hostfs } from './hostfs/hostfs.js';
import { Inodes } from './inode.js';
import type { Kernfs } from './kernfs/kernfs.js';
import { KernfsMounts } from './kernfs/mount.js';
import { MountContexts } from './mount_context.js';
import { Namei, type Walker } from './namei.js';
import { Mounts, type Place } from './namespace.js';
import type { OperationTables } from './op_tables.js';
import { Ramfs } from './ramfs/inode.js';
import { SimpleFs } from './simple_fs.js';
import { Supers } from './super.js';
import type { TextFiles } from './text_files.js';
import { FsStruct } from './vfs_types.js';

const UMASK = 0o022;
/** Mounts at power-on besides the root: the folder, made first where it is not part of another, and the type. */
const BOOT_MOUNTS = [
  ['/dev', 'devtmpfs', 'devtmpfs', true],
  ['/proc', 'proc', 'proc', true],
  ['/sys', 'sysfs', 'sysfs', true],
  ['/sys/kernel/debug', 'debugfs', 'debugfs', false],
  ['/sys/kernel/tracing', 'tracefs', 'tracefs', false],
] as const;

export class Vfs {
  readonly dcache: Dcache;
  readonly inodes: Inodes;
  readonly supers: Supers;
  readonly contexts: MountContexts;
  readonly mounts: Mounts;
  readonly namei: Namei;
  readonly attributes: Attributes;
  readonly files: FileTable;
  readonly kernfs: KernfsMounts;
  readonly hostfs: Hostfs;
  readonly devtmpfs: Devtmpfs;
  /** Files without a place in the tree. */
  readonly anon: AnonInodes;
  private readonly simple: SimpleFs;
  private readonly ramfs: Ramfs;

  constructor(
    private readonly deps: FsDeps,
    tree: Kernfs,
    texts: TextFiles,
    tables: OperationTables,
    data: StaticData,
  ) {
    const { pageCache } = deps;
    this.dcache = new Dcache(deps, data, (inode) => this.inodes.put(inode));
    this.inodes = new Inodes(deps, data, deps.now, (mapping) => pageCache.truncateFinal(mapping));
    this.supers = new Supers(deps, data, this.dcache, this.inodes);
    this.contexts = new MountContexts(deps, this.dcache, this.supers);
    this.mounts = new Mounts(deps, data, this.dcache, this.inodes, this.supers, this.contexts);
    this.namei = new Namei(deps, this.dcache, this.inodes, this.mounts);
    this.attributes = new Attributes(deps, this.inodes, this.mounts, this.namei, this.supers);
    this.attributes.truncatePages = (mapping, size) => pageCache.truncatePages(mapping, size);
    pageCache.fileUpdateTime = (inode) => this.inodes.touch(inode, 'i_mtime', 'i_ctime');
    pageCache.fileAccessed = (file) => {
      if (this.files.file(file).f_path.dentry !== 0) this.attributes.touchAtime(this.files.placeOf(file));
    };
    const { dcache, inodes, supers, attributes } = this;
    this.simple = new SimpleFs(deps, dcache, inodes, supers, tables);
    this.ramfs = new Ramfs(deps, dcache, inodes, supers, () => this.owner(), tables);
    this.kernfs = new KernfsMounts(
      deps,
      tree,
      dcache,
      inodes,
      supers,
      this.simple,
      attributes,
      texts,
      tables,
    );
    this.namei.jump = (inode) => this.kernfs.jump(inode);
    this.hostfs = new Hostfs(deps, { dcache, inodes, supers, simple: this.simple, attributes, tables });
    this.devtmpfs = new Devtmpfs(deps, { dcache, inodes, ramfs: this.ramfs, simple: this.simple }, data);
    this.anon = new AnonInodes(deps, { dcache, inodes, supers, mounts: this.mounts }, tables, data);
    this.files = new FileTable(deps, this.mounts, () => this.kernfs, data);
  }

  boot(): void {
    this.dcache.boot();
    this.inodes.boot();
    this.supers.boot();
    this.mounts.boot();
    this.files.boot();
    this.mounts.kernMount('rootfs', 0, 'rootfs');
    for (const [path, type, device, make] of BOOT_MOUNTS) {
      if (make) this.must(this.namei.mkdir(path, 0o755, this.walker()), path);
      const place = this.namei.lookup(path, this.walker());
      if (typeof place === 'number') throw new KernelBug(`no ${path}: ${place}`);
      this.must(this.mounts.mountAt(place, type, 0, device), path);
    }
    const dev = this.mounts.all().find((mnt) => this.typeOf(mnt) === 'devtmpfs');
    this.anon.boot();
    this.devtmpfs.boot(this.mounts.at(dev!).mnt.mnt_root);
  }

  private typeOf(mnt: Handle): string {
    return this.supers.typeName(this.supers.at(this.mounts.at(mnt).mnt.mnt_sb).s_type);
  }

  private must(error: number, path: string): void {
    if (error !== 0) throw new KernelBug(`mounting ${path} at boot: ${error}`);
  }

  // ---------------------------------------------------------------- tasks

  /** The place where the whole tree starts. */
  rootPlace(): Place {
    const mnt = this.mounts.root;
    return { mnt, dentry: this.mounts.at(mnt).mnt.mnt_root };
  }

  private owner(): { uid: number; gid: number } {
    const { ram, tasks } = this.deps;
    const { cred } = TaskStruct.at(ram, tasks.currentHandle);
    if (cred === 0) return { uid: 0, gid: 0 };
    const { fsuid, fsgid } = Cred.at(ram, cred);
    return { uid: fsuid, gid: fsgid };
  }

  /** Where the paths of the running task start, and who it is. */
  readonly walker = (): Walker => {
    const { ram, tasks } = this.deps;
    const { fs } = TaskStruct.at(ram, tasks.currentHandle);
    const { uid, gid } = this.owner();
    if (fs === 0) {
      const root = this.rootPlace();
      return { root, pwd: root, uid, gid, umask: UMASK };
    }
    const { root, pwd, umask } = FsStruct.at(ram, fs);
    return { root: this.placeOf(root), pwd: this.placeOf(pwd), uid, gid, umask };
  };

  private placeOf({ mnt, dentry }: { mnt: Handle; dentry: Handle }): Place {
    return { mnt: this.mounts.ofVfsmount(mnt), dentry };
  }

  /** Lets the paths of a task start at the root. */
  initFs(fs: Handle): void {
    const f = FsStruct.at(this.deps.ram, fs);
    f.users = 1;
    f.umask = UMASK;
    for (const path of [f.root, f.pwd]) {
      const { mnt, dentry } = this.mounts.get(this.rootPlace());
      path.mnt = this.mounts.vfsmount(mnt);
      path.dentry = dentry;
    }
  }

  /** Gives back what a task's `fs` holds. @linux fs/fs_struct.c:exit_fs full */
  exitFs(fs: Handle): void {
    const { root, pwd } = FsStruct.at(this.deps.ram, fs);
    for (const path of [root, pwd]) this.mounts.put(this.placeOf(path));
  }

  /** What it offers to C, in parts. */
  parts(): KernelExports[] {
    return [
      this.supers.exports(),
      this.contexts.exports(),
      this.simple.exports(),
      this.ramfs.exports(),
      this.kernfs.exports(),
      this.hostfs.exports(),
      this.anon.exports(),
      new FsParser(this.deps).exports(),
    ];
  }
}
