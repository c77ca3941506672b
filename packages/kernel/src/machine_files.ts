// SPDX-License-Identifier: MIT
/** The files of a machine, as programs outside the kernel see them. */

import type { Kernel } from './boot.js';
import { S_IFLNK, S_IFMT } from './fs/file_modes.js';
import type { HostFolder } from './fs/hostfs/hostfs.js';
import { Process, type SystemCallResult } from './fs/process.js';
import { KernelPanic } from './kernel/oops.js';
import type { Handle } from './machine/layout.js';
import type { CommandResult } from './machine.js';

/** Virtual time that a system call takes at least, in nanoseconds. */
const SYSTEM_CALL_NS = 20_000;

/** What stat() tells of a file; of a link itself. */
export interface FileStat {
  /** Type and permission bits, as st_mode. */
  readonly mode: number;
  readonly size: number;
  readonly ino: number;
  readonly rdev: number;
  /** Where a link leads. */
  readonly target?: string;
}

export class MachineFiles {
  private shell: Process | undefined;

  constructor(private readonly kernel: Kernel) {}

  /** A program that makes system calls. Its task exists while it has files open; that of a resident one until it exits. */
  process(comm = 'sh', resident = false): Process {
    const { kernel } = this;
    return new Process(
      {
        calls: kernel.fs.calls,
        vfs: kernel.fs.vfs,
        run: (task) => this.run(task),
        panicked: () => kernel.panicked,
      },
      comm,
      resident,
    );
  }

  /** Gives the kernel a folder that lies outside of it: mounts of type hostfs show it under this device name. */
  offer(device: string, folder: HostFolder): void {
    this.kernel.fs.vfs.hostfs.offer(device, folder);
  }

  /** The program that calls made without one belong to. */
  default(comm?: string): Process {
    if (!this.shell || (this.shell.pid === 0 && comm !== undefined)) this.shell = this.process(comm);
    return this.shell;
  }

  private run(task: Handle): CommandResult | undefined {
    const { kernel } = this;
    const { scheduler } = kernel;
    try {
      if (!scheduler.loop.runUntilDone(task)) return undefined;
      const { result, signal } = scheduler.result(task);
      scheduler.loop.passTime(SYSTEM_CALL_NS);
      return signal === 0 ? { status: result } : { status: 0, signal: signal as 9 | 11 };
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      kernel.panicked = true;
      return { status: 0, panicked: true };
    }
  }

  /** What is at a path; a negative errno if nothing is. Links are not followed. */
  stat(path: string): FileStat | number {
    const { status, told } = this.default().lstat(path);
    if (told === undefined) return status;
    const { mode, size, ino, rdev } = told;
    const link = (mode & S_IFMT) === S_IFLNK ? this.default().readlink(path).told : undefined;
    return { mode, size, ino, rdev, ...(link !== undefined && { target: link }) };
  }

  /** Names in a folder, sorted; a negative errno if it is none. */
  readdir(path: string): string[] | number {
    const { status, told } = this.default().readdir(path);
    return told === undefined ? status : told.map(({ name }) => name).sort();
  }

  /** Makes a device node. @param mode with its type: S_IFCHR */
  mknod(path: string, mode: number, rdev: number): number {
    return this.default().mknod(path, mode, rdev).status;
  }

  unlink(path: string): number {
    return this.default().unlink(path).status;
  }

  /** Sets permission bits. */
  chmod(path: string, mode: number): number {
    return this.default().change(path, { mode }).status;
  }
}

export type { Process, SystemCallResult };
