// SPDX-License-Identifier: MIT
/** A program of the user's that makes system calls on files: what the shell's commands and tests use. */

import { TaskStruct } from '../kernel/sched.js';
import { SYSCALL_FRAMES } from '../kernel/symbols.js';
import { EBADF, EBUSY, ENOMEM, EOVERFLOW } from '../lib/errno.js';
import type { Handle } from '../machine/layout.js';
import type { CommandResult } from '../machine.js';
import type { Change, Stat, StatFs } from './attr.js';
import type { DirectoryEntry, FileCalls, PollFd, Request, Told } from './file_calls.js';
import { CALL, FilesStruct, FS } from './fs_context.js';
import type { Vfs } from './vfs.js';

/** How a system call ended: `status` is its result. */
export interface SystemCallResult extends CommandResult {
  /** What read() read. */
  readonly bytes?: Uint8Array;
}

/** A system call that tells more than a number, if its status is not negative. */
export interface Telling<T extends Told> extends SystemCallResult {
  readonly told?: T;
}

const O_DIRECTORY = 0o200000;
const AT_SYMLINK_NOFOLLOW = 1;
/** A folder of more entries than this has no end. */
const MAX_ENTRIES = 100_000;
/** Bytes of entries that readdir() asks for at a time. */
const DIRENT_BYTES = 32768;

export interface ProcessServices {
  readonly calls: FileCalls;
  readonly vfs: Pick<Vfs, 'initFs' | 'exitFs'>;
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
  if (task !== 0) {
    TaskStruct.at(ram, task).files = files;
    TaskStruct.at(ram, task).fs = files + FS;
  }
  return task;
}

export class Process {
  private task: Handle = 0;
  private files: Handle = 0;
  /** The call that is under way: ioctl's argument is copied back when it ends. */
  private request: Request | undefined;
  /** What the last pollAll() found. */
  private revents: readonly number[] | undefined;

  constructor(
    private readonly services: ProcessServices,
    readonly comm: string,
    /** The task stays while nothing is open, until exit(). */
    private readonly resident = false,
  ) {}

  /** Its number; 0 if it does not run. */
  get pid(): number {
    return this.task === 0 ? 0 : TaskStruct.at(this.services.calls.deps.ram, this.task).pid;
  }

  private start(): boolean {
    if (this.task !== 0) return true;
    return this.services.calls.deps.inFrames([...SYSCALL_FRAMES, 'kernel_clone'], () => this.fork());
  }

  private fork(): boolean {
    const { ram, kmalloc, kfree } = this.services.calls.deps;
    const at = kmalloc(FilesStruct.size);
    if (at === 0) return false;
    this.files = ram.handleOf(at);
    ram.fill(this.files * 4, FilesStruct.size, 0);
    this.task = createTask(this.services, this.comm, this.files);
    if (this.task === 0) kfree(at);
    else this.services.vfs.initFs(this.files + FS);
    return this.task !== 0;
  }

  private call(request: Request): SystemCallResult {
    const { calls, panicked } = this.services;
    if (panicked()) return { status: 0, panicked: true };
    if (this.request !== undefined) return { status: -EBUSY, blocked: true };
    if (!this.start()) return { status: -ENOMEM };
    this.request = request;
    calls.told = undefined;
    calls.enter(this.task, request);
    return this.wait();
  }

