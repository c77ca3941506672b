// SPDX-License-Identifier: MIT
/** Files that the kernel and its modules make, below /dev, /proc and /sys: opened, read and written by system calls. */

import {
  errnoCodes,
  type Filesystem,
  type FileType,
  FsError,
  Killed,
  type Sink,
  type Source,
  type Stat,
} from './filesystem.js';
import { GeneratedFs } from './generated.js';

/** How a system call ended. */
export interface CallResult {
  readonly status: number;
  readonly signal?: 9 | 11;
  readonly blocked?: boolean;
  readonly panicked?: boolean;
  readonly bytes?: Uint8Array;
}

/** A program of the machine, as far as the shell needs one. */
export interface KernelProcess {
  open(path: string, flags: number): CallResult;
  read(fd: number, count: number): CallResult;
  write(fd: number, bytes: Uint8Array): CallResult;
  close(fd: number): CallResult;
  /** Goes on with a call that is blocked. */
  wait(): CallResult;
  /** Ctrl-C. */
  interrupt(): CallResult;
  exit(): CallResult;
}

/** What stat tells; `text`: a text of the kernel's own, which readProc gives without a system call. */
export interface KernelStat {
  readonly mode: number;
  readonly size: number;
  readonly rdev: number;
  readonly target?: string;
  readonly text?: boolean;
}

export interface KernelFiles {
  stat(path: string): KernelStat | number;
  readdir(path: string): string[] | number;
  mknod(path: string, mode: number, rdev: number): number;
  unlink(path: string): number;
  chmod(path: string, mode: number): number;
  process(comm: string): KernelProcess;
}

const O_WRONLY = 1;
const O_APPEND = 0o2000;
const CHUNK = 131072;
const TYPES: Readonly<Record<number, FileType>> = { 2: 'char', 4: 'directory', 10: 'symlink' };
const MINORBITS = 20;

function check(result: CallResult, path: string): CallResult {
  if (result.signal !== undefined) throw new Killed(result.signal);
  if (result.panicked) throw new Killed(9);
  if (result.status < 0) throw new FsError(errnoCodes[-result.status] ?? 'EIO', path);
  return result;
}

/** An errno as an exception. */
function checked<T>(value: T | number, path: string): T {
  if (typeof value === 'number' && value < 0) throw new FsError(errnoCodes[-value] ?? 'EIO', path);
  return value as T;
}

/** A folder of the kernel's tree over what the shell has there itself. */
export class KernelFs extends GeneratedFs {
  constructor(
    private readonly kernel: KernelFiles,
    private readonly prefix: string,
    /** Files that the shell has and the kernel's tree has not. */
    private readonly own: Filesystem,
  ) {
    super();
  }

  private full(path: string): string {
    return path === '/' ? this.prefix : this.prefix + path;
  }

  /** A file of the kernel's tree; undefined if it is the shell's own, or a text that needs no system call. */
  private node(path: string): KernelStat | undefined {
    const stat = this.kernel.stat(this.full(path));
    return typeof stat === 'number' || stat.text ? undefined : stat;
  }

  lstat(path: string): Stat {
    const stat = this.kernel.stat(this.full(path));
    if (typeof stat === 'number') return this.own.lstat(path);
    const type = TYPES[stat.mode >> 12] ?? 'file';
    const entry = { type, mode: stat.mode & 0o7777, size: stat.size, mtimeMs: 0 };
    if (type !== 'char') return entry;
    return { ...entry, device: [stat.rdev >>> MINORBITS, stat.rdev & (2 ** MINORBITS - 1)] };
  }

  readdir(path: string): string[] {
    const names = this.kernel.readdir(this.full(path));
    if (typeof names === 'number') return this.own.readdir(path);
    let more: string[] = [];
    try {
      more = this.own.readdir(path);
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
    }
    return [...new Set([...names, ...more])];
  }

  override readlink(path: string): string {
    return this.node(path)?.target ?? this.own.readlink(path);
  }

  readFile(path: string): Uint8Array {
    if (!this.node(path)) return this.own.readFile(path);
    const process = this.kernel.process('cat');
    const chunks: Uint8Array[] = [];
    const now = (result: CallResult) => check(result.blocked ? process.interrupt() : result, path);
    try {
      const { status: fd } = now(process.open(this.full(path), 0));
      for (;;) {
        const { bytes } = now(process.read(fd, CHUNK));
        if (!bytes || bytes.length === 0) break;
        chunks.push(bytes);
      }
    } finally {
      process.exit();
    }
    return Uint8Array.from(chunks.flatMap((chunk) => [...chunk]));
  }

  override writeFile(path: string, bytes: Uint8Array, append: boolean): void {
    if (!this.node(path)) {
      this.own.writeFile(path, bytes, append);
      return;
    }
    const process = this.kernel.process('sh');
    const now = (result: CallResult) => check(result.blocked ? process.interrupt() : result, path);
    try {
      const { status: fd } = now(process.open(this.full(path), O_WRONLY | (append ? O_APPEND : 0)));
      if (bytes.length > 0) now(process.write(fd, bytes));
    } finally {
      process.exit();
    }
  }

  override unlink(path: string): void {
    checked(this.kernel.unlink(this.full(path)), path);
  }

  override chmod(path: string, mode: number): void {
    checked(this.kernel.chmod(this.full(path), mode), path);
  }

  override mknod(path: string, mode: number, rdev: number): void {
    checked(this.kernel.mknod(this.full(path), mode, rdev), path);
  }

  openRead(path: string, signal?: AbortSignal): Source | undefined {
    if (!this.node(path)) return this.own.openRead?.(path, signal);
    if (this.lstat(path).type === 'directory') return undefined;
    const file = new OpenFile(this.kernel.process('cat'), this.full(path), 0, signal);
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

  openWrite(path: string, signal?: AbortSignal, append = false): Sink | undefined {
    if (!this.node(path)) return this.own.openWrite?.(path, signal, append);
    const flags = O_WRONLY | (append ? O_APPEND : 0);
    const file = new OpenFile(this.kernel.process('sh'), this.full(path), flags, signal);
    return {
      write: async (bytes) => {
        for (let done = 0; done < bytes.length; ) {
          const rest = bytes.subarray(done);
          const { status } = await file.call((process, fd) => process.write(fd, rest));
          if (status === 0) break;
          done += status;
        }
      },
      close: () => file.close(),
    };
  }
}

/** An open file of a program of its own. */
class OpenFile {
  private fd = -1;
  private closed = false;

  constructor(
    private readonly process: KernelProcess,
    private readonly path: string,
    flags: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    const opened = process.open(path, flags);
    // An open that waits is not waited for: nothing was promised yet.
    this.fd = check(opened.blocked ? process.interrupt() : opened, path).status;
  }

  /** Makes a call, and waits for it as long as it is blocked and nobody presses Ctrl-C. */
  async call(make: (process: KernelProcess, fd: number) => CallResult): Promise<CallResult> {
    if (this.closed) return { status: 0 };
    let result = make(this.process, this.fd);
    while (result.blocked) {
      if (this.signal?.aborted) {
        result = this.process.interrupt();
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
      result = this.process.wait();
    }
    if (result.blocked) return { status: 0 }; // not even Ctrl-C ends such a wait
    if (result.signal !== undefined) this.closed = true;
    return check(result, this.path);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.process.exit();
  }
}
