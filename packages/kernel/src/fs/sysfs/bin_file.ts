// SPDX-License-Identifier: MIT
/** Attributes of sysfs that are bytes, not a text: each read and write is passed on, at most a page at a time. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EFAULT, EFBIG, EIO, ENOMEM } from '../../lib/errno.js';
import { readS64, writeS64 } from '../../lib/guest_access.js';
import { copyFromIter, copyToIter, iterCount } from '../../lib/iov_iter.js';
import { PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { objectAt } from '../c_pointers.js';
import type { FileTable } from '../file_table.js';
import type { FsDeps } from '../fs_context.js';
import { File, Kiocb } from '../fs_types.js';
import type { Kernfs } from '../kernfs/kernfs.js';

/** Offsets in struct bin_attribute. */
const SIZE = 16;
const READ = 40;
const WRITE = 48;
const SIGNATURE = 'l:pppplz';

export class SysfsBinFiles {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly files: FileTable,
  ) {}

  /**
   * Passes a read or write on.
   * @param full the result beyond the end
   * @param move what fills the buffer before the call, and empties it after
   * @linux fs/sysfs/file.c:sysfs_kf_bin_read partial: the attribute's function cannot sleep
   */
  private pass(iocb: Vaddr, count: number, method: number, full: number, move: Move): number {
    const { deps } = this;
    const file = readS64(deps, iocb + Kiocb.o.ki_filp);
    const node = this.tree.at(this.files.nodeOf(objectAt(deps, file, File.size)));
    const pos = readS64(deps, iocb + Kiocb.o.ki_pos);
    const size = readS64(deps, node.attr + SIZE);
    if (count === 0) return 0;
    if (size !== 0 && pos >= size) return full;
    const n = Math.min(count, PAGE_SIZE, size === 0 ? PAGE_SIZE : size - pos);
    const fn = readS64(deps, node.attr + method);
    if (fn === 0) return -EIO;
    const buffer = deps.kmalloc(PAGE_SIZE);
    if (buffer === 0) return -ENOMEM;
    deps.ram.fill(deps.ram.handleOf(buffer) * 4, PAGE_SIZE, 0);
    let result = move.before(buffer, n) ? 0 : -EFAULT;
    if (result === 0) result = deps.callC(fn, SIGNATURE, file, node.priv, node.attr, buffer, pos, n);
    if (result > 0 && !move.after(buffer, Math.min(result, n))) result = -EFAULT;
    deps.kfree(buffer);
    if (result > 0) writeS64(deps, iocb + Kiocb.o.ki_pos, pos + result);
    return result;
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      sysfs_kf_bin_read: [
        'l:pp',
        (iocb: Vaddr, to: Vaddr) =>
          this.pass(iocb, iterCount(deps, to), READ, 0, {
            before: () => true,
            after: (buffer, n) => copyToIter(deps, buffer, n, to) === n,
          }),
      ],
      /** @linux fs/sysfs/file.c:sysfs_kf_bin_write partial: the attribute's function cannot sleep */
      sysfs_kf_bin_write: [
        'l:pp',
        (iocb: Vaddr, from: Vaddr) =>
          this.pass(iocb, iterCount(deps, from), WRITE, -EFBIG, {
            before: (buffer, n) => copyFromIter(deps, buffer, n, from) === n,
            after: () => true,
          }),
      ],
    };
  }
}

interface Move {
  /** False if memory of the user's cannot be read. */
  before(buffer: Vaddr, bytes: number): boolean;
  /** False if it cannot be written. */
  after(buffer: Vaddr, bytes: number): boolean;
}
