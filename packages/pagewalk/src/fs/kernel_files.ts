// SPDX-License-Identifier: MIT
/** The machine's files, as far as the shell needs them: `Machine.files` of @pagewalk/kernel has more. */

import type { Change, Stat, StatFs } from '@pagewalk/kernel/fs/attr';
import type { DirectoryEntry } from '@pagewalk/kernel/fs/file_calls';
import type { HostFolder } from '@pagewalk/kernel/fs/hostfs/hostfs';

export type KernelStat = Stat;

/** How a system call ended. */
export interface CallResult {
  readonly status: number;
  readonly signal?: 9 | 11;
  readonly blocked?: boolean;
  readonly panicked?: boolean;
  readonly bytes?: Uint8Array;
}
type Telling<T> = CallResult & { readonly told?: T };

/** A program of the machine. */
export interface KernelProcess {
  readonly pid: number;
  /** A call is under way. */
  readonly busy: boolean;
  open(path: string, flags: number, mode?: number): CallResult;
  read(fd: number, count: number): CallResult;
  write(fd: number, bytes: Uint8Array): CallResult;
  close(fd: number): CallResult;
  stat(path: string): Telling<Stat>;
  lstat(path: string): Telling<Stat>;
  fstat(fd: number): Telling<Stat>;
  statfs(path: string): Telling<StatFs>;
  access(path: string, mode: number): CallResult;
  readdir(path: string): Telling<readonly DirectoryEntry[]>;
  readlink(path: string): Telling<string>;
  mkdir(path: string, mode: number): CallResult;
  rmdir(path: string): CallResult;
  unlink(path: string): CallResult;
  rename(from: string, to: string): CallResult;
  link(from: string, to: string): CallResult;
  symlink(target: string, path: string): CallResult;
  mknod(path: string, mode: number, rdev: number): CallResult;
  change(path: string, change: Change): CallResult;
  truncate(path: string, size: number): CallResult;
  umask(mode: number): CallResult;
  setuid(uid: number): CallResult;
  setgid(gid: number): CallResult;
  mount(device: string, path: string, type: string, flags?: number, data?: string): CallResult;
  umount(path: string, flags?: number): CallResult;
  /** Goes on with a call that is blocked. */
  wait(): CallResult;
  /** Ctrl-C. */
  interrupt(): CallResult;
  exit(): CallResult;
}

export interface KernelFiles {
  /** @param resident its task stays until it exits */
  process(comm: string, resident: boolean): KernelProcess;
  /** Gives the kernel a folder of the host, which a mount of type hostfs shows under this device name. */
  offer(device: string, folder: HostFolder): void;
}
