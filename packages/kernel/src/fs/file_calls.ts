// SPDX-License-Identifier: MIT
/**
 * System calls on files, as steps of the calling task: what C does in the middle of one may sleep.
 *
 * A task that has files is a process of the user's. Between its system calls it is in user mode: asleep in the step
 * `user`, until the next request comes.
 */

import { CONTEXT, type Outcome, sleepThen, TaskContext } from '../kernel/sched/context.js';
import { TASK_INTERRUPTIBLE, TASK_WAKEKILL, TaskStruct } from '../kernel/sched.js';
import { SYSCALL_FRAMES } from '../kernel/symbols.js';
import { EINTR, EIO, ENODEV } from '../lib/errno.js';
import { readS64 } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Change, Stat, StatFs } from './attr.js';
import { S_IFDIR, S_IFMT } from './file_modes.js';
import type { FileTable } from './file_table.js';
import { CALL, FileCall, FilesStruct, type FsDeps } from './fs_context.js';
import { FileOperations, ProcOps } from './fs_types.js';
import { type Kernfs, NODE_DEBUGFS, NODE_PROC, NODE_REMOVED, NODE_SYSFS } from './kernfs/kernfs.js';
import type { Staged } from './staged.js';
import type { UserBuffers } from './user_buffer.js';

/** A system call, as the user's program makes it. */
export interface Request {
  readonly name: string;
  readonly fd?: number;
  readonly path?: string;
  readonly flags?: number;
  readonly bytes?: Uint8Array;
  readonly count?: number;
  readonly offset?: number;
  readonly whence?: number;
  readonly command?: number;
  readonly argument?: number;
  /** A second path, or the text of a link. */
  readonly target?: string;
  readonly mode?: number;
  readonly rdev?: number;
  readonly change?: Change;
  /** poll(): what to wait for, and how many milliseconds; -1: for ever. */
  readonly fds?: readonly PollFd[];
  readonly timeout?: number;
  /** mount(): the type, and options of the file system. */
  readonly type?: string;
  readonly data?: string;
}
/** What calls tell that is no number: stat, readlink, getdents and so on. */
export type Told = readonly number[] | Stat | StatFs | string | readonly DirectoryEntry[];

/** A descriptor, and the events of <poll.h> that are waited for. */
export interface PollFd {
  readonly fd: number;
  readonly events: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly ino: number;
  /** DT_DIR and so on. */
  readonly type: number;
}
export type SystemCall = (call: Handle, request: Request) => Outcome;

/** Functions of system calls whose name is not the request's. */
const SYSTEM_CALLS: { readonly [name: string]: string } = {
  open: '__x64_sys_openat',
  exit: '__x64_sys_exit_group',
  stat: '__x64_sys_newstat',
  lstat: '__x64_sys_newlstat',
  fstat: '__x64_sys_newfstat',
  setattr: '__x64_sys_fchmodat',
  getdents: '__x64_sys_getdents64',
};
/** context.done of a task in user mode. */
const IN_USER_MODE = 2;
/** Bit 2 of thread_info.flags. */
const TIF_SIGPENDING_MASK = 4;

/** Functions of a file, by their name in file_operations. */
export type Operation =
  | 'open'
  | 'release'
  | 'read'
  | 'write'
  | 'read_iter'
  | 'write_iter'
  | 'llseek'
  | 'unlocked_ioctl'
  | 'poll'
  | 'flush'
  | 'fsync'
  | 'fasync'
  | 'iterate_shared'
  | 'iterate';
const PROC_NAMES: { readonly [name in Operation]?: number } = {
  open: ProcOps.o.proc_open,
  release: ProcOps.o.proc_release,
  read: ProcOps.o.proc_read,
  write: ProcOps.o.proc_write,
  read_iter: ProcOps.o.proc_read_iter,
  llseek: ProcOps.o.proc_lseek,
  unlocked_ioctl: ProcOps.o.proc_ioctl,
  poll: ProcOps.o.proc_poll,
};

export class FileCalls {
  /** What the last call has told beside its result: its caller takes it at once. */
  told: Told | undefined;
  /** Gives back what a call has taken whose task was killed in it. */
  onDeath: ((call: Handle) => void) | undefined;
  /** What the poll() of several files that has just ended found: its caller takes it at once. */
  takePolled: (call: Handle) => readonly number[] = () => [];
  private pending: { readonly task: Handle; readonly request: Request } | undefined;
  private readonly table = new Map<string, SystemCall>();

  constructor(
    readonly deps: FsDeps,
    readonly tree: Kernfs,
    readonly files: FileTable,
    readonly staged: Staged,
    readonly buffers: UserBuffers,
  ) {
    deps.scheduler.step('user', () => this.user());
  }

  /** Names of the functions that call traces show for system calls. */
  traceFunctions(): string[] {
    return [...this.table.keys()].map((name) => SYSTEM_CALLS[name] ?? `__x64_sys_${name}`);
  }

  /** Adds a system call. */
  add(name: string, call: SystemCall): void {
    this.table.set(name, call);
  }

