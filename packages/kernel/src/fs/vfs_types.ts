// SPDX-License-Identifier: MIT
/**
 * What a file system is made of, as C sees it: `struct super_block`, `vfsmount`, `mount`, `file_system_type`, and the
 * tables of functions by which the VFS asks it. The fields of Linux 6.1 that file systems touch, in its order.
 */

import { atomic, dev, kgid, kuid, loff, named, umode } from '../lib/c_types.js';
import { HlistHead, HlistNode, ListHead } from '../lib/list.js';
import { Mutex, RwSemaphore, spinlock } from '../lib/lock_types.js';
import {
  addr,
  array,
  bool,
  chars,
  fn,
  int,
  ptr,
  s64,
  struct,
  u8,
  u16,
  u32,
  u64,
  uint,
  ulong,
} from '../lib/struct.js';
import { Timespec64 } from '../lib/timespec.js';
import { Path } from './fs_types.js';

export const SuperBlock = struct('super_block', {
  s_list: ListHead,
  s_dev: dev,
  s_blocksize_bits: named(u8, 'unsigned char'),
  s_blocksize: ulong,
  s_maxbytes: loff,
  s_type: addr('struct file_system_type'),
  s_op: addr('const struct super_operations'),
  s_export_op: addr('const struct export_operations'),
  s_flags: ulong,
  s_iflags: ulong,
  s_magic: ulong,
  s_root: ptr('struct dentry'),
  s_umount: RwSemaphore,
  s_count: int,
  s_active: atomic,
  s_xattr: addr('const struct xattr_handler *'),
  s_bdev: addr('struct block_device'),
  s_bdi: addr('struct backing_dev_info'),
  /** Link among the super blocks of its type. */
  s_instances: HlistNode,
  s_max_links: uint,
  s_mode: named(u32, 'fmode_t'),
  s_stack_depth: int,
  s_fs_info: addr(),
  s_time_gran: u32,
  s_time_min: named(s64, 'time64_t'),
  s_time_max: named(s64, 'time64_t'),
  s_id: chars(32),
  s_d_op: addr('const struct dentry_operations'),
  s_inode_list_lock: spinlock,
  s_inodes: ListHead,
});

const TYPE = 'struct file_system_type *fs_type';
export const FileSystemType = struct('file_system_type', {
  name: addr('const char'),
  fs_flags: int,
  init_fs_context: fn('int', 'struct fs_context *fc'),
  parameters: addr('const struct fs_parameter_spec'),
  mount: fn('struct dentry *', `${TYPE}, int flags, const char *dev_name, void *data`),
  kill_sb: fn('void', 'struct super_block *sb'),
  owner: addr('struct module'),
  next: addr('struct file_system_type'),
  fs_supers: HlistHead,
});

/** What C knows of a mount. */
export const Vfsmount = struct('vfsmount', {
  mnt_root: ptr('struct dentry'),
  mnt_sb: ptr('struct super_block'),
  mnt_flags: int,
  mnt_userns: addr('struct user_namespace'),
});

export const Mount = struct('mount', {
  mnt_parent: ptr('struct mount'),
  mnt_mountpoint: ptr('struct dentry'),
  mnt: Vfsmount,
  mnt_count: int,
  mnt_mounts: ListHead,
  mnt_child: ListHead,
  /** All mounts, oldest first. */
  mnt_list: ListHead,
  mnt_devname: addr('const char'),
  mnt_id: int,
  /** Files that are open for writing. */
  mnt_writers: int,
});

/** Where a task is in the tree. */
export const FsStruct = struct('fs_struct', {
  users: int,
  umask: int,
  root: Path,
  pwd: Path,
});

/** What chmod, chown, truncate and utimes change. */
export const Iattr = struct('iattr', {
  ia_valid: uint,
  ia_mode: umode,
  ia_uid: kuid,
  ia_gid: kgid,
  ia_size: loff,
  ia_atime: Timespec64,
  ia_mtime: Timespec64,
  ia_ctime: Timespec64,
  ia_file: ptr('struct file'),
});

export const Kstat = struct('kstat', {
  result_mask: u32,
  mode: umode,
  nlink: uint,
  blksize: named(u32, 'uint32_t'),
  attributes: u64,
  attributes_mask: u64,
  ino: u64,
  dev,
  rdev: dev,
  uid: kuid,
  gid: kgid,
  size: loff,
  atime: Timespec64,
  mtime: Timespec64,
  ctime: Timespec64,
  btime: Timespec64,
  blocks: u64,
});

