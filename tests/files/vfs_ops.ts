// SPDX-License-Identifier: MIT
/** Random operations on files, and what does them: the machine's kernel, or the host's through node:fs. */

import * as host from 'node:fs';
import { constants } from 'node:os';
import type { Process } from '@pagewalk/kernel/fs/process';
import {
  O_APPEND,
  O_CREAT,
  O_DIRECTORY,
  O_EXCL,
  O_NOFOLLOW,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  type Op,
  type Result,
  type Told,
} from './vfs_model.js';

/** Folders in which the operations' own one lies, so that `..` has somewhere to go. */
export const BASE = ['d1', 'd2', 'd3', 'd4', 'd5', 'd6'];

export interface Subject {
  run(op: Op, slot: number): Result;
  /** As Model.tree(). */
  tree(): string[];
}

const S_IFMT = 0o170000;
const TYPES = new Map([
  [0o040000, 'folder'],
  [0o100000, 'file'],
  [0o120000, 'link'],
]);
const errorNames = new Map(Object.entries(constants.errno).map(([name, number]) => [number, name]));
const latin = (bytes: Uint8Array) => String.fromCharCode(...bytes);
const encode = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));

function told({ mode, nlink, size }: { mode: number; nlink: number; size: number }): Told {
  const type = TYPES.get(mode & S_IFMT) ?? 'other';
  return type === 'folder' ? { type, mode: mode & 0o7777 } : { type, mode: mode & 0o7777, nlink, size };
}

interface Files {
  lstat(path: string): { told: Told; ino: number };
  readdir(path: string): string[];
  readlink(path: string): string;
  readFile(path: string): Uint8Array;
}

function treeOf(files: Files, top: string): string[] {
  const first = new Map<number, string>();
  const lines: string[] = [];
  const visit = (path: string) => {
    const { told, ino } = files.lstat(`${top}${path}`);
    const { type, mode, nlink, size } = told;
    const same = first.get(ino);
    if (same === undefined) first.set(ino, path);
    const content =
      type === 'file'
        ? latin(files.readFile(`${top}${path}`))
        : type === 'link'
          ? files.readlink(`${top}${path}`)
          : '';
    lines.push([path, type, mode.toString(8), nlink ?? '', size ?? '', same ?? '', content].join('|'));
    if (type === 'folder') for (const name of files.readdir(`${top}${path}`).sort()) visit(`${path}/${name}`);
  };
  visit('');
  return lines;
}

// ---------------------------------------------------------------- the machine

export class KernelSubject implements Subject, Files {
  private readonly fds = new Map<number, number>();
  private readonly start: string;

  /** @param top folder of the machine in which BASE is made */
  constructor(
    readonly process: Process,
    private readonly top: string,
  ) {
    let at = top;
    for (const name of BASE) {
      at += `/${name}`;
      this.must(process.mkdir(at, 0o755));
    }
    this.start = at;
  }

  private must<T extends { status: number }>(result: T): T {
    if (result.status < 0) throw new Error(`a call failed: ${result.status}`);
    return result;
  }

  private path(path: string): string {
    return path === '' ? '' : `${this.start}/${path}`;
  }

  run(op: Op, slot: number): Result {
    const { status, told } = this.call(op, slot);
    return status < 0 ? { error: errorNames.get(-status) ?? `${status}` } : { ok: told };
  }

  private call(op: Op, slot: number): { status: number; told?: unknown } {
    const { process: p } = this;
    const fd = 'slot' in op ? (this.fds.get(op.slot) ?? -1) : -1;
    const nothing = ({ status }: { status: number }) => ({ status });
    switch (op.op) {
      case 'open': {
        const { status } = p.open(this.path(op.path), op.flags, op.mode);
        if (status >= 0) this.fds.set(slot, status);
        return { status };
      }
      case 'read': {
        const { status, bytes } = p.read(fd, op.count);
        return { status, told: latin(bytes ?? new Uint8Array()) };
      }
      case 'write': {
        const { status } = p.write(fd, encode(op.bytes));
        return { status, told: status };
      }
      case 'ftruncate':
        return nothing(p.ftruncate(fd, op.size));
      case 'fstat': {
        const { status, told: stat } = p.fstat(fd);
        return { status, told: stat && told(stat) };
      }
      case 'close':
        this.fds.delete(op.slot);
        return nothing(p.close(fd));
      case 'mkdir':
        return nothing(p.mkdir(this.path(op.path), op.mode));
      case 'chmod':
        return nothing(p.change(this.path(op.path), { mode: op.mode }));
      case 'rmdir':
        return nothing(p.rmdir(this.path(op.path)));
      case 'unlink':
        return nothing(p.unlink(this.path(op.path)));
      case 'stat':
      case 'lstat': {
        const { status, told: stat } = p[op.op](this.path(op.path));
        return { status, told: stat && told(stat) };
      }
      case 'access':
        return nothing(p.access(this.path(op.path), 0));
      case 'readlink':
        return p.readlink(this.path(op.path));
      case 'readdir': {
        const { status, told: entries } = p.readdir(this.path(op.path));
        return { status, told: entries?.map(({ name }) => name).sort() };
      }
      case 'rename':
      case 'link':
        return nothing(p[op.op](this.path(op.path), this.path(op.to)));
      case 'symlink':
        return nothing(p.symlink(op.to, this.path(op.path)));
    }
  }