  /** The record of the current task's call. */
  private user(): Outcome {
    const task = this.deps.tasks.currentHandle;
    const { pending } = this;
    if (pending?.task !== task) return this.sleep();
    this.pending = undefined;
    const call = TaskStruct.at(this.deps.ram, task).files + CALL;
    this.at(call).nr = 1;
    const { request } = pending;
    const frames = [...SYSCALL_FRAMES, SYSTEM_CALLS[request.name] ?? `__x64_sys_${request.name}`];
    return this.deps.inFrames(frames, () => this.table.get(request.name)!(call, request));
  }

  private sleep(): Outcome {
    this.deps.scheduler.setState(TASK_INTERRUPTIBLE);
    return sleepThen('user');
  }

  /** Has a task in user mode make a system call; it runs when the scheduler lets it. */
  enter(task: Handle, request: Request): void {
    TaskContext.at(this.deps.ram, task + CONTEXT).done = 0;
    this.pending = { task, request };
    this.deps.scheduler.wake(task, ~0);
  }

  inUserMode(task: Handle): boolean {
    return TaskContext.at(this.deps.ram, task + CONTEXT).done === IN_USER_MODE;
  }

  /** The end of a system call. What a signal interrupted, and would be begun again, ends with EINTR. */
  done(call: Handle, result: number): Outcome {
    const { ram, tasks } = this.deps;
    const task = tasks.currentHandle;
    const c = TaskContext.at(ram, task + CONTEXT);
    this.at(call).nr = 0;
    c.result = result <= -512 && result >= -516 ? -EINTR : result;
    c.done = IN_USER_MODE;
    TaskStruct.at(ram, task).thread_info.flags &= ~TIF_SIGPENDING_MASK;
    return this.sleep();
  }

  /** Sends a task a signal that ends interruptible waits. @linux kernel/signal.c:signal_wake_up_state partial: no signal numbers */
  interrupt(task: Handle): void {
    const t = TaskStruct.at(this.deps.ram, task);
    t.thread_info.flags |= TIF_SIGPENDING_MASK;
    this.deps.scheduler.wake(task, TASK_INTERRUPTIBLE | TASK_WAKEKILL);
  }

  signalPending(task: Handle): boolean {
    return (TaskStruct.at(this.deps.ram, task).thread_info.flags & TIF_SIGPENDING_MASK) !== 0;
  }

  at(call: Handle) {
    return FileCall.at(this.deps.ram, call);
  }

  filesOf(call: Handle): Handle {
    return call - CALL;
  }

  /** A task's files; 0 if it has none. */
  filesOfTask(task: Handle): Handle {
    return TaskStruct.at(this.deps.ram, task).files;
  }

  get task(): Handle {
    return this.deps.tasks.currentHandle;
  }

  /** The open file of a descriptor of the calling task; 0 if there is none. */
  fget(call: Handle, fd: number | undefined): Handle {
    return this.files.lookup(this.filesOf(call), fd ?? -1);
  }

  /** Flags of the node of a file; 0 if it is no file of the kernel's tree. */
  nodeFlags(file: Handle): number {
    const node = this.files.nodeOf(file);
    return node === 0 ? 0 : this.tree.at(node).flags;
  }

  /** Address of a file's function; 0 if it has none. */
  operation(file: Handle, name: Operation): Vaddr {
    const { f_op } = this.files.file(file);
    if (f_op === 0) return 0;
    if (!this.isProc(file)) return readS64(this.deps, f_op + FileOperations.o[name]);
    const offset = PROC_NAMES[name];
    return offset === undefined ? 0 : readS64(this.deps, f_op + offset);
  }

  /** Whether a file's functions are a proc_ops: a file of /proc, not a folder. */
  isProc(file: Handle): boolean {
    return (this.nodeFlags(file) & NODE_PROC) !== 0 && (this.files.inode(file).i_mode & S_IFMT) !== S_IFDIR;
  }

  /** What a file answers whose node is gone: 0 if it goes on working. */
  goneError(file: Handle): number {
    const flags = this.nodeFlags(file);
    if (!(flags & NODE_REMOVED)) return 0;
    if (flags & (NODE_PROC | NODE_DEBUGFS)) return -EIO;
    return flags & NODE_SYSFS ? -ENODEV : 0;
  }

  /** Address of a member of the call's record. */
  place(call: Handle, member: 'pos' | 'iocb' | 'iter' | 'poll_qproc'): Vaddr {
    return this.deps.ram.addressOf(call + FileCall.w[member]);
  }

  /** Calls a file's function from a step. */
  invoke(
    call: Handle,
    fn: Vaddr,
    signature: string,
    args: readonly number[],
    after: number,
    frames: readonly string[],
  ): Outcome {
    return this.staged.invoke(call, fn, signature, args, after, [...SYSCALL_FRAMES, ...frames]);
  }

  /** Bytes of the buffer that the task has reserved. */
  buffered(task: Handle): number {
    return FilesStruct.at(this.deps.ram, TaskStruct.at(this.deps.ram, task).files).user_bytes;
  }
}
