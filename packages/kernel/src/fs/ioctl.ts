// SPDX-License-Identifier: MIT
/** ioctl and poll. */

import { EBADF, EFAULT, ENOMEM, ENOTTY } from '../lib/errno.js';
import type { FileCalls } from './file_calls.js';
import { O_NONBLOCK } from './open.js';

const FIONBIO = 0x5421;
const FIONCLEX = 0x5450;
const FIOCLEX = 0x5451;
/** What a driver returns for a command that it does not know, and no program sees. */
const ENOIOCTLCMD = 515;
/** What poll gives for a file that has no poll function: always ready. */
const DEFAULT_POLLMASK = 0x145;
/** Every event, and errors. */
const ALL_EVENTS = 0xffff;

export function ioctlCalls(calls: FileCalls): void {
  const { deps, files, buffers, staged } = calls;
  const commanded = staged.after((call, result) =>
    calls.done(call, result === -ENOIOCTLCMD ? -ENOTTY : result),
  );
  calls.add('ioctl', (call, { fd, command = 0, argument = 0, bytes }) => {
    const file = calls.fget(call, fd);
    if (file === 0) return calls.done(call, -EBADF);
    const buffer = bytes === undefined ? argument : buffers.fill(calls.task, bytes);
    if (bytes !== undefined && buffer === 0) return calls.done(call, -ENOMEM);
    if (command === FIOCLEX || command === FIONCLEX) return calls.done(call, 0);
    if (command === FIONBIO) {
      const f = files.file(file);
      const p = deps.user.accessOk(buffer, 4) ? deps.user.translate(buffer, false) : -1;
      if (p < 0) return calls.done(call, -EFAULT);
      f.f_flags = deps.ram.u8[p] !== 0 ? f.f_flags | O_NONBLOCK : f.f_flags & ~O_NONBLOCK;
      return calls.done(call, 0);
    }
    const gone = calls.goneError(file);
    const ioctl = gone === 0 ? calls.operation(file, 'unlocked_ioctl') : 0;
    if (ioctl === 0) return calls.done(call, gone || -ENOTTY);
    const args = [deps.ram.addressOf(file), command >>> 0, buffer];
    return calls.invoke(call, ioctl, 'l:pul', args, commanded, ['__x64_sys_ioctl']);
  });

  const polled = staged.after((call, result) => calls.done(call, result & ALL_EVENTS));
  calls.add('poll', (call, { fd }) => {
    const file = calls.fget(call, fd);
    if (file === 0) return calls.done(call, -EBADF);
    const poll = calls.goneError(file) === 0 ? calls.operation(file, 'poll') : 0;
    if (poll === 0) return calls.done(call, DEFAULT_POLLMASK);
    const c = calls.at(call);
    c.poll_qproc = 0;
    c.poll_key = ALL_EVENTS;
    const args = [deps.ram.addressOf(file), calls.place(call, 'poll_qproc')];
    return calls.invoke(call, poll, 'u:pp', args, polled, ['__x64_sys_poll', 'do_sys_poll']);
  });
}
