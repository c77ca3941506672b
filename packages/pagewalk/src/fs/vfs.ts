// SPDX-License-Identifier: MIT
/** One tree of several mounts: path resolution with symbolic links, and the file operations that tools use. */

import { type Filesystem, FsError, type Sink, type Source, type Stat, WriteError } from './filesystem.js';

const MAX_LINKS = 40;

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

interface Place {
  fs: Filesystem;
  /** Path within the mount. */
  inner: string;
  /** Path in the whole tree, links resolved. */
  full: string;
}

export class Vfs {
  private readonly mounts: { point: string; fs: Filesystem; type: string }[] = [];

  mount(point: string, fs: Filesystem, type: string): void {
    this.mounts.push({ point: point === '/' ? '' : point, fs, type });
    this.mounts.sort((a, b) => b.point.length - a.point.length);
  }

  mountTable(): { point: string; type: string }[] {
    return [...this.mounts].reverse().map(({ point, type }) => ({ point: point || '/', type }));
  }

  /** The mount that holds a path without links. */
  private locate(full: string): Place {
    for (const { point, fs } of this.mounts) {
      if (full === point || full.startsWith(`${point}/`))
        return { fs, inner: full.slice(point.length) || '/', full };
    }
    throw new FsError('ENOENT', full);
  }

  private isMountPoint(full: string): boolean {
    return this.mounts.some(({ point }) => point === full);
  }

  /** Walks a path; the last component's link is followed if asked. It need not exist. */
  private walk(path: string, followLast: boolean): Place {
    let links = 0;
    let full = '';
    const rest = path.split('/').filter((part) => part !== '' && part !== '.');
    while (rest.length > 0) {
      const part = rest.shift()!;
      if (part === '..') {
        full = full.slice(0, Math.max(0, full.lastIndexOf('/')));
        continue;
      }
      const next = `${full}/${part}`;
      const place = this.locate(next);
      if ((rest.length === 0 && !followLast) || this.isMountPoint(next)) {
        full = next;
        continue;
      }
      let stat: Stat;
      try {
        stat = place.fs.lstat(place.inner);
      } catch (error) {
        if (rest.length === 0 && error instanceof FsError && error.code === 'ENOENT') return place;
        throw error instanceof FsError ? new FsError(error.code, path) : error;
      }
      if (stat.type === 'symlink') {
        if (++links > MAX_LINKS) throw new FsError('ELOOP', path);
        const target = place.fs.readlink(place.inner);
        if (target.startsWith('/')) full = '';
        rest.unshift(...target.split('/').filter((item) => item !== '' && item !== '.'));
      } else {
        if (rest.length > 0 && stat.type !== 'directory') throw new FsError('ENOTDIR', path);
        full = next;
      }
    }
    return this.locate(full || '/');
  }

  /** Runs an operation on a path; errors name the path as it was given. */
  private on<T>(path: string, followLast: boolean, operation: (place: Place) => T): T {
    try {
      return operation(this.walk(path, followLast));
    } catch (error) {
      throw error instanceof FsError ? new FsError(error.code, path) : error;
    }
  }

  realpath(path: string): string {
    return this.on(path, true, ({ fs, inner, full }) => {
      fs.lstat(inner);
      return full;
    });
  }

  stat(path: string): Stat {
    return this.on(path, true, ({ fs, inner }) => fs.lstat(inner));
  }

  lstat(path: string): Stat {
    return this.on(path, false, ({ fs, inner }) => fs.lstat(inner));
  }

  exists(path: string): boolean {
    try {
      this.stat(path);
      return true;
    } catch {
      return false;
    }
  }

  isDirectory(path: string): boolean {
    try {
      return this.stat(path).type === 'directory';
    } catch {
      return false;
    }
  }

