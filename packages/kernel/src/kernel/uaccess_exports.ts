// SPDX-License-Identifier: MIT
/** `linux/uaccess.h`, and what copies a user's string or block into memory of its own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EFAULT, EINVAL, ENOMEM } from '../lib/errno.js';
import { type GuestAccess, readBytes, readS64, writeBytes, writeS64, writeU8 } from '../lib/guest_access.js';
import { PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { GFP_USER } from '../mm/gfp.js';
import type { UserAccess } from './uaccess.js';

export interface UaccessServices {
  readonly mem: GuestAccess;
  readonly user: UserAccess;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

/** The longest object a `memdup` allocates: kmalloc's own limit would report it, this one does not. */
const KMALLOC_MAX = 4 * 2 ** 20;

export function uaccessExports(k: UaccessServices): KernelExports {
  return { ...copyExports(k.user), ...nofaultExports(k.user), ...duplicateExports(k), ...bufferExports(k) };
}

function copyExports(user: UserAccess): KernelExports {
  return {
    __access_ok: ['b:pz', (address: Vaddr, bytes: number) => user.accessOk(address, bytes)],
    _copy_from_user: ['z:ppz', (to: Vaddr, from: Vaddr, n: number) => user.copyFrom(to, from, n)],
    _copy_to_user: ['z:ppz', (to: Vaddr, from: Vaddr, n: number) => user.copyTo(to, from, n)],
    raw_copy_from_user: ['z:ppz', (to: Vaddr, from: Vaddr, n: number) => user.rawCopyFrom(to, from, n)],
    raw_copy_to_user: ['z:ppz', (to: Vaddr, from: Vaddr, n: number) => user.copyTo(to, from, n)],
    clear_user: ['z:pz', (to: Vaddr, n: number) => user.clear(to, n)],
    strncpy_from_user: ['l:ppl', (to: Vaddr, from: Vaddr, n: number) => user.strncpyFrom(to, from, n)],
    strnlen_user: ['l:pl', (s: Vaddr, n: number) => user.strnlen(s, n)],
  };
}

function nofaultExports(user: UserAccess): KernelExports {
  const whole = (missing: number) => (missing === 0 ? 0 : -EFAULT);
  return {
    copy_from_kernel_nofault: [
      'l:ppz',
      (to: Vaddr, from: Vaddr, n: number) => user.copyKernelNofault(to, from, n, from),
    ],
    copy_to_kernel_nofault: [
      'l:ppz',
      (to: Vaddr, from: Vaddr, n: number) => user.copyKernelNofault(to, from, n, to),
    ],
    copy_from_user_nofault: [
      'l:ppz',
      (to: Vaddr, from: Vaddr, n: number) => whole(user.rawCopyFrom(to, from, n)),
    ],
    copy_to_user_nofault: ['l:ppz', (to: Vaddr, from: Vaddr, n: number) => whole(user.copyTo(to, from, n))],
    strncpy_from_kernel_nofault: [
      'l:ppl',
      (to: Vaddr, from: Vaddr, n: number) => user.strncpyFromKernel(to, from, n),
    ],
    // No copy sleeps, so none need be kept from it.
    pagefault_disable: ['v:', () => undefined],
    pagefault_enable: ['v:', () => undefined],
  };
}

/** Functions that return an error as a pointer: -errno itself. */
function duplicateExports({ mem, user, kmalloc, kfree }: UaccessServices): KernelExports {
  /** A copy of a user's block, with `extra` zero bytes behind. @linux mm/util.c:memdup_user full */
  const duplicate = (from: Vaddr, bytes: number, extra: number): Vaddr => {
    const copy = bytes + extra > KMALLOC_MAX ? 0 : kmalloc(bytes + extra, GFP_USER);
    if (copy === 0) return -ENOMEM;
    if (user.copyFrom(copy, from, bytes) !== 0) {
      kfree(copy);
      return -EFAULT;
    }
    if (extra > 0) writeU8(mem, copy + bytes, 0);
    return copy;
  };
  return {
    memdup_user: ['p:pz', (from: Vaddr, n: number) => duplicate(from, n, 0)],
    vmemdup_user: ['p:pz', (from: Vaddr, n: number) => duplicate(from, n, 0)],
    memdup_user_nul: ['p:pz', (from: Vaddr, n: number) => duplicate(from, n, 1)],
    strndup_user: [
      'p:pl',
      (from: Vaddr, n: number) => {
        const length = user.strnlen(from, n);
        if (length === 0) return -EFAULT;
        if (length > n) return -EINVAL;
        const copy = duplicate(from, length, 0);
        // The string may have changed since it was measured.
        if (copy < -4095) writeU8(mem, copy + length - 1, 0);
        return copy;
      },
    ],
  };
}

/** Reads and writes of a buffer at a file position. */
function bufferExports({ mem, user }: UaccessServices): KernelExports {
  /** Moves `count` bytes at *ppos, at most to the end; advances *ppos by what was moved. */
  const at = (
    position: Vaddr,
    count: number,
    available: number,
    move: (at: number, n: number) => number,
  ): number => {
    const pos = readS64(mem, position);
    if (pos < 0) return -EINVAL;
    if (pos >= available || count === 0) return 0;
    const n = Math.min(count, available - pos);
    const missing = move(pos, n);
    if (missing === n) return -EFAULT;
    writeS64(mem, position, pos + n - missing);
    return n - missing;
  };
  return {
    simple_read_from_buffer: [
      'l:pzppz',
      (to: Vaddr, count: number, ppos: Vaddr, from: Vaddr, available: number) =>
        at(ppos, count, available, (pos, n) => user.copyTo(to, from + pos, n)),
    ],
    simple_write_to_buffer: [
      'l:pzppz',
      (to: Vaddr, available: number, ppos: Vaddr, from: Vaddr, count: number) =>
        at(ppos, count, available, (pos, n) => user.copyFrom(to + pos, from, n)),
    ],
    memory_read_from_buffer: [
      'l:pzppz',
      (to: Vaddr, count: number, ppos: Vaddr, from: Vaddr, available: number) =>
        at(ppos, count, available, (pos, n) => {
          for (let done = 0; done < n; done += PAGE_SIZE)
            writeBytes(mem, to + done, readBytes(mem, from + pos + done, Math.min(PAGE_SIZE, n - done)));
          return 0;
        }),
    ],
  };
}
