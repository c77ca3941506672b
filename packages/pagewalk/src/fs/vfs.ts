// SPDX-License-Identifier: MIT
/** The machine's files as a program of the shell has them: system calls of its process, errors as exceptions. */

import {
  errnoCodes,
  type FileType,
  FsError,
  Killed,
  MACHINE_STOPPED,
  type Sink,
  type Source,
  type Stat,
  WriteError,
} from './filesystem.js';
import type { CallResult, KernelFiles, KernelProcess, KernelStat } from './kernel_files.js';

const MAX_LINKS = 40;
const O_WRONLY = 1;
const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const O_APPEND = 0o2000;
const NEW_FILE = 0o666;
const NEW_FOLDER = 0o777;
const CHUNK = 131072;
const DEFAULT_UMASK = 0o022;
const MINORBITS = 20;
/** Milliseconds between two looks at a call that waits. */
const PATIENCE_MS = 5;
const TYPES: Readonly<Record<number, FileType>> = {
  1: 'fifo',
  2: 'char',
  4: 'directory',
  6: 'block',
  10: 'symlink',
  12: 'socket',
};

/** `.` and `..` and doubled slashes removed, lexically; relative paths start at `base`. */
export function normalize(base: string, path: string): string {
  const parts: string[] = [];
  for (const part of (path.startsWith('/') ? path : `${base}/${path}`).split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

export const basename = (path: string): string => path.replace(/\/+$/, '').split('/').pop() || '/';
export const dirname = (path: string): string => {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  if (slash < 0) return '.';
  return trimmed.slice(0, slash) || '/';
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Throws if the caller was killed in the call, or the machine has stopped. */
function alive(result: CallResult): void {
  if (result.signal !== undefined) throw new Killed(result.signal);
  if (result.panicked) throw new Killed(9, MACHINE_STOPPED);
}

function check(result: CallResult, path: string): CallResult {
  alive(result);
  if (result.status < 0) throw new FsError(errnoCodes[-result.status] ?? 'EIO', path);
  return result;
}

function statOf(stat: KernelStat): Stat {
  const { mode, size, rdev, ino, nlink, uid, gid, blocks, dev } = stat;
  const type = TYPES[mode >> 12] ?? 'file';
  const [atimeMs, mtimeMs, ctimeMs] = [stat.atime, stat.mtime, stat.ctime].map(
    ({ sec, nsec }) => sec * 1000 + nsec / 1e6,
  );
  const times = { atimeMs, mtimeMs, ctimeMs };
  const entry = { type, mode: mode & 0o7777, size, ...times, ino, nlink, uid, gid, blocks, dev };
  if (type !== 'char' && type !== 'block') return entry;
  return { ...entry, device: [rdev >>> MINORBITS, rdev & (2 ** MINORBITS - 1)] };
}

export interface MountEntry {
  readonly device: string;
  readonly point: string;
  readonly type: string;
  readonly options: string;
}

export interface User {
  readonly uid: number;
  readonly gid: number;
}

export class Vfs {
  /** The program's process; its task starts with its first call. */
  private readonly process: KernelProcess;

  constructor(
    private readonly kernel: KernelFiles,
    comm: string,
    /** Who the program is. */
    readonly user: User = { uid: 0, gid: 0 },
    private umask = DEFAULT_UMASK,
  ) {
    this.process = kernel.process(comm, true);
    if (umask !== DEFAULT_UMASK) this.process.umask(umask);
    if (user.uid === 0 && user.gid === 0) return;
    this.process.setgid(user.gid);
    this.process.setuid(user.uid);
  }

  /** The files as another program has them, which has a process of its own. */
  fork(comm: string, user = this.user): Vfs {
    return new Vfs(this.kernel, comm, user, this.umask);
  }

  /** Permission bits that files lack which the program makes. */
  get mask(): number {
    return this.umask;
  }

  set mask(mask: number) {
    this.umask = mask & 0o777;
    this.process.umask(this.umask);
  }

  /** The number of the program's process, which has one from now on. */
  get pid(): number {
    if (this.process.pid === 0) this.process.umask(this.umask);
    return this.process.pid;
  }

  /** Closes what the program has open, and ends its process. A later call starts another. */
  exit(): void {
    if (this.process.busy) this.process.interrupt();
    this.process.exit();
  }

  /** The result of a call that does not wait: one that would is given up. */
  private now(result: CallResult, path: string): CallResult {
    return check(result.blocked ? this.process.interrupt() : result, path);
  }

  private told<T>(result: CallResult & { readonly told?: T }, path: string): T {
    this.now(result, path);
    return result.told as T;
  }

  // ---------------------------------------------------------------- what there is

  stat(path: string): Stat {
    return statOf(this.told(this.process.stat(path), path));
  }

  lstat(path: string): Stat {
    return statOf(this.told(this.process.lstat(path), path));
  }

  exists(path: string): boolean {
    const result = this.process.access(path, 0);
    alive(result);
    return result.status === 0;
  }

  isDirectory(path: string): boolean {
    const result = this.process.stat(path);
    alive(result);
    const { told } = result;
    return told !== undefined && TYPES[told.mode >> 12] === 'directory';
  }

  /** Names in a folder, sorted. */
  readdir(path: string): string[] {
    const entries = this.told(this.process.readdir(path), path);
    return entries.map(({ name }) => name).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  }

  readlink(path: string): string {
    return this.told(this.process.readlink(path), path);
  }

  /** A path without links, `.` and `..`; all of it must exist. */
  realpath(path: string): string {
    let links = 0;
    let full = '';
    const rest = path.split('/');
    while (rest.length > 0) {
      const part = rest.shift()!;
      if (part === '' || part === '.') continue;
      if (part === '..') {
        full = full.slice(0, Math.max(0, full.lastIndexOf('/')));
        continue;
      }
      const next = `${full}/${part}`;
      const { mode } = this.told(this.process.lstat(next), path);
      if (TYPES[mode >> 12] !== 'symlink') {
        full = next;
        continue;
      }
      if (++links > MAX_LINKS) throw new FsError('ELOOP', path);
      const target = this.readlink(next);
      if (target.startsWith('/')) full = '';
      rest.unshift(...target.split('/'));
    }
    return full || '/';
  }

  // ---------------------------------------------------------------- content

  readFile(path: string): Uint8Array {
    const { status: fd } = this.now(this.process.open(path, 0), path);
    const chunks: Uint8Array[] = [];
    try {
      for (;;) {
        const { bytes } = this.now(this.process.read(fd, CHUNK), path);
        if (!bytes || bytes.length === 0) break;
        chunks.push(bytes);
      }
    } finally {
      this.process.close(fd);
    }
    const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }

  writeFile(path: string, bytes: Uint8Array, append = false): void {
    const { status: fd } = this.now(this.process.open(path, writeFlags(append), NEW_FILE), path);
    try {
      for (let done = 0; done < bytes.length; ) {
        const { status } = this.now(this.process.write(fd, bytes.subarray(done, done + CHUNK)), path);
        if (status === 0) break;
        done += status;
      }
    } finally {
      this.process.close(fd);
    }
  }

  /** A stream of the file's bytes. */
  openRead(path: string, signal?: AbortSignal): Source {
    const file = new OpenFile(this.process, path, 0, signal);
    if (TYPES[file.stat().mode >> 12] === 'directory') {
      file.close();
      throw new FsError('EISDIR', path);
    }
    return {
      read: async () => {
        const { bytes } = await file.call((process, fd) => process.read(fd, CHUNK));
        if (bytes && bytes.length > 0) return bytes;
        file.close();
        return undefined;
      },
      close: () => file.close(),
    };
  }

  /** Opens for writing: truncates, unless it appends. */
  openWrite(path: string, append: boolean, signal?: AbortSignal): Sink {
    const file = new OpenFile(this.process, path, writeFlags(append), signal);
    const write = async (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) {
        const rest = bytes.subarray(done, done + CHUNK);
        const { status } = await file.call((process, fd) => process.write(fd, rest));
        if (status === 0) break;
        done += status;
      }
    };
    return {
      write: (bytes) =>
        write(bytes).catch((error: unknown) => {
          throw error instanceof FsError ? new WriteError(error) : error;
        }),
      close: () => file.close(),
    };
  }

  truncate(path: string, size: number): void {
    this.now(this.process.truncate(path, size), path);
  }

  // ---------------------------------------------------------------- changes

  mkdir(path: string, mode = NEW_FOLDER): void {
    this.now(this.process.mkdir(path, mode), path);
  }

  rmdir(path: string): void {
    this.now(this.process.rmdir(path), path);
  }

  unlink(path: string): void {
    this.now(this.process.unlink(path), path);
  }

  rename(from: string, to: string): void {
    this.now(this.process.rename(from, to), from);
  }

  link(from: string, to: string): void {
    this.now(this.process.link(from, to), to);
  }

  symlink(target: string, path: string): void {
    this.now(this.process.symlink(target, path), path);
  }

  /** Makes a device node. @param mode permission bits and type, as st_mode */
  mknod(path: string, mode: number, rdev: number): void {
    this.now(this.process.mknod(path, mode, rdev), path);
  }

  chmod(path: string, mode: number): void {
    this.now(this.process.change(path, { mode }), path);
  }

  chown(path: string, owner: { readonly uid?: number; readonly gid?: number }): void {
    this.now(this.process.change(path, owner), path);
  }

  utimes(path: string, mtimeMs: number): void {
    const sec = Math.floor(mtimeMs / 1000);
    const time = { sec, nsec: Math.round((mtimeMs - sec * 1000) * 1e6) };
    this.now(this.process.change(path, { atime: time, mtime: time }), path);
  }

  // ---------------------------------------------------------------- mounts

  mount(device: string, point: string, type: string, flags = 0, data = ''): void {
    this.now(this.process.mount(device, point, type, flags, data), point);
  }

  umount(point: string, flags = 0): void {
    this.now(this.process.umount(point, flags), point);
  }

  /** Lines of /proc/mounts. */
  mountTable(): MountEntry[] {
    const text = new TextDecoder().decode(this.readFile('/proc/mounts'));
    const plain = (word: string) =>
      word.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [device, point, type, options] = line.split(' ').map(plain);
        return { device, point, type, options };
      });
  }

  /** Sizes of the file system that a path lies in: blocks of `bsize` bytes. */
  statfs(path: string): { readonly bsize: number; readonly blocks: number; readonly bfree: number } {
    return this.told(this.process.statfs(path), path);
  }
}

