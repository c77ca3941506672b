// SPDX-License-Identifier: MIT
/** Small functions that drivers put into their tables: positions, opens, files of one number. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EACCES, EFAULT, EINVAL, ENOMEM, ENXIO, ERANGE, ESPIPE } from '../lib/errno.js';
import { readCString, readS64, writeBigInt } from '../lib/guest_access.js';
import { addr, chars, fn, struct } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { FMODE_LSEEK, FMODE_PREAD, FMODE_PWRITE, FMODE_STREAM } from './file_table.js';
import type { FsDeps, Next } from './fs_context.js';
import { File, Inode } from './fs_types.js';
import type { Staged } from './staged.js';
import { copyIn, copyOut } from './sysfs/file.js';

const SEEK_SET = 0;
const SEEK_CUR = 1;
const SEEK_END = 2;
const SEEK_DATA = 3;
const SEEK_HOLE = 4;
const NUMBER_TEXT = 24;

/** An open file of one number. */
const SimpleAttr = struct('simple_attr', {
  get: fn('int', 'void *data, u64 *val'),
  set: fn('int', 'void *data, u64 val'),
  get_buf: chars(NUMBER_TEXT),
  set_buf: chars(NUMBER_TEXT),
  data: addr(),
  fmt: addr('const char'),
  value: chars(8),
  length: chars(8),
});
const A = SimpleAttr.o;

export class Libfs {
  constructor(
    private readonly deps: FsDeps,
    private readonly staged: Staged,
  ) {
    staged.add('simple_attr_read', 'l:ppzp', (call, stage, result) => this.attrRead(call, stage, result));
    staged.add('simple_attr_write', 'l:ppzp', (call, stage, result) => this.attrWrite(call, stage, result));
    staged.add('simple_attr_write_signed', 'l:ppzp', (call, stage, result) =>
      this.attrWrite(call, stage, result),
    );
  }

  private file(file: Vaddr) {
    return File.at(this.deps.ram, this.deps.ram.handleOf(file));
  }

  private sizeOf(file: Vaddr): number {
    return Inode.at(this.deps.ram, this.file(file).f_inode).i_size;
  }

  /** Moves a file's position, if it may be there. @linux fs/read_write.c:vfs_setpos full */
  private setPosition(file: Vaddr, offset: number, max: number): number {
    if (offset < 0 || offset > max) return -EINVAL;
    this.file(file).f_pos = offset;
    return offset;
  }

  /** @linux fs/read_write.c:generic_file_llseek_size full */
  private seek(file: Vaddr, offset: number, whence: number, max: number, end: number): number {
    if (whence === SEEK_END) return this.setPosition(file, end + offset, max);
    if (whence === SEEK_CUR) return this.setPosition(file, this.file(file).f_pos + offset, max);
    if (whence === SEEK_DATA || whence === SEEK_HOLE) {
      if (offset < 0 || offset >= end) return -ENXIO;
      return this.setPosition(file, whence === SEEK_HOLE ? end : offset, max);
    }
    return whence === SEEK_SET ? this.setPosition(file, offset, max) : -EINVAL;
  }

  private clearModes(file: Vaddr, modes: number, set = 0): number {
    const f = this.file(file);
    f.f_mode = (f.f_mode & ~modes) | set;
    return 0;
  }

  exports(): KernelExports {
    const generic = (file: Vaddr, offset: number, whence: number) =>
      this.seek(file, offset, whence, Number.MAX_SAFE_INTEGER, this.sizeOf(file));
    return {
      noop_llseek: ['l:pli', (file: Vaddr) => this.file(file).f_pos],
      no_llseek: ['l:pli', () => -ESPIPE],
      default_llseek: ['l:pli', generic],
      generic_file_llseek: ['l:pli', generic],
      generic_file_llseek_size: [
        'l:plill',
        (file: Vaddr, offset: number, whence: number, max: number, end: number) =>
          this.seek(file, offset, whence, max, end),
      ],
      vfs_setpos: [
        'l:pll',
        (file: Vaddr, offset: number, max: number) => this.setPosition(file, offset, max),
      ],
      fixed_size_llseek: [
        'l:plil',
        (file: Vaddr, offset: number, whence: number, size: number) =>
          whence > SEEK_END ? -EINVAL : this.seek(file, offset, whence, size, size),
      ],
      generic_file_open: ['i:pp', () => 0],
      nonseekable_open: [
        'i:pp',
        (_inode: Vaddr, file: Vaddr) => this.clearModes(file, FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE),
      ],
      stream_open: [
        'i:pp',
        (_inode: Vaddr, file: Vaddr) =>
          this.clearModes(file, FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE, FMODE_STREAM),
      ],
      simple_open: [
        'i:pp',
        (inode: Vaddr, file: Vaddr) => {
          const { i_private } = Inode.at(this.deps.ram, this.deps.ram.handleOf(inode));
          if (i_private !== 0) this.file(file).private_data = i_private;
          return 0;
        },
      ],
      simple_attr_open: [
        'i:ppppp',
        (inode: Vaddr, file: Vaddr, get: Vaddr, set: Vaddr, fmt: Vaddr) =>
          this.attrOpen(inode, file, get, set, fmt),
      ],
      simple_attr_release: [
        'i:pp',
        (_inode: Vaddr, file: Vaddr) => {
          this.deps.kfree(this.file(file).private_data);
          return 0;
        },
      ],
    };
  }

