// SPDX-License-Identifier: MIT
/** What the parts of the file system are given, and the record of a system call on a file. */

import type { Modules } from '../kernel/module/main.js';
import type { Scheduler } from '../kernel/sched/core.js';
import type { Tasks } from '../kernel/tasks.js';
import type { UserAccess } from '../kernel/uaccess.js';
import type { CallC } from '../lib/c_call.js';
import type { Env } from '../lib/env.js';
import type { GuestAccess } from '../lib/guest_access.js';
import { addr, array, int, long, ptr, s64, struct, u8, uint, ulong, vaddr } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { PageCache } from '../mm/filemap.js';
import type { PageAllocator } from '../mm/page_alloc.js';
import type { PageTables } from '../mm/pgtable.js';
import type { Slub } from '../mm/slub.js';
import { Kiocb } from './fs_types.js';
import type { Moment } from './inode.js';
import { FsStruct } from './vfs_types.js';

export interface FsDeps extends GuestAccess {
  readonly env: Env;
  readonly scheduler: Scheduler;
  readonly tasks: Tasks;
  readonly slub: Slub;
  readonly pages: PageAllocator;
  readonly user: UserAccess;
  readonly callC: CallC;
  readonly pageCache: PageCache;
  /** The date. */
  now(): Moment;
  pageTables(): PageTables;
  modules(): Modules;
  flushPage(address: Vaddr): void;
  /** Runs code below the named functions, outermost first, as call traces and call sites see it. */
  inFrames<T>(names: readonly string[], body: () => T): T;
  /** Address of a function or variable of the kernel. */
  symbol(name: string): Vaddr;
  /** Formats as printf does. */
  format(format: Vaddr, args: Vaddr, max?: number): Uint8Array;
  kmalloc(bytes: number, gfp?: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** What read_iter and write_iter copy from or to: here always one user buffer. */
export const IterRecord = struct('iov_iter_record', {
  iter_type: u8,
  nofault: u8,
  data_source: u8,
  user_backed: u8,
  iov_offset: ulong,
  count: ulong,
  ubuf: vaddr,
  nr_segs: ulong,
});
export const ITER_IOVEC = 0;
export const ITER_KVEC = 1;
export const ITER_UBUF = 6;

export const CALL_ARGS = 5;
export const CALL_WORDS = 8;

/** A system call under way: what must survive while C sleeps in it. */
export const FileCall = struct('file_call', {
  /** Which one, 0 if the task is in user mode. */
  nr: uint,
  fd: int,
  file: ptr('struct file'),
  flags: uint,
  command: uint,
  argument: vaddr,
  count: ulong,
  /** A place for *ppos. */
  pos: s64,
  /** Where the call goes on after fput(): a number of `AFTER_CLOSE`. */
  next: uint,
  result: long,
  /** Arguments and words of a kernel function in stages. */
  args: array(long, CALL_ARGS),
  words: array(long, CALL_WORDS),
  poll_qproc: addr(),
  poll_key: ulong,
  iocb: Kiocb,
  iter: IterRecord,
});

export const MAX_FILES = 256;

/** A task's open files, and its system call. */
export const FilesStruct = struct('files_struct', {
  call: FileCall,
  /** User pages that the call has mapped. */
  user_start: vaddr,
  user_bytes: ulong,
  fd: array(ulong, MAX_FILES),
  /** The task's `fs`: where its paths start. */
  fs: FsStruct,
});
export const CALL = FilesStruct.w.call;
export const FS = FilesStruct.w.fs;

/** What a kernel function in stages does next: it has a result, or calls C. */
export type Next =
  | number
  | {
      readonly fn: Vaddr;
      readonly signature: string;
      readonly args: readonly number[];
      readonly stage: number;
    };
/** @param result what C returned, in stages after the first */
export type StagedFunction = (call: Handle, stage: number, result: number) => Next;
