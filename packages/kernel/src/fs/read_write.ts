// SPDX-License-Identifier: MIT
/** read, write, lseek and fsync: what they check before and after the file's own function. */

import type { Outcome } from '../kernel/sched/context.js';
import { EBADF, EINVAL, EIO, ENOMEM, ESPIPE } from '../lib/errno.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { FileCalls } from './file_calls.js';
import {
  FMODE_CAN_READ,
  FMODE_CAN_WRITE,
  FMODE_LSEEK,
  FMODE_READ,
  FMODE_STREAM,
  FMODE_WRITE,
} from './file_table.js';
import { FileCall, ITER_UBUF } from './fs_context.js';

const MAX_RW_COUNT = 0x7ffff000;
const SEEK_MAX = 4;
const O_APPEND = 0o2000;
const IOCB_APPEND = 0x10;

/** Registers the system calls. */
export function readWriteCalls(calls: FileCalls): void {
  const { deps, files, staged, buffers } = calls;
  const moved = staged.after((call, result) => {
    const c = calls.at(call);
    const f = files.file(c.file);
    if (c.command === 1) c.pos = c.iocb.ki_pos;
    if (result >= 0 && !(f.f_mode & FMODE_STREAM)) f.f_pos = c.pos;
    return calls.done(call, result);
  });
  const sought = staged.after((call, result) => calls.done(call, result));

  /** Calls the file's read or write on a buffer that is in place. */
  const move = (call: Handle, file: Handle, buffer: Vaddr, count: number, writing: boolean): Outcome => {
    const c = calls.at(call);
    const frames = writing
      ? ['__x64_sys_write', 'ksys_write', 'vfs_write']
      : ['__x64_sys_read', 'ksys_read', 'vfs_read'];
    c.file = file;
    c.pos = files.file(file).f_pos;
    c.command = 0;
    const plain = calls.operation(file, writing ? 'write' : 'read');
    if (plain !== 0) {
      const args = [deps.ram.addressOf(file), buffer, count, calls.place(call, 'pos')];
      return calls.invoke(call, plain, 'l:ppzp', args, moved, frames);
    }
    const iter = calls.operation(file, writing ? 'write_iter' : 'read_iter');
    if (iter === 0) return calls.done(call, -EINVAL);
    c.command = 1;
    fillIter(calls, call, file, buffer, count, writing);
    const args = [calls.place(call, 'iocb'), calls.place(call, 'iter')];
    return calls.invoke(call, iter, 'l:pp', args, moved, frames);
  };

  calls.add('read', (call, { fd, count = 0 }) => {
    const file = calls.fget(call, fd);
    const refused = refuse(calls, file, FMODE_READ, FMODE_CAN_READ, count);
    if (refused !== 0) return calls.done(call, refused);
    const n = Math.min(count, MAX_RW_COUNT);
    return move(call, file, buffers.reserve(calls.task, n), n, false);
  });
  calls.add('write', (call, { fd, bytes = new Uint8Array() }) => {
    const file = calls.fget(call, fd);
    const refused = refuse(calls, file, FMODE_WRITE, FMODE_CAN_WRITE, bytes.length);
    if (refused !== 0) return calls.done(call, refused);
    const buffer = buffers.fill(calls.task, bytes);
    if (buffer === 0) return calls.done(call, -ENOMEM);
    return move(call, file, buffer, bytes.length, true);
  });
  calls.add('lseek', (call, { fd, offset = 0, whence = 0 }) => {
    const file = calls.fget(call, fd);
    if (file === 0) return calls.done(call, -EBADF);
    if (!Number.isInteger(whence) || whence < 0 || whence > SEEK_MAX) return calls.done(call, -EINVAL);
    const gone = calls.goneError(file);
    if (gone !== 0) return calls.done(call, gone);
    const llseek = calls.operation(file, 'llseek');
    if (!(files.file(file).f_mode & FMODE_LSEEK) || llseek === 0) return calls.done(call, -ESPIPE);
    const args = [deps.ram.addressOf(file), offset, whence];
    return calls.invoke(call, llseek, 'l:pli', args, sought, ['__x64_sys_lseek', 'ksys_lseek']);
  });
  calls.add('fsync', (call, { fd }) => {
    const file = calls.fget(call, fd);
    if (file === 0) return calls.done(call, -EBADF);
    const fsync = calls.operation(file, 'fsync');
    if (fsync === 0) return calls.done(call, -EINVAL);
    const args = [deps.ram.addressOf(file), 0, Number.MAX_SAFE_INTEGER, 0];
    return calls.invoke(call, fsync, 'i:plli', args, sought, [
      '__x64_sys_fsync',
      'do_fsync',
      'vfs_fsync_range',
    ]);
  });
}

/** An errno if a file cannot be read or written. @linux fs/read_write.c:rw_verify_area partial: no file locks */
function refuse(calls: FileCalls, file: Handle, mode: number, can: number, count: number): number {
  if (file === 0) return -EBADF;
  const f = calls.files.file(file);
  if (!(f.f_mode & mode)) return -EBADF;
  const gone = calls.goneError(file);
  if (gone !== 0) return gone;
  if (!(f.f_mode & can)) return calls.isProc(file) ? -EIO : -EINVAL;
  if (!Number.isInteger(count) || count < 0) return -EINVAL;
  return f.f_pos < 0 ? -EINVAL : 0;
}

/** What read_iter and write_iter are given: one user buffer. */
function fillIter(
  calls: FileCalls,
  call: Handle,
  file: Handle,
  buffer: Vaddr,
  count: number,
  writing: boolean,
): void {
  const c = calls.at(call);
  const {
    deps: { ram },
    files,
  } = calls;
  ram.fill((call + FileCall.w.iocb) * 4, FileCall.size - FileCall.o.iocb, 0);
  c.iocb.ki_filp = file;
  c.iocb.ki_pos = c.pos;
  c.iocb.ki_flags = files.file(file).f_flags & O_APPEND ? IOCB_APPEND : 0;
  c.iter.iter_type = ITER_UBUF;
  c.iter.data_source = writing ? 1 : 0;
  c.iter.user_backed = 1;
  c.iter.count = count;
  c.iter.ubuf = buffer;
  c.iter.nr_segs = 1;
}