export const Kstatfs = struct('kstatfs', {
  f_type: named(s64, 'long'),
  f_bsize: named(s64, 'long'),
  f_blocks: u64,
  f_bfree: u64,
  f_bavail: u64,
  f_files: u64,
  f_ffree: u64,
  f_fsid: named(array(int, 2), '__kernel_fsid_t'),
  f_namelen: named(s64, 'long'),
  f_frsize: named(s64, 'long'),
  f_flags: named(s64, 'long'),
  f_spare: array(s64, 4),
});

/** Who is told the entries of a folder. */
export const DirContext = struct('dir_context', {
  actor: fn(
    'bool',
    'struct dir_context *ctx, const char *name, int namelen, loff_t offset, u64 ino, unsigned int type',
  ),
  pos: loff,
});

const NS = 'struct user_namespace *mnt_userns';
const DIR = 'struct inode *dir, struct dentry *dentry';
export const InodeOperations = struct('inode_operations', {
  lookup: fn('struct dentry *', `${DIR}, unsigned int flags`),
  get_link: fn('const char *', 'struct dentry *dentry, struct inode *inode, struct delayed_call *callback'),
  permission: fn('int', `${NS}, struct inode *inode, int mask`),
  get_acl: fn('void *', 'struct inode *inode, int type, bool rcu'),
  readlink: fn('int', 'struct dentry *dentry, char __user *buffer, int buflen'),
  create: fn('int', `${NS}, ${DIR}, umode_t mode, bool excl`),
  link: fn('int', 'struct dentry *old_dentry, struct inode *dir, struct dentry *dentry'),
  unlink: fn('int', DIR),
  symlink: fn('int', `${NS}, ${DIR}, const char *target`),
  mkdir: fn('int', `${NS}, ${DIR}, umode_t mode`),
  rmdir: fn('int', DIR),
  mknod: fn('int', `${NS}, ${DIR}, umode_t mode, dev_t dev`),
  rename: fn(
    'int',
    `${NS}, struct inode *old_dir, struct dentry *old_dentry, struct inode *new_dir, struct dentry *new_dentry, unsigned int flags`,
  ),
  setattr: fn('int', `${NS}, struct dentry *dentry, struct iattr *attr`),
  getattr: fn(
    'int',
    `${NS}, const struct path *path, struct kstat *stat, u32 request_mask, unsigned int flags`,
  ),
  listxattr: fn('ssize_t', 'struct dentry *dentry, char *list, size_t size'),
  fiemap: fn('int', 'struct inode *inode, void *fieinfo, u64 start, u64 len'),
  update_time: fn('int', 'struct inode *inode, struct timespec64 *time, int flags'),
  atomic_open: fn(
    'int',
    'struct inode *dir, struct dentry *dentry, struct file *file, unsigned int flags, umode_t mode',
  ),
  tmpfile: fn('int', `${NS}, struct inode *dir, struct file *file, umode_t mode`),
  set_acl: fn('int', `${NS}, struct inode *inode, void *acl, int type`),
  fileattr_set: fn('int', `${NS}, struct dentry *dentry, void *fa`),
  fileattr_get: fn('int', 'struct dentry *dentry, void *fa'),
});

export const SuperOperations = struct('super_operations', {
  alloc_inode: fn('struct inode *', 'struct super_block *sb'),
  destroy_inode: fn('void', 'struct inode *inode'),
  free_inode: fn('void', 'struct inode *inode'),
  dirty_inode: fn('void', 'struct inode *inode, int flags'),
  write_inode: fn('int', 'struct inode *inode, struct writeback_control *wbc'),
  drop_inode: fn('int', 'struct inode *inode'),
  evict_inode: fn('void', 'struct inode *inode'),
  put_super: fn('void', 'struct super_block *sb'),
  sync_fs: fn('int', 'struct super_block *sb, int wait'),
  freeze_super: fn('int', 'struct super_block *sb'),
  freeze_fs: fn('int', 'struct super_block *sb'),
  thaw_super: fn('int', 'struct super_block *sb'),
  unfreeze_fs: fn('int', 'struct super_block *sb'),
  statfs: fn('int', 'struct dentry *dentry, struct kstatfs *buf'),
  remount_fs: fn('int', 'struct super_block *sb, int *flags, char *data'),
  umount_begin: fn('void', 'struct super_block *sb'),
  show_options: fn('int', 'struct seq_file *m, struct dentry *root'),
  show_devname: fn('int', 'struct seq_file *m, struct dentry *root'),
  show_path: fn('int', 'struct seq_file *m, struct dentry *root'),
  show_stats: fn('int', 'struct seq_file *m, struct dentry *root'),
  nr_cached_objects: fn('long', 'struct super_block *sb, struct shrink_control *sc'),
  free_cached_objects: fn('long', 'struct super_block *sb, struct shrink_control *sc'),
});