  tree(): string[] {
    return treeOf(this, `${this.top}/${BASE[0]}`);
  }

  lstat(path: string) {
    const stat = this.must(this.process.lstat(path)).told!;
    return { told: told(stat), ino: stat.ino };
  }

  /** Names that a folder's inode has. */
  folderLinks(path: string): number {
    return this.must(this.process.stat(this.path(path))).told!.nlink;
  }

  readdir(path: string): string[] {
    return this.must(this.process.readdir(path)).told!.map(({ name }) => name);
  }

  readlink(path: string): string {
    return this.must(this.process.readlink(path)).told!;
  }

  readFile(path: string): Uint8Array {
    const fd = this.must(this.process.open(path)).status;
    const { bytes } = this.must(this.process.read(fd, 65536));
    this.process.close(fd);
    return bytes!;
  }

  /** Closes and removes everything. */
  clear(): void {
    for (const fd of this.fds.values()) this.process.close(fd);
    this.fds.clear();
    this.removeAll(`${this.top}/${BASE[0]}`);
  }

  private removeAll(path: string): void {
    if (this.lstat(path).told.type !== 'folder') {
      this.must(this.process.unlink(path));
      return;
    }
    for (const name of this.readdir(path)) this.removeAll(`${path}/${name}`);
    this.must(this.process.rmdir(path));
  }
}

// ---------------------------------------------------------------- the host

export class HostSubject implements Subject, Files {
  private readonly fds = new Map<number, number>();
  private readonly start: string;

  /** @param top an empty folder of the host */
  constructor(private readonly top: string) {
    this.start = `${top}/${BASE.join('/')}`;
    host.mkdirSync(this.start, { recursive: true, mode: 0o755 });
  }

  private path(path: string): string {
    return path === '' ? '' : `${this.start}/${path}`;
  }

  run(op: Op, slot: number): Result {
    try {
      return { ok: this.call(op, slot) };
    } catch (error) {
      const { code } = error as { code?: string };
      if (typeof code !== 'string' || !code.startsWith('E') || code.startsWith('ERR_')) throw error;
      return { error: code };
    }
  }

  private call(op: Op, slot: number): unknown {
    const fd = 'slot' in op ? (this.fds.get(op.slot) ?? -1) : -1;
    switch (op.op) {
      case 'open':
        this.fds.set(slot, host.openSync(this.path(op.path), op.flags, op.mode));
        return undefined;
      case 'read': {
        const buffer = new Uint8Array(op.count);
        return latin(buffer.subarray(0, host.readSync(fd, buffer, 0, op.count, null)));
      }
      case 'write':
        return host.writeSync(fd, encode(op.bytes), 0, op.bytes.length, null);
      case 'ftruncate':
        return host.ftruncateSync(fd, op.size);
      case 'fstat':
        return told(host.fstatSync(fd));
      case 'close':
        this.fds.delete(op.slot);
        return host.closeSync(fd);
      case 'mkdir':
        host.mkdirSync(this.path(op.path), op.mode);
        return undefined;
      case 'chmod':
        return host.chmodSync(this.path(op.path), op.mode);
      case 'rmdir':
        return host.rmdirSync(this.path(op.path));
      case 'unlink':
        return host.unlinkSync(this.path(op.path));
      case 'stat':
        return told(host.statSync(this.path(op.path)));
      case 'lstat':
        return told(host.lstatSync(this.path(op.path)));
      case 'access':
        return host.accessSync(this.path(op.path));
      case 'readlink':
        return host.readlinkSync(this.path(op.path));
      case 'readdir':
        return host.readdirSync(this.path(op.path)).sort();
      case 'rename':
        return host.renameSync(this.path(op.path), this.path(op.to));
      case 'link':
        return host.linkSync(this.path(op.path), this.path(op.to));
      case 'symlink':
        return host.symlinkSync(op.to, this.path(op.path));
    }
  }

