// SPDX-License-Identifier: MIT
/** Files of devices, /proc, debugfs and sysfs: their parts, made and wired in one place. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { Classes } from '../drivers/base/class.js';
import { Devices } from '../drivers/base/core.js';
import { devPrintkExports } from '../drivers/base/dev_printk.js';
import { MiscDevices } from '../drivers/char/misc.js';
import { EIO } from '../lib/errno.js';
import { readS64 } from '../lib/guest_access.js';
import { iovIterExports } from '../lib/iov_iter.js';
import { Kobjects } from '../lib/kobject.js';
import { KobjType, SysfsOps } from '../lib/kobject_types.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CharDevices } from './char_dev.js';
import { credCalls } from './cred_calls.js';
import { Debugfs } from './debugfs/debugfs.js';
import { Fcntl } from './fcntl.js';
import { FileCalls } from './file_calls.js';
import type { FileTable } from './file_table.js';
import type { FsDeps } from './fs_context.js';
import { FileOperations, ProcOps } from './fs_types.js';
import { ioctlCalls } from './ioctl.js';
import { Kernfs } from './kernfs/kernfs.js';
import { Libfs } from './libfs.js';
import { OperationTables } from './op_tables.js';
import { OpenCalls } from './open.js';
import { PathCalls } from './path_calls.js';
import { ProcEntries } from './proc/generic.js';
import { readWriteCalls } from './read_write.js';
import { SelectCalls } from './select.js';
import { SeqFiles } from './seq_file.js';
import { SeqPrint } from './seq_print.js';
import { Staged } from './staged.js';
import { SysfsBinFiles } from './sysfs/bin_file.js';
import { SysfsFiles } from './sysfs/file.js';
import { Sysfs } from './sysfs/sysfs.js';
import { TextFiles } from './text_files.js';
import { UserBuffers } from './user_buffer.js';
import { Vfs } from './vfs.js';
import { VfsExports } from './vfs_exports.js';

/** Kernel functions that only call traces of system calls on files name. */
export const FILE_TRACE_FUNCTIONS = [
  '__fput',
  'chrdev_open',
  'do_dentry_open',
  'do_dup2',
  'do_fcntl',
  'do_filp_open',
  'do_fsync',
  'do_sys_openat2',
  'do_sys_poll',
  'exit_files',
  'exit_to_user_mode_prepare',
  'kernel_clone',
  'ksys_lseek',
  'ksys_read',
  'ksys_write',
  'path_openat',
  'vfs_fsync_range',
] as const;

/** Tables of the kernel's own: name, kind, and which function stands where. */
const KTYPES = {
  ktype_cdev_default: 'cdev_default_release',
  ktype_cdev_dynamic: 'cdev_dynamic_release',
  dynamic_kobj_ktype: 'dynamic_kobj_release',
  kset_ktype: 'kset_release',
  device_ktype: 'device_release',
  class_ktype: 'dynamic_kobj_release',
} as const;
const KTYPE_OPS: { readonly [ktype: string]: string } = {
  dynamic_kobj_ktype: 'kobj_sysfs_ops',
  kset_ktype: 'kobj_sysfs_ops',
  device_ktype: 'dev_sysfs_ops',
  class_ktype: 'class_sysfs_ops',
};
const SYSFS_OPS = {
  kobj_sysfs_ops: ['kobj_attr_show', 'kobj_attr_store'],
  dev_sysfs_ops: ['dev_attr_show', 'dev_attr_store'],
  class_sysfs_ops: ['class_attr_show', 'class_attr_store'],
} as const;
const FOPS: { readonly [table: string]: { readonly [op: string]: string } } = {
  sysfs_file_fops: {
    read_iter: 'kernfs_fop_read_iter',
    write_iter: 'kernfs_fop_write_iter',
    llseek: 'generic_file_llseek',
    release: 'kernfs_fop_release',
  },
  sysfs_bin_fops: {
    read_iter: 'sysfs_kf_bin_read',
    write_iter: 'sysfs_kf_bin_write',
    llseek: 'generic_file_llseek',
  },
  debugfs_attr_fops: {
    read: 'debugfs_attr_read',
    write: 'debugfs_attr_write',
    llseek: 'generic_file_llseek',
  },
  text_fops: {
    read_iter: 'text_read_iter',
    write_iter: 'text_write_iter',
    llseek: 'generic_file_llseek',
    release: 'text_release',
  },
};
const PROC_OPS: { readonly [table: string]: { readonly [op: string]: string } } = {
  proc_seq_ops: {
    proc_open: 'proc_seq_open',
    proc_read_iter: 'seq_read_iter',
    proc_lseek: 'seq_lseek',
    proc_release: 'proc_seq_release',
  },
  proc_single_ops: {
    proc_open: 'proc_single_open',
    proc_read_iter: 'seq_read_iter',
    proc_lseek: 'seq_lseek',
    proc_release: 'single_release',
  },
};
/** Attributes that every device has: name, mode, functions. */
const DEVICE_ATTRIBUTES = {
  dev_attr_dev: ['dev', 0o444, 'dev_show', ''],
  dev_attr_uevent: ['uevent', 0o644, 'uevent_show', 'uevent_store'],
} as const;
const ATTRIBUTE_BYTES = 32;
const SHOW = 16;
const STORE = 24;

