// SPDX-License-Identifier: MIT
/** The files of a machine, as programs outside the kernel see them. */

import type { Kernel } from './boot.js';
import { NODE_STATIC, NODE_TEXT, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from './fs/kernfs/kernfs.js';
import { Process, type SystemCallResult } from './fs/process.js';
import { KernelPanic } from './kernel/oops.js';
import { EACCES, EBUSY, EEXIST, EISDIR, ELOOP, ENOENT, ENOMEM, ENOTDIR, EPERM } from './lib/errno.js';
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
  /** The kernel makes the text when it is read; no module is involved. */
  readonly text: boolean;
}

export class MachineFiles {
  private shell: Process | undefined;

  constructor(private readonly kernel: Kernel) {}

  /** A program that makes system calls. Its task exists while it has files open. */
  process(comm = 'sh'): Process {
    const { kernel } = this;
    return new Process(
      { calls: kernel.fs.calls, run: (task) => this.run(task), panicked: () => kernel.panicked },
      comm,
    );
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
      if (!scheduler.runUntilDone(task)) return undefined;
      const { result, signal } = scheduler.result(task);
      scheduler.passTime(SYSTEM_CALL_NS);
      return signal === 0 ? { status: result } : { status: 0, signal: signal as 9 | 11 };
    } catch (error) {
      if (!(error instanceof KernelPanic)) throw error;
      kernel.panicked = true;
      return { status: 0, panicked: true };
    }
  }

  private lookup(path: string): Handle {
    return this.kernel.fs.tree.lookup(path, false);
  }

  /** What is at a path; a negative errno if nothing is. Links are not followed. */
  stat(path: string): FileStat | number {
    const { tree, texts } = this.kernel.fs;
    const node = this.lookup(path);
    if (node < 0) return -ELOOP;
    if (node !== 0) {
      const n = tree.at(node);
      const link = (n.mode & S_IFMT) === S_IFLNK;
      return {
        mode: n.mode,
        size: n.size,
        ino: n.ino,
        rdev: n.rdev,
        text: (n.flags & NODE_TEXT) !== 0,
        ...(link && { target: tree.targetOf(node) }),
      };
    }
    const clean = path.replace(/\/+$/, '');
    const mode = texts.mode(clean);
    if (mode !== undefined) return { mode: S_IFREG | mode, size: 0, ino: 0, rdev: 0, text: true };
    if (texts.list(clean) === undefined) return -ENOENT;
    return { mode: S_IFDIR | 0o555, size: 0, ino: 0, rdev: 0, text: true };
  }

  /** Names in a folder, sorted; a negative errno if it is none. */
  readdir(path: string): string[] | number {
    const { tree, texts } = this.kernel.fs;
    const node = tree.lookup(path, true);
    if (node < 0) return -ELOOP;
    if (node > 0 && !tree.isFolder(node)) return -ENOTDIR;
    const clean = path.replace(/\/+$/, '');
    const made = texts.list(clean);
    if (node === 0 && made === undefined) return texts.mode(clean) === undefined ? -ENOENT : -ENOTDIR;
    const names = node === 0 ? [] : tree.children(node).map((child) => tree.nameOf(child));
    return [...new Set([...names, ...(made ?? []).map((name) => name.replace(/\/$/, ''))])].sort();
  }

  /** Makes a device node below /dev. @param mode with its type: S_IFCHR */
  mknod(path: string, mode: number, rdev: number): number {
    const { tree } = this.kernel.fs;
    const match = /^(\/dev(?:\/.*)?)\/([^/]+)$/.exec(path);
    if (!match || (mode & S_IFMT) !== S_IFCHR) return -EPERM;
    const parent = tree.lookup(match[1]);
    if (parent <= 0) return -ENOENT;
    if (!tree.isFolder(parent)) return -ENOTDIR;
    if (tree.find(parent, match[2]) !== 0) return -EEXIST;
    return tree.create(parent, match[2], { mode: S_IFCHR | (mode & 0o7777), rdev }) === 0 ? -ENOMEM : 0;
  }

  /** Removes a node below /dev. */
  unlink(path: string): number {
    const { tree } = this.kernel.fs;
    const node = this.lookup(path);
    if (node <= 0) return -ENOENT;
    if (!path.startsWith('/dev/')) return -EPERM;
    if (tree.isFolder(node)) return -EISDIR;
    if (tree.at(node).flags & NODE_STATIC) return -EBUSY;
    tree.remove(node);
    return 0;
  }

  /** Sets permission bits. */
  chmod(path: string, mode: number): number {
    const { tree } = this.kernel.fs;
    const node = tree.lookup(path, true);
    if (node <= 0) return this.kernel.fs.texts.mode(path) === undefined ? -ENOENT : -EACCES;
    const n = tree.at(node);
    n.mode = (n.mode & S_IFMT) | (mode & 0o7777);
    return 0;
  }
}

export type { Process, SystemCallResult };
