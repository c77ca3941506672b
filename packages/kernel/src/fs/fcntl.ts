// SPDX-License-Identifier: MIT
/** fcntl, dup and dup2: descriptors that share a file, its flags, and who is sent SIGIO when something happens to it. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { Cred } from '../kernel/cred.js';
import type { Outcome } from '../kernel/sched/context.js';
import { Pid, TaskStruct } from '../kernel/sched.js';
import { EBADF, EINVAL, EMFILE, ENOMEM, ESRCH } from '../lib/errno.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import { addr, array, int, ptr, struct, uint } from '../lib/struct.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { FileCalls } from './file_calls.js';
import { MAX_FILES } from './fs_context.js';
import { O_APPEND, O_ASYNC, O_NONBLOCK, type OpenCalls } from './open.js';

export const F_DUPFD = 0;
export const F_GETFD = 1;
export const F_SETFD = 2;
export const F_GETFL = 3;
export const F_SETFL = 4;
export const F_SETOWN = 8;
export const F_GETOWN = 9;
export const F_SETSIG = 10;
export const F_GETSIG = 11;
const O_DIRECT = 0o40000;
const O_NOATIME = 0o1000000;
const SETFL_MASK = O_APPEND | O_NONBLOCK | O_DIRECT | O_NOATIME;
const INT_MIN = -(2 ** 31);
const PIDTYPE_TGID = 1;
const PIDTYPE_PGID = 2;
const SIGURG = 23;
const SIGIO = 29;
const _NSIG = 64;
const FASYNC_MAGIC = 0x4601;

/** One file on a driver's list of those that want SIGIO. */
const FasyncStruct = struct('fasync_struct', {
  fa_lock: uint,
  magic: int,
  fa_fd: int,
  fa_next: ptr('struct fasync_struct'),
  fa_file: ptr('struct file'),
  fa_rcu: array(addr(), 2),
});

export class Fcntl {
  constructor(
    private readonly calls: FileCalls,
    private readonly open: OpenCalls,
  ) {
    const finished = calls.staged.after((call, result) => this.setFlags(call, result));
    calls.add('dup', (call, { fd }) => this.dup(call, fd, 0));
    calls.add('dup2', (call, { fd, argument = -1 }) => this.dup2(call, fd, argument));
    calls.add('fcntl', (call, { fd, command = -1, argument = 0 }) => {
      const file = calls.fget(call, fd);
      if (file === 0) return calls.done(call, -EBADF);
      if (command === F_DUPFD)
        return argument < 0 || argument >= MAX_FILES
          ? calls.done(call, -EINVAL)
          : this.dup(call, fd, argument);
      if (command !== F_SETFL) return calls.done(call, this.simple(file, command, argument));
      const c = calls.at(call);
      c.file = file;
      c.flags = argument;
      const fasync =
        (argument ^ calls.files.file(file).f_flags) & O_ASYNC ? calls.operation(file, 'fasync') : 0;
      if (fasync === 0) return this.setFlags(call, 0);
      const args = [fd!, calls.deps.ram.addressOf(file), Number((argument & O_ASYNC) !== 0)];
      return calls.invoke(call, fasync, 'i:ipi', args, finished, ['__x64_sys_fcntl', 'do_fcntl']);
    });
    open.fasync = (file) => this.forget(file);
    open.disown = (file) => this.own(file, 0, PIDTYPE_TGID);
  }

  private file(file: Handle) {
    return this.calls.files.file(file);
  }

  /** @linux fs/fcntl.c:f_dupfd full */
  private dup(call: Handle, fd: number | undefined, from: number): Outcome {
    const { calls } = this;
    const file = calls.fget(call, fd);
    if (file === 0) return calls.done(call, -EBADF);
    const free = calls.files.freeDescriptor(calls.filesOf(call), from);
    if (free < 0) return calls.done(call, -EMFILE);
    this.file(file).f_count++;
    calls.files.install(calls.filesOf(call), free, file);
    return calls.done(call, free);
  }

  /** @linux fs/file.c:do_dup2 full */
  private dup2(call: Handle, fd: number | undefined, to: number): Outcome {
    const { calls } = this;
    const file = calls.fget(call, fd);
    if (file === 0 || !Number.isInteger(to) || to < 0 || to >= MAX_FILES) return calls.done(call, -EBADF);
    if (fd === to) return calls.done(call, to);
    const old = calls.fget(call, to);
    this.file(file).f_count++;
    calls.files.install(calls.filesOf(call), to, file);
    return old === 0 ? calls.done(call, to) : this.open.closeReplaced(call, old, to);
  }

  /** @linux fs/fcntl.c:setfl partial: O_DIRECT is not asked for */
  private setFlags(call: Handle, result: number): Outcome {
    const { file, flags } = this.calls.at(call);
    const f = this.file(file);
    if (result < 0) return this.calls.done(call, result);
    f.f_flags = (flags & SETFL_MASK) | (f.f_flags & ~SETFL_MASK);
    return this.calls.done(call, 0);
  }

  /** @linux fs/fcntl.c:do_fcntl partial: no locks, leases, pipes and seals; there is no exec to close at */
  private simple(file: Handle, command: number, argument: number): number {
    const f = this.file(file);
    switch (command) {
      case F_GETFD:
      case F_SETFD:
        return 0;
      case F_GETFL:
        return f.f_flags;
      case F_SETOWN:
        return this.setOwner(file, argument);
      case F_GETOWN:
        return this.owner(file);
      case F_SETSIG:
        if (argument < 0 || argument > _NSIG) return -EINVAL;
        f.f_owner.signum = argument;
        return 0;
      case F_GETSIG:
        return f.f_owner.signum;
      default:
        return -EINVAL;
    }
  }