export class Filesystems {
  readonly tree: Kernfs;
  /** Mounts, dentries, inodes, paths. */
  readonly vfs: Vfs;
  readonly calls: FileCalls;
  readonly kobjects: Kobjects;
  readonly sysfs: Sysfs;
  readonly charDevices: CharDevices;
  readonly devices: Devices;
  readonly classes: Classes;
  readonly misc: MiscDevices;
  readonly open: OpenCalls;
  readonly texts: TextFiles;
  private readonly select: SelectCalls;
  private readonly fcntl: Fcntl;
  private readonly paths: PathCalls;
  private readonly vfsExports: VfsExports;
  private readonly staged: Staged;
  private readonly sysfsFiles: SysfsFiles;
  private readonly libfs: Libfs;
  private readonly seq: SeqFiles;
  private readonly proc: ProcEntries;
  private readonly debugfs: Debugfs;
  private readonly tables = new Map<string, Handle>();
  private readonly operations: OperationTables;

  constructor(
    private readonly deps: FsDeps,
    data: StaticData,
  ) {
    const { kmalloc, kfree, ram } = deps;
    this.tree = new Kernfs({ ram, kmalloc, kfree }, data);
    this.operations = new OperationTables(ram, data);
    this.operations.declare(FileOperations, FOPS);
    this.operations.declare(ProcOps, PROC_OPS);
    this.texts = new TextFiles(deps, this.tree, (file) => this.files.nodeOf(file));
    this.vfs = new Vfs(deps, this.tree, this.texts, this.operations, data);
    this.staged = new Staged(deps);
    this.calls = new FileCalls(deps, this.tree, this.files, this.staged, new UserBuffers(deps));
    this.sysfs = new Sysfs(deps, this.tree, data);
    this.kobjects = new Kobjects({
      ram,
      guest: deps.guest,
      log: deps.env.log,
      reports: deps.env.reports,
      callC: deps.callC,
      kmalloc,
      kfree,
      symbol: deps.symbol,
      format: (fmt, args) => deps.format(fmt, args),
      createDir: (kobj) => {
        const { nextHome } = this.devices;
        return nextHome === 0 ? this.sysfs.createDir(kobj) : this.sysfs.createDirIn(nextHome, kobj);
      },
      removeDir: (kobj) => this.sysfs.removeDir(kobj),
      renameDir: (kobj, name) => this.sysfs.renameDir(kobj, name),
    });
    this.sysfs.kobjects = this.kobjects;
    this.charDevices = new CharDevices(deps, this.kobjects, data);
    this.devices = new Devices(deps, this.tree, this.kobjects, this.sysfs, this.vfs.devtmpfs);
    this.classes = new Classes(deps, this.tree, this.kobjects, this.sysfs);
    this.misc = new MiscDevices(deps, this.devices, this.classes, data, () =>
      this.sysfs.kernelKobject('misc_kobj'),
    );
    this.charDevices.misc = (minor) => this.misc.open(minor);
    this.sysfsFiles = new SysfsFiles(deps, this.tree, this.files, this.kobjects, this.staged);
    this.sysfsFiles.classOf = (kobj) => this.classes.classOf(kobj);
    this.libfs = new Libfs(deps, this.staged);
    this.open = new OpenCalls({
      ...this.vfs,
      walker: this.vfs.walker,
      calls: this.calls,
      devices: this.charDevices,
    });
    this.paths = new PathCalls({ ...this.vfs, walker: this.vfs.walker, calls: this.calls });
    this.vfsExports = new VfsExports(deps, this.vfs, this.open, this.calls, data);
    this.seq = new SeqFiles(deps, this.staged);
    this.proc = new ProcEntries(deps, this.tree, this.files, this.seq, (node) => this.open.rundown(node));
    this.debugfs = new Debugfs(deps, this.tree, this.files, this.vfs.kernfs, this.vfs.dcache);
    readWriteCalls(this.calls);
    ioctlCalls(this.calls);
    this.select = new SelectCalls(this.calls, this.open);
    this.fcntl = new Fcntl(this.calls, this.open);
    credCalls(this.calls);
    const declare = (names: readonly string[], bytes: number) => {
      for (const name of names) this.tables.set(name, data.declare(name, bytes));
    };
    declare(Object.keys(KTYPES), KobjType.size);
    declare(Object.keys(SYSFS_OPS), SysfsOps.size);
    declare(Object.keys(DEVICE_ATTRIBUTES), ATTRIBUTE_BYTES + 8);
  }

