// SPDX-License-Identifier: MIT
/**
 * Files as C sees them: `struct file`, `inode`, `dentry`, and the tables of functions by which a module answers
 * system calls. The fields of Linux 6.1 that modules touch, in its order.
 */

import { atomic, atomicLong, dev, kgid, kuid, loff, named, umode } from '../lib/c_types.js';
import { HlistHead, HlistNode, ListHead } from '../lib/list.js';
import { Mutex, RwSemaphore, spinlock } from '../lib/lock_types.js';
import { RbRootCached } from '../lib/rbtree.js';
import { addr, array, chars, fn, int, long, ptr, struct, u16, u32, uint, ulong } from '../lib/struct.js';
import { Timespec64 } from '../lib/timespec.js';

export const Path = struct('path', { mnt: ptr('struct vfsmount'), dentry: ptr('struct dentry') });

/** Memory that is freed when no reader can have it any more. */
const rcuHead = named(array(ulong, 2), 'struct callback_head');

/** A name with its length and hash. */
export const Qstr = struct('qstr', { hash: u32, len: u32, name: addr('const unsigned char') });

/** A lock and a count side by side. */
export const Lockref = struct('lockref', { lock: spinlock, count: int });

export const DNAME_INLINE_LEN = 32;
/** The names of an inode are linked by a member of a union, as C writes it. */
const Alias: typeof HlistNode = {
  ...HlistNode,
  declare: (name) => `union { struct hlist_node d_alias; struct callback_head d_rcu; } ${name}`,
};

export const Dentry = struct('dentry', {
  d_flags: uint,
  /** Link in a bucket of the table of dentries; pprev is NULL if it is in none. */
  d_hash: HlistNode,
  d_parent: ptr('struct dentry'),
  d_name: Qstr,
  d_inode: ptr('struct inode'),
  /** Where a short name lies; d_name.name points here then. */
  d_iname: chars(DNAME_INLINE_LEN),
  ref: {
    union: {
      parts: { d_lock: spinlock, d_count: int },
      whole: { d_lockref: Lockref },
    },
  },
  d_op: addr('const struct dentry_operations'),
  d_sb: ptr('struct super_block'),
  d_time: ulong,
  d_fsdata: addr(),
  d_lru: ListHead,
  d_child: ListHead,
  d_subdirs: ListHead,
  /** Among the names of its inode. */
  d_u: Alias,
});

/** The pages of a file, and how to read and write them. */
export const AddressSpace = struct('address_space', {
  host: ptr('struct inode'),
  /** Head of the tree of pages by index, its flags and lock. */
  i_pages: named(array(ulong, 2), 'struct xarray'),
  gfp_mask: named(uint, 'gfp_t'),
  i_mmap_writable: atomic,
  i_mmap: RbRootCached,
  i_mmap_rwsem: RwSemaphore,
  nrpages: ulong,
  writeback_index: ulong,
  a_ops: addr('const struct address_space_operations'),
  flags: ulong,
  wb_err: named(u32, 'errseq_t'),
  private_lock: spinlock,
  private_list: ListHead,
  private_data: addr(),
});

export const Inode = struct('inode', {
  i_mode: umode,
  i_opflags: u16,
  i_uid: kuid,
  i_gid: kgid,
  i_flags: uint,
  i_op: addr('const struct inode_operations'),
  i_sb: ptr('struct super_block'),
  i_mapping: ptr('struct address_space'),
  i_ino: ulong,
  i_nlink: uint,
  i_rdev: dev,
  i_size: loff,
  i_atime: Timespec64,
  i_mtime: Timespec64,
  i_ctime: Timespec64,
  i_lock: spinlock,
  i_bytes: u16,
  i_blkbits: u16,
  i_blocks: named(ulong, 'blkcnt_t'),
  i_state: ulong,
  i_rwsem: RwSemaphore,
  /** Link in a bucket of the table of inodes; pprev is NULL if it is in none. */
  i_hash: HlistNode,
  i_lru: ListHead,
  i_sb_list: ListHead,
  names: { union: { list: { i_dentry: HlistHead }, rcu: { i_rcu: rcuHead } } },
  i_version: named(long, 'atomic64_t'),
  i_count: atomic,
  i_writecount: atomic,
  i_fop: addr('const struct file_operations'),
  i_data: AddressSpace,
  i_devices: ListHead,
  kind: {
    union: {
      pipe: { i_pipe: ptr('struct pipe_inode_info') },
      cdev: { i_cdev: addr('struct cdev') },
      link: { i_link: addr('char') },
    },
  },
  i_generation: u32,
  i_private: addr(),
});

export const FOwn = struct('fown_struct', {
  pid: ptr('struct pid'),
  pid_type: int,
  uid: kuid,
  euid: kuid,
  signum: int,
});

export const FileRaState = struct('file_ra_state', {
  start: ulong,
  size: uint,
  async_size: uint,
  ra_pages: uint,
  mmap_miss: uint,
  prev_pos: loff,
});

export const File = struct('file', {
  f_path: Path,
  f_inode: ptr('struct inode'),
  f_op: addr('const struct file_operations'),
  f_lock: spinlock,
  f_count: atomicLong,
  f_flags: uint,
  f_mode: named(uint, 'fmode_t'),
  f_pos_lock: Mutex,
  f_pos: loff,
  f_owner: FOwn,
  f_cred: ptr('const struct cred'),
  f_ra: FileRaState,
  f_version: ulong,
  private_data: addr(),
  f_mapping: ptr('struct address_space'),
});