  tree(): string[] {
    return treeOf(this, `${this.top}/${BASE[0]}`);
  }

  lstat(path: string) {
    const stat = host.lstatSync(path);
    return { told: told(stat), ino: stat.ino };
  }

  readdir(path: string): string[] {
    return host.readdirSync(path);
  }

  readlink(path: string): string {
    return host.readlinkSync(path);
  }

  readFile(path: string): Uint8Array {
    return host.readFileSync(path);
  }

  clear(): void {
    for (const fd of this.fds.values()) host.closeSync(fd);
    host.rmSync(this.top, { recursive: true });
  }
}

// ---------------------------------------------------------------- choosing

/** Numbers from a seed (mulberry32). */
export function numbers(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const NAMES = ['a', 'b', 'c', 'd'];
const FOLDER_MODES = [0o755, 0o700, 0o777, 0o1777, 0o711];
const FILE_MODES = [0o644, 0o600, 0o666, 0o777, 0o755];
const MAX_OPEN = 4;

export class Chooser {
  private readonly below: (n: number) => number;

  /** @param likeHost leaves out what differs between versions of Linux, and what node:fs cannot say */
  constructor(
    seed: number,
    private readonly likeHost: boolean,
  ) {
    this.below = numbers(seed);
  }

  private pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)];
  }

  private name(): string {
    const odd = this.below(60);
    if (odd === 0) return 'n'.repeat(255);
    if (odd === 1) return 'n'.repeat(256);
    if (odd === 2) return '.';
    if (odd <= 5) return '..';
    return this.pick(NAMES);
  }

  path(): string {
    const odd = this.below(120);
    if (odd === 0) return '';
    if (odd === 1) return `${'./'.repeat(1500)}a`;
    if (odd === 2) return `${'a/'.repeat(2200)}b`;
    const names = Array.from({ length: 1 + this.below(3) }, () => this.name());
    const path = names.join(this.below(12) === 0 ? '//' : '/');
    return this.below(10) === 0 ? `${path}/` : path;
  }

  private flags(): number {
    let flags = this.pick([0, O_WRONLY, O_RDWR, O_RDWR]);
    if (this.below(2) === 0) flags |= O_CREAT;
    for (const [bit, odds] of [
      [O_EXCL, 5],
      [O_TRUNC, 6],
      [O_APPEND, 5],
      [O_NOFOLLOW, 8],
      [O_DIRECTORY, 10],
    ])
      if (this.below(odds) === 0) flags |= bit;
    const undefinedPair = !(flags & O_CREAT) && flags & O_EXCL;
    if (undefinedPair) flags &= ~O_EXCL;
    return this.likeHost && flags & O_CREAT ? flags & ~O_DIRECTORY : flags;
  }

  /** The next operation. @param slots those of files that are open */
  op(slots: readonly number[]): Op {
    const kind = this.below(100);
    const path = this.path();
    if (kind < 18 && slots.length < MAX_OPEN)
      return { op: 'open', path, flags: this.flags(), mode: this.pick(FILE_MODES) };
    if (kind < 40 && slots.length > 0) return this.onFile(this.pick(slots));
    if (kind < 52) return { op: 'mkdir', path, mode: this.pick(FOLDER_MODES) };
    if (kind < 57) return { op: 'rmdir', path };
    if (kind < 63) return { op: 'unlink', path };
    if (kind < 74) return { op: 'rename', path, to: this.path() };
    if (kind < 80) return { op: 'link', path, to: this.path() };
    if (kind < 88) return { op: 'symlink', path, to: this.path() };
    if (kind < 91) return { op: 'chmod', path, mode: this.pick(FOLDER_MODES) };
    return { op: this.pick(['stat', 'lstat', 'readlink', 'readdir', 'access'] as const), path };
  }

  private onFile(slot: number): Op {
    const kind = this.below(10);
    if (kind < 3) return { op: 'read', slot, count: 1 + this.below(30) };
    if (kind < 6) return { op: 'write', slot, bytes: 'xyz'.repeat(1 + this.below(6)) };
    if (kind < 7) return { op: 'ftruncate', slot, size: this.below(40) };
    return { op: kind < 8 ? 'fstat' : 'close', slot };
  }
}