  // ---------------------------------------------------------------- files of one number

  /** @linux fs/libfs.c:simple_attr_open full */
  private attrOpen(inode: Vaddr, file: Vaddr, get: Vaddr, set: Vaddr, fmt: Vaddr): number {
    const { ram, kmalloc } = this.deps;
    const at = kmalloc(SimpleAttr.size);
    if (at === 0) return -ENOMEM;
    const attr = ram.handleOf(at);
    ram.fill(attr * 4, SimpleAttr.size, 0);
    const a = SimpleAttr.at(ram, attr);
    a.get = get;
    a.set = set;
    a.fmt = fmt;
    a.data = Inode.at(ram, ram.handleOf(inode)).i_private;
    this.file(file).private_data = at;
    return this.clearModes(file, FMODE_LSEEK);
  }

  private attrOf(call: Handle) {
    const { ram } = this.deps;
    return SimpleAttr.at(ram, ram.handleOf(this.file(this.staged.arg(call, 0)).private_data));
  }

  /** @linux fs/libfs.c:simple_attr_read full */
  private attrRead(call: Handle, stage: number, result: number): Next {
    const { deps, staged } = this;
    const a = this.attrOf(call);
    const ppos = staged.arg(call, 3);
    const at = deps.ram.addressOf(a.h);
    if (a.get === 0) return -EACCES;
    const old = a.get_buf[0] !== 0 && readS64(deps, ppos) !== 0;
    if (stage === 0 && !old) return { fn: a.get, signature: 'i:pp', args: [a.data, at + A.value], stage: 1 };
    if (stage === 1) {
      if (result !== 0) return result;
      const text = deps.format(a.fmt, at + A.value, NUMBER_TEXT - 1);
      a.get_buf.fill(0);
      a.get_buf.set(text);
    }
    const end = a.get_buf.indexOf(0);
    return copyOut(deps, at + A.get_buf, end, staged.arg(call, 1), staged.arg(call, 2), ppos);
  }

  /** @linux fs/libfs.c:simple_attr_write_xsigned full */
  private attrWrite(call: Handle, stage: number, result: number): Next {
    const { deps, staged } = this;
    const a = this.attrOf(call);
    const count = staged.arg(call, 2);
    if (stage === 1) return result === 0 ? count : result;
    if (a.set === 0) return -EACCES;
    const n = Math.min(NUMBER_TEXT - 1, count);
    const copy = copyIn(deps, staged.arg(call, 1), n);
    if (copy < 0 && copy > -4096) return copy === -ENOMEM ? copy : -EFAULT;
    const text = String.fromCharCode(...readCString(deps, copy, n)).trim();
    deps.kfree(copy);
    const value = parseNumber(text);
    if (typeof value === 'number') return value;
    // Beyond 2^53 a number of this kernel is not exact: the nearest is passed.
    return { fn: a.set, signature: 'i:pl', args: [a.data, Number(BigInt.asIntN(64, value))], stage: 1 };
  }

  /** Writes a 64-bit number where C reads it. */
  store(at: Vaddr, value: bigint, bytes: 1 | 2 | 4 | 8): void {
    writeBigInt(this.deps, at, value, bytes);
  }
}

/** A whole number as kstrtoull and kstrtoll read it: decimal, 0x…, 0…; -EINVAL or -ERANGE. */
export function parseNumber(text: string): bigint | number {
  const match = /^([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)$/.exec(text);
  if (!match) return -EINVAL;
  const digits = match[2];
  const value = /^0[0-7]/.test(digits) ? BigInt(`0o${digits.slice(1)}`) : BigInt(digits);
  if (value >= 2n ** 64n) return -ERANGE;
  return match[1] === '-' ? -value : value;
}