  /** Open files. */
  get files(): FileTable {
    return this.vfs.files;
  }

  boot(): void {
    this.tree.boot();
    this.operations.boot(this.deps.symbol);
    this.fillTables();
    this.vfs.boot();
    this.sysfs.boot();
    this.charDevices.boot();
    this.misc.boot();
  }

  private fillTables(): void {
    const { ram, symbol } = this.deps;
    const put = (table: string, offset: number, value: Vaddr) =>
      ram.set64(this.tables.get(table)! + offset / 4, value);
    for (const [name, release] of Object.entries(KTYPES)) {
      put(name, KobjType.o.release, symbol(release));
      if (KTYPE_OPS[name]) put(name, KobjType.o.sysfs_ops, symbol(KTYPE_OPS[name]));
    }
    for (const [name, [show, store]] of Object.entries(SYSFS_OPS)) {
      put(name, SysfsOps.o.show, symbol(show));
      put(name, SysfsOps.o.store, symbol(store));
    }
    for (const [name, [text, mode, show, store]] of Object.entries(DEVICE_ATTRIBUTES)) {
      const at = this.tables.get(name)!;
      ram.u8.set(encodeUtf8(text), at * 4 + ATTRIBUTE_BYTES);
      put(name, 0, symbol(name) + ATTRIBUTE_BYTES);
      ram.u16[at * 2 + 4] = mode;
      put(name, SHOW, symbol(show));
      if (store !== '') put(name, STORE, symbol(store));
    }
  }

  /** What it offers to C, in parts. */
  parts(): KernelExports[] {
    const { deps } = this;
    return [
      this.kobjects.exports(),
      this.sysfs.exports(),
      this.charDevices.exports(
        (dev) => this.devices.add(dev),
        (dev) => {
          this.devices.del(dev);
          this.kobjects.putRef(dev);
        },
      ),
      this.devices.exports(),
      this.classes.exports(),
      this.misc.exports(),
      devPrintkExports(deps, this.devices),
      new SysfsBinFiles(deps, this.tree, this.files).exports(),
      this.libfs.exports(),
      this.staged.exports(),
      iovIterExports(deps, deps.user),
      this.seq.exports(),
      new SeqPrint(deps, this.vfs).exports(),
      this.proc.exports(),
      this.debugfs.exports(),
      this.texts.exports(),
      ...this.vfs.parts(),
      this.paths.exports(),
      this.vfsExports.exports(),
      this.attributeExports(),
      {
        kernfs_fop_release: [
          'i:pp',
          (_inode: Vaddr, file: Vaddr) => {
            this.sysfsFiles.release(deps.ram.handleOf(file));
            return 0;
          },
        ],
      },
      this.select.exports(),
      this.fcntl.exports(),
    ];
  }

  /** Functions of sysfs_ops: each passes the call to the attribute's own. */
  private attributeExports(): KernelExports {
    const { deps } = this;
    const own = (attr: Vaddr, offset: number) => readS64(deps, attr + offset);
    const show =
      (object: (kobj: Vaddr) => Vaddr) =>
      (kobj: Vaddr, attr: Vaddr, buf: Vaddr): number =>
        own(attr, SHOW) === 0 ? -EIO : deps.callC(own(attr, SHOW), 'l:ppp', object(kobj), attr, buf);
    const store =
      (object: (kobj: Vaddr) => Vaddr) =>
      (kobj: Vaddr, attr: Vaddr, buf: Vaddr, count: number): number =>
        own(attr, STORE) === 0
          ? -EIO
          : deps.callC(own(attr, STORE), 'l:pppz', object(kobj), attr, buf, count);
    const itself = (kobj: Vaddr) => kobj;
    const cls = (kobj: Vaddr) => this.classes.classOf(kobj);
    return {
      kobj_attr_show: ['l:ppp', show(itself)],
      kobj_attr_store: ['l:pppz', store(itself)],
      dev_attr_show: ['l:ppp', show(itself)],
      dev_attr_store: ['l:pppz', store(itself)],
      class_attr_show: ['l:ppp', show(cls)],
      class_attr_store: ['l:pppz', store(cls)],
    };
  }
}