const writeFlags = (append: boolean): number => O_WRONLY | O_CREAT | (append ? O_APPEND : O_TRUNC);

/** An open file of a process. */
class OpenFile {
  private readonly fd: number;
  private closed = false;

  constructor(
    private readonly process: KernelProcess,
    private readonly path: string,
    flags: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    const opened = process.open(path, flags, NEW_FILE);
    // An open that waits is not waited for: nothing was promised yet.
    this.fd = check(opened.blocked ? process.interrupt() : opened, path).status;
  }

  stat(): KernelStat {
    const result = this.process.fstat(this.fd);
    check(result, this.path);
    return result.told!;
  }

  /** Makes a call, and waits for it as long as it is blocked and nobody presses Ctrl-C. */
  async call(make: (process: KernelProcess, fd: number) => CallResult): Promise<CallResult> {
    if (this.closed) return { status: 0 };
    while (this.process.busy) await pause(PATIENCE_MS);
    let result = make(this.process, this.fd);
    while (result.blocked) {
      if (this.signal?.aborted) {
        result = this.process.interrupt();
        break;
      }
      await pause(PATIENCE_MS);
      result = this.process.wait();
    }
    if (result.blocked) return { status: 0 }; // not even Ctrl-C ends such a wait
    if (result.signal !== undefined) this.closed = true;
    return check(result, this.path);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    if (!this.process.busy) this.process.close(this.fd);
  }
}