export const DentryOperations = struct('dentry_operations', {
  d_revalidate: fn('int', 'struct dentry *dentry, unsigned int flags'),
  d_weak_revalidate: fn('int', 'struct dentry *dentry, unsigned int flags'),
  d_hash: fn('int', 'const struct dentry *dentry, struct qstr *name'),
  d_compare: fn(
    'int',
    'const struct dentry *dentry, unsigned int len, const char *str, const struct qstr *name',
  ),
  d_delete: fn('int', 'const struct dentry *dentry'),
  d_init: fn('int', 'struct dentry *dentry'),
  d_release: fn('void', 'struct dentry *dentry'),
  d_prune: fn('void', 'struct dentry *dentry'),
  d_iput: fn('void', 'struct dentry *dentry, struct inode *inode'),
  d_dname: fn('char *', 'struct dentry *dentry, char *buffer, int buflen'),
  d_automount: fn('struct vfsmount *', 'struct path *path'),
  d_manage: fn('int', 'const struct path *path, bool rcu_walk'),
  d_real: fn('struct dentry *', 'struct dentry *dentry, const struct inode *inode'),
});

export const TreeDescr = struct('tree_descr', {
  name: addr('const char'),
  ops: addr('const struct file_operations'),
  mode: int,
});

/** A link's target that somebody must free after use: unused, since targets live as long as their inodes. */
export const DelayedCall = struct('delayed_call', { fn: fn('void', 'void *arg'), arg: addr() });

// ---------------------------------------------------------------- mounting in steps

const PARSE = 'struct p_log *log, const struct fs_parameter_spec *spec';
const FC = 'struct fs_context *fc';

/** Where messages about options go: the log, with something before them. */
export const PLog = struct('p_log', { prefix: addr('const char'), log: addr() });

/** A mount that is being made: what is wanted, and at the end the root of a file system. */
export const FsContext = struct('fs_context', {
  ops: addr('const struct fs_context_operations'),
  uapi_mutex: Mutex,
  fs_type: addr('struct file_system_type'),
  fs_private: addr(),
  sget_key: addr(),
  root: ptr('struct dentry'),
  user_ns: addr('struct user_namespace'),
  net_ns: addr('struct net'),
  cred: addr('const struct cred'),
  log: PLog,
  source: addr('const char'),
  security: addr(),
  s_fs_info: addr(),
  sb_flags: uint,
  sb_flags_mask: uint,
  s_iflags: uint,
  lsm_flags: uint,
  purpose: u8,
  phase: u8,
  need_free: bool,
  global: bool,
  oldapi: bool,
});

export const FsContextOperations = struct('fs_context_operations', {
  free: fn('void', FC),
  dup: fn('int', `${FC}, struct fs_context *src_fc`),
  parse_param: fn('int', `${FC}, struct fs_parameter *param`),
  parse_monolithic: fn('int', `${FC}, void *data`),
  get_tree: fn('int', FC),
  reconfigure: fn('int', FC),
});

/** One option of a mount. */
export const FsParameter = struct('fs_parameter', {
  key: addr('const char'),
  /** fs_value_is_flag and so on. */
  type: u8,
  value: {
    union: {
      string: { string: addr('char') },
      blob: { blob: addr() },
      name: { name: addr('struct filename') },
      file: { file: addr('struct file') },
    },
  },
  size: ulong,
  dirfd: int,
});

/** An option that a file system knows. */
export const FsParameterSpec = struct('fs_parameter_spec', {
  name: addr('const char'),
  type: fn('int', `${PARSE}, struct fs_parameter *param, struct fs_parse_result *result`),
  opt: u8,
  flags: named(u16, 'unsigned short'),
  data: addr('const void'),
});

export const FsParseResult = struct('fs_parse_result', {
  negated: bool,
  value: {
    union: {
      boolean: { boolean: bool },
      int_32: { int_32: int },
      uint_32: { uint_32: uint },
      uint_64: { uint_64: u64 },
    },
  },
});