const IO = 'struct file *file';
export const FileOperations = struct('file_operations', {
  owner: addr('struct module'),
  llseek: fn('loff_t', `${IO}, loff_t offset, int whence`),
  read: fn('ssize_t', `${IO}, char __user *buf, size_t count, loff_t *ppos`),
  write: fn('ssize_t', `${IO}, const char __user *buf, size_t count, loff_t *ppos`),
  read_iter: fn('ssize_t', 'struct kiocb *iocb, struct iov_iter *to'),
  write_iter: fn('ssize_t', 'struct kiocb *iocb, struct iov_iter *from'),
  iopoll: fn('int', 'struct kiocb *kiocb, void *batch, unsigned int flags'),
  iterate: fn('int', `${IO}, struct dir_context *ctx`),
  iterate_shared: fn('int', `${IO}, struct dir_context *ctx`),
  poll: fn('__poll_t', `${IO}, struct poll_table_struct *wait`),
  unlocked_ioctl: fn('long', `${IO}, unsigned int cmd, unsigned long arg`),
  compat_ioctl: fn('long', `${IO}, unsigned int cmd, unsigned long arg`),
  mmap: fn('int', `${IO}, struct vm_area_struct *vma`),
  mmap_supported_flags: ulong,
  open: fn('int', `struct inode *inode, ${IO}`),
  flush: fn('int', `${IO}, void *id`),
  release: fn('int', `struct inode *inode, ${IO}`),
  fsync: fn('int', `${IO}, loff_t start, loff_t end, int datasync`),
  fasync: fn('int', `int fd, ${IO}, int on`),
  lock: fn('int', `${IO}, int cmd, void *fl`),
  sendpage: fn('ssize_t', `${IO}, struct page *page, int offset, size_t size, loff_t *pos, int more`),
  get_unmapped_area: fn(
    'unsigned long',
    `${IO}, unsigned long addr, unsigned long len, unsigned long pgoff, unsigned long flags`,
  ),
  check_flags: fn('int', 'int flags'),
  flock: fn('int', `${IO}, int cmd, void *fl`),
  splice_write: fn('ssize_t', `void *pipe, ${IO}, loff_t *ppos, size_t len, unsigned int flags`),
  splice_read: fn('ssize_t', `${IO}, loff_t *ppos, void *pipe, size_t len, unsigned int flags`),
  setlease: fn('int', `${IO}, long arg, void **flp, void **priv`),
  fallocate: fn('long', `${IO}, int mode, loff_t offset, loff_t len`),
  show_fdinfo: fn('void', `struct seq_file *m, ${IO}`),
  copy_file_range: fn(
    'ssize_t',
    'struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, size_t count, unsigned int flags',
  ),
  remap_file_range: fn(
    'loff_t',
    'struct file *in, loff_t pos_in, struct file *out, loff_t pos_out, loff_t len, unsigned int flags',
  ),
  fadvise: fn('int', `${IO}, loff_t offset, loff_t len, int advice`),
  uring_cmd: fn('int', 'void *ioucmd, unsigned int issue_flags'),
});

/** How a file of /proc answers: file_operations without what it does not need. */
export const ProcOps = struct('proc_ops', {
  proc_flags: uint,
  proc_open: fn('int', `struct inode *inode, ${IO}`),
  proc_read: fn('ssize_t', `${IO}, char __user *buf, size_t count, loff_t *ppos`),
  proc_read_iter: fn('ssize_t', 'struct kiocb *iocb, struct iov_iter *to'),
  proc_write: fn('ssize_t', `${IO}, const char __user *buf, size_t count, loff_t *ppos`),
  proc_lseek: fn('loff_t', `${IO}, loff_t offset, int whence`),
  proc_release: fn('int', `struct inode *inode, ${IO}`),
  proc_poll: fn('__poll_t', `${IO}, struct poll_table_struct *wait`),
  proc_ioctl: fn('long', `${IO}, unsigned int cmd, unsigned long arg`),
  proc_compat_ioctl: fn('long', `${IO}, unsigned int cmd, unsigned long arg`),
  proc_mmap: fn('int', `${IO}, struct vm_area_struct *vma`),
  proc_get_unmapped_area: fn(
    'unsigned long',
    `${IO}, unsigned long addr, unsigned long len, unsigned long pgoff, unsigned long flags`,
  ),
});

export const SeqOperations = struct('seq_operations', {
  start: fn('void *', 'struct seq_file *m, loff_t *pos'),
  stop: fn('void', 'struct seq_file *m, void *v'),
  next: fn('void *', 'struct seq_file *m, void *v, loff_t *pos'),
  show: fn('int', 'struct seq_file *m, void *v'),
});

/** A read of a virtual file in progress: what has been formatted and not yet read. */
export const SeqFile = struct('seq_file', {
  buf: addr('char'),
  size: ulong,
  from: ulong,
  count: ulong,
  pad_until: ulong,
  index: loff,
  read_pos: loff,
  lock: Mutex,
  op: addr('const struct seq_operations'),
  poll_event: int,
  file: ptr('const struct file'),
  private: addr(),
});

export const Kiocb = struct('kiocb', {
  ki_filp: ptr('struct file'),
  ki_pos: loff,
  ki_complete: fn('void', 'struct kiocb *iocb, long ret'),
  private: addr(),
  ki_flags: int,
  ki_ioprio: u16,
});
