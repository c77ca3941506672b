// SPDX-License-Identifier: MIT
/** A folder of the host as a file system: what /host shows. Links are reported as such, never followed here. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import { type ErrnoCode, errnoText, type Filesystem, FsError, type Stat } from './filesystem.js';

const knownCode = (code: unknown): ErrnoCode =>
  typeof code === 'string' && code in errnoText ? (code as ErrnoCode) : 'EIO';

export class HostFs implements Filesystem {
  constructor(private readonly folder: string) {}

  private on<T>(path: string, operation: (hostPath: string) => T): T {
    try {
      return operation(join(this.folder, path));
    } catch (error) {
      if (error instanceof Error && 'code' in error) throw new FsError(knownCode(error.code), path);
      throw error;
    }
  }

  lstat(path: string): Stat {
    return this.on(path, (at) => {
      const stat = fs.lstatSync(at);
      const type = stat.isDirectory()
        ? 'directory'
        : stat.isSymbolicLink()
          ? 'symlink'
          : stat.isCharacterDevice()
            ? 'char'
            : 'file';
      return { type, mode: stat.mode & 0o7777, size: stat.size, mtimeMs: stat.mtimeMs };
    });
  }

  readdir(path: string): string[] {
    return this.on(path, (at) => fs.readdirSync(at));
  }

  readFile(path: string): Uint8Array {
    return this.on(path, (at) => new Uint8Array(fs.readFileSync(at)));
  }

  writeFile(path: string, bytes: Uint8Array, append: boolean): void {
    this.on(path, (at) => fs.writeFileSync(at, bytes, { flag: append ? 'a' : 'w' }));
  }

  readlink(path: string): string {
    return this.on(path, (at) => fs.readlinkSync(at));
  }

  mkdir(path: string): void {
    this.on(path, (at) => fs.mkdirSync(at));
  }

  rmdir(path: string): void {
    this.on(path, (at) => fs.rmdirSync(at));
  }

  unlink(path: string): void {
    this.on(path, (at) => fs.unlinkSync(at));
  }

  rename(from: string, to: string): void {
    this.on(from, (at) => fs.renameSync(at, join(this.folder, to)));
  }

  symlink(target: string, path: string): void {
    this.on(path, (at) => fs.symlinkSync(target, at));
  }

  link(from: string, to: string): void {
    this.on(from, (at) => fs.linkSync(at, join(this.folder, to)));
  }

  chmod(path: string, mode: number): void {
    this.on(path, (at) => fs.chmodSync(at, mode));
  }

  utimes(path: string, mtimeMs: number): void {
    this.on(path, (at) => fs.utimesSync(at, mtimeMs / 1000, mtimeMs / 1000));
  }
}