  // ---------------------------------------------------------------- owners

  /** @param who a process's number; negative: a group's; 0: nobody @linux fs/fcntl.c:f_setown full */
  private setOwner(file: Handle, who: number): number {
    const { callC, symbol, ram } = this.calls.deps;
    if (who === INT_MIN) return -EINVAL;
    const pid = who === 0 ? 0 : callC(symbol('find_vpid'), 'p:i', Math.abs(who));
    if (who !== 0 && pid === 0) return -ESRCH;
    this.own(file, pid === 0 ? 0 : ram.handleOf(pid), who < 0 ? PIDTYPE_PGID : PIDTYPE_TGID);
    return 0;
  }

  /** @linux fs/fcntl.c:f_modown full */
  private own(file: Handle, pid: Handle, type: number): void {
    const { callC, symbol, ram } = this.calls.deps;
    const { f_owner } = this.file(file);
    const old = f_owner.pid;
    if (pid !== 0) Pid.at(ram, pid).count++;
    f_owner.pid = pid;
    f_owner.pid_type = type;
    const { uid, euid } = Cred.at(ram, TaskStruct.at(ram, this.calls.task).cred);
    f_owner.uid = pid === 0 ? 0 : uid;
    f_owner.euid = pid === 0 ? 0 : euid;
    if (old !== 0) callC(symbol('put_pid'), 'v:p', ram.addressOf(old));
  }

  /** @linux fs/fcntl.c:f_getown full */
  private owner(file: Handle): number {
    const { callC, symbol, ram } = this.calls.deps;
    const { pid, pid_type } = this.file(file).f_owner;
    const number = pid === 0 ? 0 : callC(symbol('pid_vnr'), 'i:p', ram.addressOf(pid));
    return pid_type === PIDTYPE_PGID ? -number : number;
  }

  /** @linux fs/fcntl.c:send_sigio partial: no information with the signal */
  private sendSigio(file: Handle): void {
    const { callC, symbol, ram } = this.calls.deps;
    const { pid, pid_type, signum } = this.file(file).f_owner;
    if (pid === 0) return;
    const kill = symbol(pid_type === PIDTYPE_PGID ? 'kill_pgrp' : 'kill_pid');
    callC(kill, 'i:pii', ram.addressOf(pid), signum || SIGIO, 1);
  }

  // ---------------------------------------------------------------- lists of drivers

  private at(fa: Vaddr) {
    return FasyncStruct.at(this.calls.deps.ram, this.calls.deps.ram.handleOf(fa));
  }

  /** The address that leads to a file's entry, or to the end of the list. */
  private find(list: Vaddr, file: Handle): Vaddr {
    const { deps } = this.calls;
    let link = list;
    for (let fa = readS64(deps, link); fa !== 0; fa = readS64(deps, link)) {
      if (this.at(fa).fa_file === file) break;
      link = fa + FasyncStruct.o.fa_next;
    }
    return link;
  }

  /** @linux fs/fcntl.c:fasync_helper full */
  private helper(fd: number, at: Vaddr, on: number, list: Vaddr): number {
    const { deps } = this.calls;
    const file = deps.ram.handleOf(at);
    const link = this.find(list, file);
    const found = readS64(deps, link);
    if (on === 0) {
      if (found === 0) return 0;
      writeS64(deps, link, readS64(deps, found + FasyncStruct.o.fa_next));
      deps.kfree(found);
      this.file(file).f_flags &= ~O_ASYNC;
      return 1;
    }
    if (found !== 0) {
      this.at(found).fa_fd = fd;
      return 0;
    }
    const entry = deps.kmalloc(FasyncStruct.size);
    if (entry === 0) return -ENOMEM;
    deps.ram.fill(deps.ram.handleOf(entry) * 4, FasyncStruct.size, 0);
    const fa = this.at(entry);
    fa.magic = FASYNC_MAGIC;
    fa.fa_fd = fd;
    fa.fa_file = file;
    writeS64(deps, entry + FasyncStruct.o.fa_next, readS64(deps, list));
    writeS64(deps, list, entry);
    this.file(file).f_flags |= O_ASYNC;
    return 1;
  }

  /** @linux fs/fcntl.c:kill_fasync full */
  private kill(list: Vaddr, sig: number): void {
    const { deps } = this.calls;
    for (let fa = readS64(deps, list); fa !== 0; fa = readS64(deps, fa + FasyncStruct.o.fa_next)) {
      const { magic, fa_file } = this.at(fa);
      if (magic !== FASYNC_MAGIC) {
        deps.env.log.log(3, 'kill_fasync: bad magic number in fasync_struct!');
        return;
      }
      const { signum } = this.file(fa_file).f_owner;
      if (sig !== SIGURG || signum !== 0) this.sendSigio(fa_file);
    }
  }

  /** A file goes that is on a driver's list. */
  private forget(file: Handle): void {
    const { deps } = this.calls;
    const fasync = this.calls.operation(file, 'fasync');
    if (fasync !== 0) deps.callC(fasync, 'i:ipi', -1, deps.ram.addressOf(file), 0);
  }

  exports(): KernelExports {
    return {
      fasync_helper: [
        'i:ipip',
        (fd: number, file: Vaddr, on: number, list: Vaddr) => this.helper(fd, file, on, list),
      ],
      kill_fasync: ['v:pii', (list: Vaddr, sig: number) => this.kill(list, sig)],
    };
  }
}