  /** Names in a folder, sorted, with those of mounts in it. */
  readdir(path: string): string[] {
    return this.on(path, true, ({ fs, inner, full }) => {
      if (fs.lstat(inner).type !== 'directory') throw new FsError('ENOTDIR', path);
      const prefix = full === '/' ? '/' : `${full}/`;
      const mounted = this.mounts
        .filter(({ point }) => point.startsWith(prefix) && point.length > prefix.length)
        .map(({ point }) => point.slice(prefix.length))
        .filter((name) => !name.includes('/'));
      return [...new Set([...fs.readdir(inner), ...mounted])].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    });
  }

  readFile(path: string): Uint8Array {
    return this.on(path, true, ({ fs, inner }) => {
      if (fs.lstat(inner).type === 'directory') throw new FsError('EISDIR', path);
      return fs.readFile(inner);
    });
  }

  writeFile(path: string, bytes: Uint8Array, append = false): void {
    this.on(path, true, ({ fs, inner }) => fs.writeFile(inner, bytes, append));
  }

  /** A stream of the file's bytes. */
  openRead(path: string, signal?: AbortSignal): Source {
    return this.on(path, true, ({ fs, inner }) => {
      const stream = fs.openRead?.(inner, signal);
      if (stream) return stream;
      if (fs.lstat(inner).type === 'directory') throw new FsError('EISDIR', path);
      let bytes: Uint8Array | undefined = fs.readFile(inner);
      return {
        read: async () => {
          const chunk = bytes;
          bytes = undefined;
          return chunk;
        },
      };
    });
  }

  /** Opens for writing: truncates, unless it appends. */
  openWrite(path: string, append: boolean, signal?: AbortSignal): Sink {
    return this.on(path, true, ({ fs, inner }) => {
      const stream = fs.openWrite?.(inner, signal, append);
      if (!stream) fs.writeFile(inner, new Uint8Array(0), append);
      const write = async (bytes: Uint8Array) => {
        try {
          if (stream) await stream.write(bytes);
          else fs.writeFile(inner, bytes, true);
        } catch (error) {
          throw error instanceof FsError ? new WriteError(error) : error;
        }
      };
      return { write, close: () => stream?.close?.() };
    });
  }

  readlink(path: string): string {
    return this.on(path, false, ({ fs, inner }) => {
      if (fs.lstat(inner).type !== 'symlink') throw new FsError('EINVAL', path);
      return fs.readlink(inner);
    });
  }

  mkdir(path: string): void {
    this.on(path, true, ({ fs, inner, full }) => {
      if (this.isMountPoint(full)) throw new FsError('EEXIST', path);
      fs.mkdir(inner);
    });
  }

  rmdir(path: string): void {
    this.on(path, false, ({ fs, inner, full }) => {
      if (this.isMountPoint(full)) throw new FsError('EBUSY', path);
      fs.rmdir(inner);
    });
  }

  unlink(path: string): void {
    this.on(path, false, ({ fs, inner }) => fs.unlink(inner));
  }

  rename(from: string, to: string): void {
    const target = this.on(to, false, (place) => place);
    this.on(from, false, ({ fs, inner }) => {
      if (fs !== target.fs) throw new FsError('EXDEV', from);
      fs.rename(inner, target.inner);
    });
  }

  link(from: string, to: string): void {
    const target = this.on(to, false, (place) => place);
    this.on(from, true, ({ fs, inner }) => {
      if (fs !== target.fs) throw new FsError('EXDEV', from);
      fs.link(inner, target.inner);
    });
  }

  symlink(target: string, path: string): void {
    this.on(path, false, ({ fs, inner }) => fs.symlink(target, inner));
  }

  /** Makes a device node. */
  mknod(path: string, mode: number, rdev: number): void {
    this.on(path, true, ({ fs, inner }) => {
      if (!fs.mknod) throw new FsError('EPERM', path);
      fs.mknod(inner, mode, rdev);
    });
  }

  chmod(path: string, mode: number): void {
    this.on(path, true, ({ fs, inner }) => fs.chmod(inner, mode));
  }

  utimes(path: string, mtimeMs: number): void {
    this.on(path, true, ({ fs, inner }) => fs.utimes(inner, mtimeMs));
  }
}