  /** Makes a call that tells more than its result; the task goes again if it has nothing open. */
  private ask<T extends Told>(request: Request): Telling<T> {
    const { calls } = this.services;
    const result = this.call(request);
    const told = calls.told as T | undefined;
    calls.told = undefined;
    this.leaveIfIdle();
    return told === undefined || result.status < 0 ? result : { ...result, told };
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
    if (request.name === 'ppoll') this.revents = calls.takePolled(this.files + CALL);
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
    calls.onDeath?.(this.files + CALL);
    TaskStruct.at(ram, this.task).files = 0;
    TaskStruct.at(ram, this.task).fs = 0;
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
  open(path: string, flags = 0, mode = 0o666): SystemCallResult {
    const result = this.call({ name: 'open', path, flags, mode });
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

  /**
   * Waits until one of several files is ready.
   * @param timeout milliseconds of virtual time; 0 looks only, -1 waits for ever
   * @returns how many are ready; `told`: which events came of each
   */
  pollAll(fds: readonly PollFd[], timeout = -1): Telling<readonly number[]> {
    return this.polled(this.call({ name: 'ppoll', fds, timeout }));
  }

  /** Goes on with a pollAll() that was blocked. */
  waitPoll(): Telling<readonly number[]> {
    return this.polled(this.wait());
  }

  private polled(result: SystemCallResult): Telling<readonly number[]> {
    const told = this.revents;
    this.revents = undefined;
    return told === undefined || result.status < 0 ? result : { ...result, told };
  }

  /** Gives a file a second descriptor, the lowest there is. */
  dup(fd: number): SystemCallResult {
    return this.call({ name: 'dup', fd });
  }

  /** Gives a file a second descriptor; what that was before is closed. */
  dup2(fd: number, to: number): SystemCallResult {
    return this.call({ name: 'dup2', fd, argument: to });
  }

  /** @param command F_GETFL and so on */
  fcntl(fd: number, command: number, argument = 0): SystemCallResult {
    return this.call({ name: 'fcntl', fd, command, argument });
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

  // ---------------------------------------------------------------- paths

  /** What a path leads to. */
  stat(path: string): Telling<Stat> {
    return this.ask({ name: 'stat', path });
  }

  /** What is at a path, which may be a link. */
  lstat(path: string): Telling<Stat> {
    return this.ask({ name: 'lstat', path });
  }

  fstat(fd: number): Telling<Stat> {
    return this.ask({ name: 'fstat', fd });
  }

  statfs(path: string): Telling<StatFs> {
    return this.ask({ name: 'statfs', path });
  }

  readlink(path: string): Telling<string> {
    return this.ask({ name: 'readlink', path });
  }

  /** @param mode 4 for reading, 2 for writing, 1 for executing, 0 for being there */
  access(path: string, mode: number): SystemCallResult {
    return this.ask({ name: 'access', path, mode });
  }

  mkdir(path: string, mode = 0o777): SystemCallResult {
    return this.ask({ name: 'mkdir', path, mode });
  }

  rmdir(path: string): SystemCallResult {
    return this.ask({ name: 'rmdir', path });
  }

  unlink(path: string): SystemCallResult {
    return this.ask({ name: 'unlink', path });
  }

  /** @param mode with its type */
  mknod(path: string, mode: number, rdev: number): SystemCallResult {
    return this.ask({ name: 'mknod', path, mode, rdev });
  }

  rename(path: string, target: string, flags = 0): SystemCallResult {
    return this.ask({ name: 'rename', path, target, flags });
  }

  /** Gives the file at a path a second name. */
  link(path: string, target: string): SystemCallResult {
    return this.ask({ name: 'link', path, target });
  }

  /** Makes a link at a path to a target. */
  symlink(target: string, path: string): SystemCallResult {
    return this.ask({ name: 'symlink', path, target });
  }

  /** chmod, chown and utimes. @param follow false: of a link itself */
  change(path: string, change: Change, follow = true): SystemCallResult {
    return this.ask({ name: 'setattr', path, change, flags: follow ? 0 : AT_SYMLINK_NOFOLLOW });
  }

  truncate(path: string, size: number): SystemCallResult {
    return this.ask({ name: 'truncate', path, count: size });
  }

  ftruncate(fd: number, size: number): SystemCallResult {
    return this.call({ name: 'ftruncate', fd, count: size });
  }

  chdir(path: string): SystemCallResult {
    return this.ask({ name: 'chdir', path });
  }

  getcwd(): Telling<string> {
    return this.ask({ name: 'getcwd' });
  }

  /** Becomes another user: root for good, others as far as they may. */
  setuid(uid: number): SystemCallResult {
    return this.ask({ name: 'setuid', argument: uid });
  }

  setgid(gid: number): SystemCallResult {
    return this.ask({ name: 'setgid', argument: gid });
  }

  /** @returns the mask that was there before */
  umask(mode: number): SystemCallResult {
    return this.ask({ name: 'umask', mode });
  }

  /** @param device what is mounted @param flags MS_RDONLY and so on */
  mount(device: string, path: string, type: string, flags = 0, data = ''): SystemCallResult {
    return this.ask({ name: 'mount', path, target: device, type, flags, data });
  }

  umount(path: string, flags = 0): SystemCallResult {
    return this.ask({ name: 'umount', path, flags });
  }

  /** Entries of an open folder from its position on. @param count bytes of struct linux_dirent64 */
  getdents(fd: number, count = DIRENT_BYTES): Telling<readonly DirectoryEntry[]> {
    return this.ask({ name: 'getdents', fd, count });
  }

  /** All entries of a folder but `.` and `..`, in the file system's order. */
  readdir(path: string): Telling<readonly DirectoryEntry[]> {
    const opened = this.open(path, O_DIRECTORY);
    if (opened.status < 0 || opened.blocked || opened.panicked || opened.signal !== undefined) return opened;
    const entries: DirectoryEntry[] = [];
    for (;;) {
      const some = this.getdents(opened.status);
      if (some.signal !== undefined || some.panicked) return some;
      if (some.status <= 0) {
        this.close(opened.status);
        return some.status < 0 ? some : { status: 0, told: entries };
      }
      entries.push(...some.told!.filter(({ name }) => name !== '.' && name !== '..'));
      if (entries.length > MAX_ENTRIES) {
        this.close(opened.status);
        return { status: -EOVERFLOW };
      }
    }
  }

  /** Closes what is open; the task is gone then. */
  exit(): SystemCallResult {
    const { calls } = this.services;
    const { ram, scheduler, kfree } = calls.deps;
    if (this.task === 0) return { status: 0 };
    const result = this.call({ name: 'exit' });
    if (result.blocked || result.panicked || this.task === 0) return result;
    TaskStruct.at(ram, this.task).files = 0;
    TaskStruct.at(ram, this.task).fs = 0;
    this.services.vfs.exitFs(this.files + FS);
    scheduler.release(this.task);
    kfree(ram.addressOf(this.files));
    this.task = 0;
    this.files = 0;
    return result;
  }

  /** A program without open files needs no task. */
  private leaveIfIdle(): void {
    if (this.resident || this.task === 0 || this.request !== undefined) return;
    if (this.services.calls.files.descriptors(this.files).length === 0) this.exit();
  }
}
