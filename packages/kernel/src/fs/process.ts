// SPDX-License-Identifier: MIT
/** A program of the user's that makes system calls on files: what the shell's commands and tests use. */

import { TaskStruct } from '../kernel/sched.js';
import { EBADF, EBUSY, ENOMEM } from '../lib/errno.js';
import type { Handle } from '../machine/layout.js';
import type { CommandResult } from '../machine.js';
import type { FileCalls, Request } from './file_calls.js';
import { FilesStruct } from './fs_context.js';

/** How a system call ended: `status` is its result. */
export interface SystemCallResult extends CommandResult {
  /** What read() read. */
  readonly bytes?: Uint8Array;
}

export interface ProcessServices {
  readonly calls: FileCalls;
  /** Runs a task until it is done or can never be; undefined if it is blocked. */
  run(task: Handle): CommandResult | undefined;
  /** Whether the kernel has panicked. */
  panicked(): boolean;
}

/**
 * Makes a task with files.
 * @returns 0 if there is no memory
 */
function createTask({ calls }: ProcessServices, comm: string, files: Handle): Handle {
  const { ram, scheduler } = calls.deps;
  const task = scheduler.create(comm, 'user');
  if (task !== 0) TaskStruct.at(ram, task).files = files;
  return task;
}

export class Process {
  private task: Handle = 0;
  private files: Handle = 0;
  /** The call that is under way: ioctl's argument is copied back when it ends. */
  private request: Request | undefined;

  constructor(
    private readonly services: ProcessServices,
    readonly comm: string,
  ) {}

  /** Its number; 0 if it does not run. */
  get pid(): number {
    return this.task === 0 ? 0 : TaskStruct.at(this.services.calls.deps.ram, this.task).pid;
  }

  private start(): boolean {
    if (this.task !== 0) return true;
    const { ram, kmalloc, kfree } = this.services.calls.deps;
    const at = kmalloc(FilesStruct.size);
    if (at === 0) return false;
    this.files = ram.handleOf(at);
    ram.fill(this.files * 4, FilesStruct.size, 0);
    this.task = createTask(this.services, this.comm, this.files);
    if (this.task === 0) kfree(at);
    return this.task !== 0;
  }

  private call(request: Request): SystemCallResult {
    const { calls, panicked } = this.services;
    if (panicked()) return { status: 0, panicked: true };
    if (this.request !== undefined) return { status: -EBUSY, blocked: true };
    if (!this.start()) return { status: -ENOMEM };
    this.request = request;
    calls.enter(this.task, request);
    return this.wait();
  }

  /** Goes on with a call that was blocked: its result, or `blocked` again. */
  wait(): SystemCallResult {
    const { calls } = this.services;
    const { request } = this;
    if (request === undefined) return { status: 0 };
    const ended = this.services.run(this.task);
    if (ended === undefined) return { status: 0, blocked: true };
    if (ended.panicked) return ended;
    this.request = undefined;
    if (!calls.inUserMode(this.task)) return request.name === 'exit' ? ended : this.died(ended);
    const bytes = this.copyBack(request, ended.status);
    calls.buffers.release(this.task);
    return bytes === undefined ? ended : { ...ended, bytes };
  }

  /** Whether a call is under way. */
  get busy(): boolean {
    return this.request !== undefined;
  }

  private copyBack({ name, bytes }: Request, status: number): Uint8Array | undefined {
    const { buffers } = this.services.calls;
    if (name === 'read' && status >= 0) return buffers.read(this.task, status);
    if (name === 'ioctl' && bytes !== undefined) bytes.set(buffers.read(this.task, bytes.length));
    return undefined;
  }

  /** The task was killed in the kernel: what it had open is closed by one that takes its place. */
  private died(ended: CommandResult): SystemCallResult {
    const { calls } = this.services;
    const { ram, scheduler } = calls.deps;
    const { pid } = TaskStruct.at(ram, this.task);
    calls.buffers.release(this.task);
    TaskStruct.at(ram, this.task).files = 0;
    scheduler.release(this.task);
    this.task = createTask(this.services, this.comm, this.files);
    if (this.task !== 0) {
      const t = TaskStruct.at(ram, this.task);
      t.pid = pid;
      t.tgid = pid;
      this.exit();
    }
    return ended;
  }

  /** Sends the signal of Ctrl-C: a wait that can be interrupted ends. */
  interrupt(): SystemCallResult {
    if (this.request === undefined) return { status: 0 };
    this.services.calls.interrupt(this.task);
    return this.wait();
  }

  // ---------------------------------------------------------------- system calls

  /** @returns a descriptor, or a negative errno */
  open(path: string, flags = 0, _mode = 0): SystemCallResult {
    const result = this.call({ name: 'open', path, flags });
    this.leaveIfIdle();
    return result;
  }

  read(fd: number, count: number): SystemCallResult {
    return this.call({ name: 'read', fd, count });
  }

  write(fd: number, bytes: Uint8Array): SystemCallResult {
    return this.call({ name: 'write', fd, bytes });
  }

  lseek(fd: number, offset: number, whence = 0): SystemCallResult {
    return this.call({ name: 'lseek', fd, offset, whence });
  }

  /** @param arg a number, or bytes that the command reads and writes */
  ioctl(fd: number, command: number, arg: number | Uint8Array = 0): SystemCallResult {
    if (typeof arg === 'number') return this.call({ name: 'ioctl', fd, command, argument: arg });
    return this.call({ name: 'ioctl', fd, command, bytes: arg });
  }

  /** Events of <poll.h> that are there now. */
  poll(fd: number): SystemCallResult {
    return this.call({ name: 'poll', fd });
  }

  fsync(fd: number): SystemCallResult {
    return this.call({ name: 'fsync', fd });
  }

  close(fd: number): SystemCallResult {
    if (this.task === 0) return { status: -EBADF };
    const result = this.call({ name: 'close', fd });
    this.leaveIfIdle();
    return result;
  }

  /** Closes what is open; the task is gone then. */
  exit(): SystemCallResult {
    const { calls } = this.services;
    const { ram, scheduler, kfree } = calls.deps;
    if (this.task === 0) return { status: 0 };
    const result = this.call({ name: 'exit' });
    if (result.blocked || result.panicked || this.task === 0) return result;
    TaskStruct.at(ram, this.task).files = 0;
    scheduler.release(this.task);
    kfree(ram.addressOf(this.files));
    this.task = 0;
    this.files = 0;
    return result;
  }

  /** A program without open files needs no task. */
  private leaveIfIdle(): void {
    if (this.task === 0 || this.request !== undefined) return;
    if (this.services.calls.files.descriptors(this.files).length === 0) this.exit();
  }
}
