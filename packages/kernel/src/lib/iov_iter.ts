// SPDX-License-Identifier: MIT
/**
 * `struct iov_iter`: where read_iter and write_iter copy to and from.
 *
 *     ITER_UBUF    one user buffer: ubuf + iov_offset …, count bytes left
 *     ITER_IOVEC   nr_segs user buffers, the first of them from iov_offset on
 *     ITER_KVEC    the same with kernel buffers
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import {
  bytesToPageEnd,
  type GuestAccess,
  readS64,
  readU8,
  writeInteger,
  writeS64,
  writeU8,
} from './guest_access.js';

/** Offsets in struct iov_iter, and iov_iter.iter_type. */
const OFFSET = 8;
const COUNT = 16;
const SEGMENTS = 24;
const NR_SEGS = 32;
const ITER_IOVEC = 0;
const ITER_KVEC = 1;
const ITER_UBUF = 6;
const SEGMENT = 16;
/** The most bytes that one call moves: no iterator was ever moved on by more. */
const MAX_RW_COUNT = 0x7ffff000;

export interface UserCopies {
  /** Bytes that could not be copied. */
  copyTo(to: Vaddr, from: Vaddr, bytes: number): number;
  /** The same from user space; what could not be copied stays as it is. */
  rawCopyFrom(to: Vaddr, from: Vaddr, bytes: number): number;
  /** Bytes that could not be zeroed. */
  clear(to: Vaddr, bytes: number): number;
  /** undefined if not all bytes can be read. */
  read(from: Vaddr, bytes: number): Uint8Array | undefined;
  checkObject(address: Vaddr, bytes: number, toUser: boolean): void;
}

/** What is needed to copy to and from an iterator. */
export interface IterAccess extends GuestAccess {
  readonly user: UserCopies;
}

/** Bytes left. @linux include/linux/uio.h:iov_iter_count full */
export const iterCount = (mem: GuestAccess, i: Vaddr): number => readS64(mem, i + COUNT);

/** Forgets what lies beyond so many bytes. @linux include/linux/uio.h:iov_iter_truncate full */
export function iterTruncate(mem: GuestAccess, i: Vaddr, bytes: number): void {
  if (iterCount(mem, i) > bytes) writeS64(mem, i + COUNT, bytes);
}

/**
 * Goes on through what the iterator stands on, piece by piece, until one is not done whole.
 * @param piece does a piece; returns how many of its bytes were done
 * @returns how many bytes were done
 */
function walk(
  mem: GuestAccess,
  i: Vaddr,
  bytes: number,
  piece: (at: Vaddr, n: number, done: number) => number,
): number {
  const single = readU8(mem, i) === ITER_UBUF;
  const wanted = Math.min(bytes, iterCount(mem, i));
  let done = 0;
  while (done < wanted && (single || readS64(mem, i + NR_SEGS) > 0)) {
    const offset = readS64(mem, i + OFFSET);
    const segment = readS64(mem, i + SEGMENTS);
    const base = single ? segment : readS64(mem, segment);
    const room = single ? wanted - done : readS64(mem, segment + 8) - offset;
    const n = Math.max(0, Math.min(wanted - done, room));
    const moved = n === 0 ? 0 : piece(base + offset, n, done);
    done += moved;
    iterAdvance(mem, i, moved);
    if (moved < n) break;
  }
  return done;
}

const isKernel = (mem: GuestAccess, i: Vaddr): boolean => readU8(mem, i) === ITER_KVEC;

/** @returns bytes copied: fewer than asked if memory there cannot be written. @linux lib/iov_iter.c:_copy_to_iter full */
export function copyToIter(k: IterAccess, from: Vaddr, bytes: number, i: Vaddr): number {
  const kernel = isKernel(k, i);
  return walk(k, i, bytes, (at, n, done) => {
    if (!kernel) return n - k.user.copyTo(at, from + done, n);
    k.guest.write(at, k.guest.read(from + done, n));
    return n;
  });
}

/** @returns bytes copied; what is missing stays as it was. @linux lib/iov_iter.c:_copy_from_iter full */
export function copyFromIter(k: IterAccess, to: Vaddr, bytes: number, i: Vaddr): number {
  const kernel = isKernel(k, i);
  return walk(k, i, bytes, (at, n, done) => {
    if (!kernel) return n - k.user.rawCopyFrom(to + done, at, n);
    k.guest.write(to + done, k.guest.read(at, n));
    return n;
  });
}

/** @linux lib/iov_iter.c:iov_iter_zero full */
export function iterZero(k: IterAccess, bytes: number, i: Vaddr): number {
  const kernel = isKernel(k, i);
  return walk(k, i, bytes, (at, n) => {
    if (!kernel) return n - k.user.clear(at, n);
    k.guest.write(at, new Uint8Array(n));
    return n;
  });
}

