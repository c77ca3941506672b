// SPDX-License-Identifier: MIT
/** /dev/random and /dev/urandom: bytes of the machine's one seeded generator, so that runs repeat. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { EFAULT, EINVAL, ENOMEM } from '../../lib/errno.js';
import { copyToIter, iterAdvance, iterCount } from '../../lib/iov_iter.js';
import { PAGE_SIZE, type Vaddr } from '../../machine/layout.js';

const RNDGETENTCNT = 0x80045200;
/** Bits that the pool holds: it is full from the start. */
const POOL_BITS = 256;

export const RANDOM_FOPS = {
  read_iter: 'random_read_iter',
  write_iter: 'random_write_iter',
  unlocked_ioctl: 'random_ioctl',
  poll: 'random_poll',
  llseek: 'noop_llseek',
} as const;
export const URANDOM_FOPS = {
  read_iter: 'urandom_read_iter',
  write_iter: 'random_write_iter',
  unlocked_ioctl: 'random_ioctl',
  llseek: 'noop_llseek',
} as const;
/** EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM. */
const READY = 0x145;

/** @linux drivers/char/random.c:get_random_bytes_user full */
function read(deps: FsDeps, to: Vaddr): number {
  const wanted = iterCount(deps, to);
  if (wanted === 0) return 0;
  const block = deps.kmalloc(Math.min(PAGE_SIZE, wanted));
  if (block === 0) return -ENOMEM;
  const start = deps.ram.handleOf(block) * 4;
  let done = 0;
  while (done < wanted) {
    const n = Math.min(PAGE_SIZE, wanted - done);
    for (let i = 0, word = 0; i < n; i++, word >>>= 8) {
      if (i % 4 === 0) word = deps.env.random.u32();
      deps.ram.u8[start + i] = word;
    }
    const copied = copyToIter(deps, block, n, to);
    done += copied;
    if (copied < n) break;
  }
  deps.kfree(block);
  return done === 0 ? -EFAULT : done;
}

export function randomFileExports(deps: FsDeps): KernelExports {
  return {
    random_read_iter: ['l:pp', (_iocb: Vaddr, to: Vaddr) => read(deps, to)],
    urandom_read_iter: ['l:pp', (_iocb: Vaddr, to: Vaddr) => read(deps, to)],
    // What is written is taken, and not mixed in.
    random_write_iter: [
      'l:pp',
      (_iocb: Vaddr, from: Vaddr) => {
        const n = iterCount(deps, from);
        iterAdvance(deps, from, n);
        return n;
      },
    ],
    random_poll: ['u:pp', () => READY],
    random_ioctl: [
      'l:pul',
      (_file: Vaddr, command: number, argument: Vaddr) => {
        if (command !== RNDGETENTCNT) return -EINVAL;
        return deps.user.write(argument, Uint8Array.of(POOL_BITS & 0xff, POOL_BITS >> 8, 0, 0)) === 0
          ? 0
          : -EFAULT;
      },
    ],
  };
}
