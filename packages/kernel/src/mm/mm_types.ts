// SPDX-License-Identifier: MIT
/**
 * `struct mm_struct` (an address space) and `struct vm_area_struct` (one mapping in it).
 *
 *     mm ── mmap ──► vma ⇄ vma ⇄ vma         by address, through vm_next and vm_prev; NULL at both ends
 *      └─── mm_rb ─► the same, as a red-black tree through vm_rb
 *
 * Fields and their order follow Linux 6.1, with the list and the tree of Linux up to 6.0 in place of its maple tree.
 */

import { atomic, atomicLong, named } from '../lib/c_types.js';
import { ListHead } from '../lib/list.js';
import { RwSemaphore, spinlock } from '../lib/lock_types.js';
import { RbNode, RbRoot } from '../lib/rbtree.js';
import { addr, array, fn, int, long, ptr, struct, u64, ulong, vaddr } from '../lib/struct.js';

/** Place of a file mapping in the interval tree of its address_space. */
export const VmaShared = struct('vma_shared', { rb: RbNode, rb_subtree_last: ulong });

export const VmAreaStruct = struct('vm_area_struct', {
  /** First address, and the first one past the end. */
  vm_start: vaddr,
  vm_end: vaddr,
  vm_next: ptr('struct vm_area_struct'),
  vm_prev: ptr('struct vm_area_struct'),
  vm_rb: RbNode,
  /** Largest gap before any mapping of this subtree, in bytes. */
  rb_subtree_gap: ulong,
  vm_mm: ptr('struct mm_struct'),
  vm_page_prot: named(ulong, 'pgprot_t'),
  vm_flags: ulong,
  shared: VmaShared,
  anon_vma_chain: ListHead,
  anon_vma: ptr('struct anon_vma'),
  vm_ops: addr('const struct vm_operations_struct'),
  /** Offset in the file, in pages. */
  vm_pgoff: ulong,
  vm_file: ptr('struct file'),
  vm_private_data: addr(),
  swap_readahead_info: atomicLong,
});

/** Resident pages by kind: MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES. */
export const NR_MM_COUNTERS = 4;
export const MmRssStat = struct('mm_rss_stat', { count: array(atomicLong, NR_MM_COUNTERS) });

/** Words of the auxiliary vector that exec builds. */
export const AT_VECTOR_SIZE = 2 * (2 + 20 + 1);

export const MmStruct = struct('mm_struct', {
  mmap: ptr('struct vm_area_struct'),
  mm_rb: RbRoot,
  vmacache_seqnum: u64,
  get_unmapped_area: fn(
    'unsigned long',
    'struct file *filp, unsigned long addr, unsigned long len, unsigned long pgoff, unsigned long flags',
  ),
  mmap_base: vaddr,
  mmap_legacy_base: vaddr,
  task_size: vaddr,
  highest_vm_end: vaddr,
  pgd: ptr('pgd_t'),
  /** Users of the address space; and references to this struct, of which all users together hold one. */
  mm_users: atomic,
  mm_count: atomic,
  pgtables_bytes: atomicLong,
  map_count: int,
  page_table_lock: spinlock,
  mmap_lock: RwSemaphore,
  mmlist: ListHead,
  /** In pages, like total_vm, locked_vm, data_vm, exec_vm, stack_vm. */
  hiwater_rss: ulong,
  hiwater_vm: ulong,
  total_vm: ulong,
  locked_vm: ulong,
  pinned_vm: named(long, 'atomic64_t'),
  data_vm: ulong,
  exec_vm: ulong,
  stack_vm: ulong,
  def_flags: ulong,
  arg_lock: spinlock,
  start_code: vaddr,
  end_code: vaddr,
  start_data: vaddr,
  end_data: vaddr,
  start_brk: vaddr,
  brk: vaddr,
  start_stack: vaddr,
  arg_start: vaddr,
  arg_end: vaddr,
  env_start: vaddr,
  env_end: vaddr,
  saved_auxv: array(ulong, AT_VECTOR_SIZE),
  rss_stat: MmRssStat,
  binfmt: addr('struct linux_binfmt'),
  flags: ulong,
  owner: ptr('struct task_struct'),
  user_ns: addr('struct user_namespace'),
  exe_file: ptr('struct file'),
  /** Address space of hugetlb, oom reaper, delayed drop: a work item's room. */
  async_put_work: array(ulong, 4),
});