/** @linux lib/iov_iter.c:iov_iter_advance full */
export function iterAdvance(mem: GuestAccess, i: Vaddr, bytes: number): void {
  const n = Math.min(bytes, iterCount(mem, i));
  writeS64(mem, i + COUNT, iterCount(mem, i) - n);
  let offset = readS64(mem, i + OFFSET) + n;
  if (readU8(mem, i) !== ITER_UBUF)
    while (readS64(mem, i + NR_SEGS) > 0) {
      const segment = readS64(mem, i + SEGMENTS);
      const length = readS64(mem, segment + 8);
      if (offset < length) break;
      offset -= length;
      writeS64(mem, i + SEGMENTS, segment + SEGMENT);
      writeS64(mem, i + NR_SEGS, readS64(mem, i + NR_SEGS) - 1);
    }
  writeS64(mem, i + OFFSET, offset);
}

/** Goes back over bytes that were gone over. @linux lib/iov_iter.c:iov_iter_revert full */
export function iterRevert(mem: GuestAccess, i: Vaddr, bytes: number): void {
  if (bytes <= 0 || bytes > MAX_RW_COUNT) return;
  writeS64(mem, i + COUNT, iterCount(mem, i) + bytes);
  let offset = readS64(mem, i + OFFSET) - bytes;
  if (readU8(mem, i) !== ITER_UBUF)
    while (offset < 0) {
      const segment = readS64(mem, i + SEGMENTS) - SEGMENT;
      offset += readS64(mem, segment + 8);
      writeS64(mem, i + SEGMENTS, segment);
      writeS64(mem, i + NR_SEGS, readS64(mem, i + NR_SEGS) + 1);
    }
  writeS64(mem, i + OFFSET, offset);
}

/**
 * Bytes of the next so many that cannot be read, because a user page before them is missing.
 * @linux lib/iov_iter.c:fault_in_iov_iter_readable full
 */
export function faultInReadable(k: IterAccess, i: Vaddr, bytes: number): number {
  const wanted = Math.min(bytes, iterCount(k, i));
  if (isKernel(k, i)) return 0;
  const single = readU8(k, i) === ITER_UBUF;
  let segment = readS64(k, i + SEGMENTS);
  let offset = readS64(k, i + OFFSET);
  let done = 0;
  for (let left = single ? 1 : readS64(k, i + NR_SEGS); left > 0 && done < wanted; left--) {
    const base = (single ? segment : readS64(k, segment)) + offset;
    const n = Math.min(wanted - done, single ? wanted : readS64(k, segment + 8) - offset);
    const readable = readableBytes(k.user, base, n);
    done += readable;
    if (readable < n) break;
    segment += SEGMENT;
    offset = 0;
  }
  return bytes - done;
}

/** How many bytes can be read, by looking at one of each page. @linux mm/gup.c:fault_in_readable full */
function readableBytes(user: UserCopies, from: Vaddr, bytes: number): number {
  for (let done = 0; done < bytes; done += bytesToPageEnd(from + done))
    if (user.read(from + done, 1) === undefined) return done;
  return Math.max(0, bytes);
}

/** Bytes left in the first segment. @linux lib/iov_iter.c:iov_iter_single_seg_count full */
function singleSegmentCount(mem: GuestAccess, i: Vaddr): number {
  const count = iterCount(mem, i);
  if (readU8(mem, i) === ITER_UBUF || readS64(mem, i + NR_SEGS) <= 1) return count;
  return Math.min(count, readS64(mem, readS64(mem, i + SEGMENTS) + 8) - readS64(mem, i + OFFSET));
}

export function iovIterExports(mem: GuestAccess, user: UserCopies): KernelExports {
  const k: IterAccess = { ram: mem.ram, guest: mem.guest, user };
  const init =
    (type: number, isUser: number) =>
    (i: Vaddr, direction: number, segments: Vaddr, nr: number, count: number): undefined => {
      writeInteger(mem, i, 0, 8);
      writeU8(mem, i, type);
      writeU8(mem, i + 2, direction);
      writeU8(mem, i + 3, isUser);
      writeS64(mem, i + OFFSET, 0);
      writeS64(mem, i + COUNT, count);
      writeS64(mem, i + SEGMENTS, segments);
      writeS64(mem, i + NR_SEGS, nr);
    };
  const checkedCopyFrom = (to: Vaddr, n: number, i: Vaddr): number => {
    user.checkObject(to, n, false);
    return copyFromIter(k, to, n, i);
  };
  return {
    _copy_to_iter: ['z:pzp', (from: Vaddr, n: number, i: Vaddr) => copyToIter(k, from, n, i)],
    _copy_from_iter: ['z:pzp', checkedCopyFrom],
    iov_iter_zero: ['z:zp', (n: number, i: Vaddr) => iterZero(k, n, i)],
    iov_iter_advance: ['v:pz', (i: Vaddr, n: number) => iterAdvance(mem, i, n)],
    iov_iter_revert: ['v:pz', (i: Vaddr, n: number) => iterRevert(mem, i, n)],
    fault_in_iov_iter_readable: ['z:pz', (i: Vaddr, n: number) => faultInReadable(k, i, n)],
    iov_iter_init: ['v:pupzz', init(ITER_IOVEC, 1)],
    iov_iter_kvec: ['v:pupzz', init(ITER_KVEC, 0)],
    iov_iter_single_seg_count: ['z:p', (i: Vaddr) => singleSegmentCount(mem, i)],
  };
}
