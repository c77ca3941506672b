// SPDX-License-Identifier: MIT
/**
 * Reading and writing a file through the page cache: what read_iter and write_iter of most file systems are.
 *
 *     read    for each page: in the cache, or read by the file system, or zeros ── copied to the iterator
 *     write   for each page: write_begin (a page, its rest made good) ── copied from the iterator ── write_end
 *
 * Where user memory is missing half-way the call ends there, with the bytes that were moved.
 */

import { AddressSpace, File, FileRaState, Kiocb } from '../fs/fs_types.js';
import { EFAULT, EFBIG, EINVAL, EIO, ENOMEM } from '../lib/errno.js';
import { readS64, readUnsigned, writeS64 } from '../lib/guest_access.js';
import {
  copyFromIter,
  copyToIter,
  faultInReadable,
  iterCount,
  iterRevert,
  iterTruncate,
  iterZero,
} from '../lib/iov_iter.js';
import { type Handle, PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { MAX_FILE_BYTES, type PageCache } from './filemap.js';
import { kernelObject, PagePointers } from './filemap_args.js';
import { GFP_KERNEL } from './gfp.js';

export const IOCB_NOWAIT = 0x8;
export const IOCB_APPEND = 0x10;

const KI_POS = Kiocb.o.ki_pos;
const KI_FLAGS = Kiocb.o.ki_flags;
const PREV_POS = File.w.f_ra + FileRaState.w.prev_pos;

/** The file that a kiocb is for, with what it reads from. */
interface Target {
  readonly file: Handle;
  readonly mapping: Handle;
  /** The inode whose size counts. */
  readonly host: Handle;
}

/** A kiocb without a file, or a file without pages, ends in the oops that using it would cause. */
function targetOf(cache: PageCache, iocb: Vaddr): Target {
  const { deps } = cache;
  const filp = readS64(deps, iocb + Kiocb.o.ki_filp);
  const space = readS64(deps, filp + File.o.f_mapping);
  const host = readS64(deps, space + AddressSpace.o.host);
  return {
    file: kernelObject(deps, filp, File.size),
    mapping: kernelObject(deps, space, AddressSpace.size),
    host: kernelObject(deps, host, 8),
  };
}

/** @returns bytes read, or a negative errno @linux mm/filemap.c:filemap_read full */
export function genericFileReadIter(cache: PageCache, iocb: Vaddr, iter: Vaddr): number {
  const { deps } = cache;
  if (iterCount(deps, iter) <= 0) return 0;
  const target = targetOf(cache, iocb);
  let pos = readS64(deps, iocb + KI_POS);
  if (pos < 0) return -EINVAL;
  if (pos >= cache.maxBytes(target.host)) return 0;
  let done = 0;
  for (;;) {
    const left = Math.min(iterCount(deps, iter), cache.sizeOf(target.mapping) - pos);
    if (left <= 0) break;
    const bytes = Math.min(left, PAGE_SIZE - (pos & PAGE_MASK_LOW));
    const moved = readFromPage(cache, target, pos, bytes, iter);
    if (moved < 0 && done === 0) done = moved;
    if (moved <= 0) break;
    done += moved;
    pos += moved;
    if (moved < bytes) break;
  }
  if (done > 0) {
    writeS64(deps, iocb + KI_POS, pos);
    cache.ram.set64(target.file + PREV_POS, pos);
  }
  cache.fileAccessed(target.file);
  return done;
}

/** Moves bytes of one page to the iterator. @returns how many, or a negative errno if none */
function readFromPage(cache: PageCache, target: Target, pos: number, bytes: number, iter: Vaddr): number {
  const page = cache.readPage(target.mapping, Math.floor(pos / PAGE_SIZE), target.file);
  if (page < 0) return page;
  let moved: number;
  if (page === 0) moved = iterZero(cache.iter, bytes, iter);
  else {
    const last = cache.ram.s64(target.file + PREV_POS) - 1;
    // Reading on in the same page is no second look at it.
    if (Math.floor(last / PAGE_SIZE) !== Math.floor(pos / PAGE_SIZE)) cache.markPageAccessed(page);
    moved = copyToIter(cache.iter, cache.kernelAddress(page) + (pos & PAGE_MASK_LOW), bytes, iter);
    cache.putPage(page);
  }
  return moved === 0 ? -EFAULT : moved;
}

/** @returns bytes written, or a negative errno @linux mm/filemap.c:generic_file_write_iter partial: does not take the inode's lock, since nothing sleeps here */
export function genericFileWriteIter(cache: PageCache, iocb: Vaddr, iter: Vaddr): number {
  const allowed = genericWriteChecks(cache, iocb, iter);
  return allowed <= 0 ? allowed : writeIterUnchecked(cache, iocb, iter);
}

/**
 * Where a write begins and how much of it may be: sets ki_pos to the end for IOCB_APPEND, cuts the iterator short.
 * @returns bytes that may be written, or a negative errno
 * @linux fs/read_write.c:generic_write_checks partial: no swap files
 */
export function genericWriteChecks(cache: PageCache, iocb: Vaddr, iter: Vaddr): number {
  const { deps } = cache;
  if (iterCount(deps, iter) <= 0) return 0;
  const { mapping, host } = targetOf(cache, iocb);
  const flags = readUnsigned(deps, iocb + KI_FLAGS, 4);
  if (flags & IOCB_APPEND) writeS64(deps, iocb + KI_POS, cache.sizeOf(mapping));
  const pos = readS64(deps, iocb + KI_POS);
  if (flags & IOCB_NOWAIT || pos < 0) return -EINVAL;
  const limit = cache.fileSizeLimit();
  if (pos >= limit) {
    cache.fileSizeExceeded();
    return -EFBIG;
  }
  const max = Math.min(limit, cache.maxBytes(host), MAX_FILE_BYTES);
  if (pos >= max) return -EFBIG;
  iterTruncate(deps, iter, max - pos);
  return iterCount(deps, iter);
}

/** @linux mm/filemap.c:__generic_file_write_iter partial: no direct I/O, no privileges to remove */
export function writeIterUnchecked(cache: PageCache, iocb: Vaddr, iter: Vaddr): number {
  const target = targetOf(cache, iocb);
  const pos = readS64(cache.deps, iocb + KI_POS);
  if (pos < 0) return -EINVAL;
  cache.fileUpdateTime(target.host);
  const written = genericPerformWrite(cache, target, pos, iter);
  if (written > 0) writeS64(cache.deps, iocb + KI_POS, pos + written);
  return written;
}

/** @linux mm/filemap.c:generic_perform_write full */
function genericPerformWrite(cache: PageCache, target: Target, start: number, iter: Vaddr): number {
  const { deps } = cache;
  const begin = cache.foreignOperation(target.mapping, 'write_begin', 'simple_write_begin');
  let written = 0;
  while (iterCount(deps, iter) > 0) {
    const pos = start + written;
    const bytes = Math.min(iterCount(deps, iter), PAGE_SIZE - (pos & PAGE_MASK_LOW));
    if (faultInReadable(cache.iter, iter, bytes) === bytes) return written || -EFAULT;
    const status =
      begin === 0
        ? writeToPage(cache, target.mapping, pos, bytes, iter)
        : writeByOperations(cache, target, begin, pos, bytes, iter);
    if (status <= 0) return written || status;
    written += status;
  }
  return written;
}

/** Writes within one page of a file in memory. @returns bytes, or -ENOMEM */
function writeToPage(cache: PageCache, mapping: Handle, pos: number, bytes: number, iter: Vaddr): number {
  const page = cache.writeBegin(mapping, pos, bytes);
  if (page === 0) return -ENOMEM;
  const to = cache.kernelAddress(page) + (pos & PAGE_MASK_LOW);
  const copied = copyFromIter(cache.iter, to, bytes, iter);
  cache.writeEnd(mapping, page, pos, bytes, copied);
  cache.putPage(page);
  return copied === 0 ? -EFAULT : copied;
}

/** The same as a module's file system does it. */
function writeByOperations(
  cache: PageCache,
  { file, mapping }: Target,
  begin: Vaddr,
  pos: number,
  bytes: number,
  iter: Vaddr,
): number {
  const { deps } = cache;
  // Where write_begin puts the page and what it wants to be given back.
  const out = deps.kmalloc(16, GFP_KERNEL);
  if (out === 0) return -ENOMEM;
  writeS64(deps, out, 0);
  writeS64(deps, out + 8, 0);
  const where = [cache.ram.addressOf(file), cache.ram.addressOf(mapping), pos, bytes];
  const error = deps.callC(begin, 'i:pplupp', ...where, out, out + 8);
  const [pointer, fsdata] = [readS64(deps, out), readS64(deps, out + 8)];
  deps.kfree(out);
  if (error < 0) return error;
  const page = new PagePointers(cache).page(pointer);
  const copied = copyFromIter(cache.iter, cache.kernelAddress(page) + (pos & PAGE_MASK_LOW), bytes, iter);
  const end = cache.operation(mapping, 'write_end');
  const status = deps.callC(end, 'i:ppluupp', ...where, copied, pointer, fsdata);
  if (status !== copied) iterRevert(deps, iter, copied - Math.max(status, 0));
  if (status === 0) return copied === 0 ? -EFAULT : -EIO;
  return status;
}
