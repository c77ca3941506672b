// SPDX-License-Identifier: MIT
/** `struct iov_iter`: where read_iter and write_iter copy to and from. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { type GuestAccess, readS64, readU8, writeInteger, writeS64, writeU8 } from './guest_access.js';

/** Offsets in struct iov_iter, and iov_iter.iter_type. */
const OFFSET = 8;
const COUNT = 16;
const SEGMENTS = 24;
const NR_SEGS = 32;
const ITER_IOVEC = 0;
const ITER_KVEC = 1;
const ITER_UBUF = 6;
const SEGMENT = 16;

export interface UserCopies {
  /** Bytes that could not be copied. */
  copyTo(to: Vaddr, from: Vaddr, bytes: number): number;
  copyFrom(to: Vaddr, from: Vaddr, bytes: number): number;
}

/** Moves bytes between a kernel buffer and what the iterator stands on; how many were moved. */
function move(
  mem: GuestAccess,
  user: UserCopies,
  at: Vaddr,
  bytes: number,
  i: Vaddr,
  toIter: boolean,
): number {
  const type = readU8(mem, i);
  let left = Math.min(bytes, readS64(mem, i + COUNT));
  let done = 0;
  while (left > 0) {
    const offset = readS64(mem, i + OFFSET);
    const segment = readS64(mem, i + SEGMENTS);
    const single = type === ITER_UBUF;
    const base = single ? segment : readS64(mem, segment);
    const room = single ? left : readS64(mem, segment + 8) - offset;
    const n = Math.min(left, room);
    const [to, from] = toIter ? [base + offset, at + done] : [at + done, base + offset];
    let missing = 0;
    if (type === ITER_KVEC) mem.guest.write(to, mem.guest.read(from, n));
    else missing = toIter ? user.copyTo(to, from, n) : user.copyFrom(to, from, n);
    const moved = n - missing;
    done += moved;
    left -= moved;
    advance(mem, i, moved);
    if (missing > 0) break;
  }
  return done;
}

function advance(mem: GuestAccess, i: Vaddr, bytes: number): void {
  const n = Math.min(bytes, readS64(mem, i + COUNT));
  writeS64(mem, i + COUNT, readS64(mem, i + COUNT) - n);
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

export function iovIterExports(mem: GuestAccess, user: UserCopies): KernelExports {
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
  return {
    _copy_to_iter: ['z:pzp', (from: Vaddr, n: number, i: Vaddr) => move(mem, user, from, n, i, true)],
    _copy_from_iter: ['z:pzp', (to: Vaddr, n: number, i: Vaddr) => move(mem, user, to, n, i, false)],
    iov_iter_advance: ['v:pz', (i: Vaddr, n: number) => advance(mem, i, n)],
    iov_iter_init: ['v:pupzz', init(ITER_IOVEC, 1)],
    iov_iter_kvec: ['v:pupzz', init(ITER_KVEC, 0)],
    iov_iter_single_seg_count: ['z:p', (i: Vaddr) => readS64(mem, i + COUNT)],
  };
}
