// SPDX-License-Identifier: MIT
/** Files made when they are read: /proc and /sys from the machine, /dev, /bin. */

import { errnoCodes, type Filesystem, FsError, type Sink, type Source, type Stat } from './filesystem.js';

/** A read-only file system by default: each kind says what it has, and overrides what it can do. */
export abstract class GeneratedFs implements Filesystem {
  abstract lstat(path: string): Stat;
  abstract readdir(path: string): string[];
  abstract readFile(path: string): Uint8Array;

  writeFile(path: string, _bytes: Uint8Array, _append: boolean): void {
    throw new FsError('EACCES', path);
  }
  readlink(path: string): string {
    throw new FsError('EINVAL', path);
  }
  mkdir(path: string): void {
    throw new FsError('EPERM', path);
  }
  rmdir(path: string): void {
    throw new FsError('EPERM', path);
  }
  unlink(path: string): void {
    throw new FsError('EPERM', path);
  }
  rename(from: string, _to: string): void {
    throw new FsError('EPERM', from);
  }
  symlink(_target: string, path: string): void {
    throw new FsError('EPERM', path);
  }
  link(from: string, _to: string): void {
    throw new FsError('EPERM', from);
  }
  mknod(path: string, _mode: number, _rdev: number): void {
    throw new FsError('EPERM', path);
  }
  chmod(path: string, _mode: number): void {
    throw new FsError('EPERM', path);
  }
  utimes(path: string, _mtimeMs: number): void {
    throw new FsError('EPERM', path);
  }
}

/** Another file system's files, not to be changed. */
export class ReadOnlyFs extends GeneratedFs {
  constructor(private readonly inner: Filesystem) {
    super();
  }

  lstat(path: string): Stat {
    const stat = this.inner.lstat(path);
    return { ...stat, mode: stat.mode & 0o555 };
  }

  readdir(path: string): string[] {
    return this.inner.readdir(path);
  }

  readFile(path: string): Uint8Array {
    return this.inner.readFile(path);
  }

  override readlink(path: string): string {
    return this.inner.readlink(path);
  }
}

export interface TextFiles {
  readProc(path: string): Uint8Array | undefined;
  listProc(path: string): string[] | undefined;
  writeProc?(path: string, bytes: Uint8Array): number;
}

/** /proc or /sys of a machine: sizes are 0, as on Linux, since the text does not exist before it is read. */
export class MachineFs extends GeneratedFs {
  constructor(
    private readonly machine: TextFiles,
    private readonly prefix: '/proc' | '/sys',
  ) {
    super();
  }

  private full(path: string): string {
    return path === '/' ? this.prefix : this.prefix + path;
  }

  lstat(path: string): Stat {
    if (path === '/' || this.machine.listProc(this.full(path))) {
      return { type: 'directory', mode: 0o555, size: 0, mtimeMs: 0 };
    }
    const slash = path.lastIndexOf('/');
    const siblings = this.machine.listProc(this.full(path.slice(0, slash) || '/')) ?? [];
    if (!siblings.includes(path.slice(slash + 1)) && this.machine.readProc(this.full(path)) === undefined) {
      throw new FsError('ENOENT', path);
    }
    return { type: 'file', mode: 0o444, size: 0, mtimeMs: 0 };
  }

  readdir(path: string): string[] {
    return (this.machine.listProc(this.full(path)) ?? []).map((name) => name.replace(/\/$/, ''));
  }

  readFile(path: string): Uint8Array {
    const bytes = this.machine.readProc(this.full(path));
    if (!bytes) throw new FsError('ENOENT', path);
    return bytes;
  }

  override writeFile(path: string, bytes: Uint8Array, _append: boolean): void {
    this.lstat(path);
    if (bytes.length === 0) return; // opening and truncating changes nothing in such a file
    const result = this.machine.writeProc?.(this.full(path), bytes) ?? -13;
    if (result < 0) throw new FsError(errnoCodes[-result] ?? 'EIO', path);
  }
}

export interface Device {
  major: number;
  minor: number;
  mode: number;
  read(): Source;
  write(): Sink;
}

/** /dev: each name is a character device. */
export class DeviceFs extends GeneratedFs {
  constructor(private readonly devices: ReadonlyMap<string, Device>) {
    super();
  }

  private device(path: string): Device {
    const device = this.devices.get(path.slice(1));
    if (!device) throw new FsError('ENOENT', path);
    return device;
  }

  lstat(path: string): Stat {
    if (path === '/') return { type: 'directory', mode: 0o755, size: 0, mtimeMs: 0 };
    const { major, minor, mode } = this.device(path);
    return { type: 'char', mode, size: 0, mtimeMs: 0, device: [major, minor] };
  }

  readdir(): string[] {
    return [...this.devices.keys()];
  }

  readFile(path: string): Uint8Array {
    throw new FsError('EINVAL', path);
  }

  override writeFile(path: string, bytes: Uint8Array): void {
    void this.device(path).write().write(bytes);
  }

  openRead(path: string): Source | undefined {
    return path === '/' ? undefined : this.device(path).read();
  }

  openWrite(path: string): Sink {
    return this.device(path).write();
  }
}

/** A flat folder of names whose content is made on read: /bin. */
export class NamesFs extends GeneratedFs {
  constructor(
    private readonly names: () => Iterable<string>,
    private readonly content: (name: string) => string,
  ) {
    super();
  }

  private has(name: string): boolean {
    for (const item of this.names()) if (item === name) return true;
    return false;
  }

  lstat(path: string): Stat {
    if (path === '/') return { type: 'directory', mode: 0o755, size: 0, mtimeMs: 0 };
    if (!this.has(path.slice(1))) throw new FsError('ENOENT', path);
    return { type: 'file', mode: 0o755, size: this.readFile(path).length, mtimeMs: 0 };
  }

  readdir(): string[] {
    return [...this.names()];
  }

  readFile(path: string): Uint8Array {
    return new TextEncoder().encode(this.content(path.slice(1)));
  }
}
