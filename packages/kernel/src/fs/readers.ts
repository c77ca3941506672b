// SPDX-License-Identifier: MIT
/**
 * Who reads a file whose text lies in the kernel: read() with a user's buffer, or read_iter() with an iterator, which
 * may be a buffer of the kernel's. And the same for who writes.
 */

import { EFAULT, EINVAL, ENOMEM } from '../lib/errno.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import { copyFromIter, copyToIter, iterCount } from '../lib/iov_iter.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { FsDeps } from './fs_context.js';
import { Kiocb } from './fs_types.js';
import type { Staged } from './staged.js';

/** The arguments of a call of a kernel function in stages. */
export interface Reader {
  /** Address of the open file. */
  file(call: Handle): Vaddr;
  /** Bytes wanted, before any was copied. */
  count(call: Handle): number;
  position(call: Handle): number;
  move(call: Handle, position: number): void;
  /** Copies bytes behind those that are there already. @returns how many */
  copy(call: Handle, from: Vaddr, bytes: number, done: number): number;
}

/** Of `read(file, buffer, count, ppos)`. */
export const plainReader = (deps: FsDeps, staged: Staged): Reader => ({
  file: (call) => staged.arg(call, 0),
  count: (call) => staged.arg(call, 2),
  position: (call) => readS64(deps, staged.arg(call, 3)),
  move: (call, position) => writeS64(deps, staged.arg(call, 3), position),
  copy: (call, from, bytes, done) => bytes - deps.user.copyTo(staged.arg(call, 1) + done, from, bytes),
});

/** Of `read_iter(iocb, iter)`. */
export const iterReader = (deps: FsDeps, staged: Staged): Reader => ({
  file: (call) => readS64(deps, staged.arg(call, 0) + Kiocb.o.ki_filp),
  count: (call) => iterCount(deps, staged.arg(call, 1)),
  position: (call) => readS64(deps, staged.arg(call, 0) + Kiocb.o.ki_pos),
  move: (call, position) => writeS64(deps, staged.arg(call, 0) + Kiocb.o.ki_pos, position),
  copy: (call, from, bytes) => copyToIter(deps, from, bytes, staged.arg(call, 1)),
});

/** Copies from a text at the position of an iocb to an iterator, as read_iter() does. */
export function copyOutIter(deps: FsDeps, from: Vaddr, available: number, iocb: Vaddr, iter: Vaddr): number {
  const pos = readS64(deps, iocb + Kiocb.o.ki_pos);
  const wanted = iterCount(deps, iter);
  const n = Math.min(wanted, available - pos);
  if (pos < 0 || n <= 0) return pos < 0 ? -EINVAL : 0;
  const copied = copyToIter(deps, from + pos, n, iter);
  if (copied === 0) return -EFAULT;
  writeS64(deps, iocb + Kiocb.o.ki_pos, pos + copied);
  return copied;
}

/** A kmalloc'ed copy of an iterator's bytes with a NUL behind; a negative errno if there is none. */
export function copyInIter(deps: FsDeps, count: number, iter: Vaddr): Vaddr {
  const buffer = deps.kmalloc(count + 1);
  if (buffer === 0) return -ENOMEM;
  if (copyFromIter(deps, buffer, count, iter) !== count) {
    deps.kfree(buffer);
    return -EFAULT;
  }
  deps.guest.write(buffer + count, Uint8Array.of(0));
  return buffer;
}
