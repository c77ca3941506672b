// SPDX-License-Identifier: MIT
/** A folder of the host for the machine: what /host shows. */

import * as fs from 'node:fs';
import { join } from 'node:path';
import type { HostChanges, HostFolder, HostStat } from '@pagewalk/kernel/fs/hostfs/hostfs';
import { errnoOf } from './filesystem.js';

const EIO = 5;

/** The error of a call on the host as Linux numbers it, whatever system the host is. */
function attempt<T>(operation: () => T): T | number {
  try {
    return operation();
  } catch (error) {
    if (error instanceof Error && 'code' in error) return -(errnoOf(String(error.code)) ?? EIO);
    throw error;
  }
}

const done = (operation: () => void): number => {
  const result = attempt(operation);
  return typeof result === 'number' ? result : 0;
};

/**
 * @param folder its path on the host
 * @param writable the machine may change it
 */
export function hostFolder(folder: string, writable: boolean): HostFolder {
  const at = (path: string) => join(folder, path);
  const stat = (path: string): HostStat => {
    const { mode, size, mtimeMs, ino, nlink } = fs.lstatSync(at(path));
    const sec = Math.floor(mtimeMs / 1000);
    const mtime = { sec, nsec: Math.round((mtimeMs - sec * 1000) * 1e6) };
    return { mode: writable ? mode : mode & ~0o222, size, mtime, ino, nlink };
  };
  const change: HostChanges = {
    create: (path, mode) => done(() => fs.closeSync(fs.openSync(at(path), 'wx', mode))),
    write: (path, offset, bytes) =>
      done(() => {
        const fd = fs.openSync(at(path), 'r+');
        try {
          fs.writeSync(fd, bytes, 0, bytes.length, offset);
        } finally {
          fs.closeSync(fd);
        }
      }),
    truncate: (path, size) => done(() => fs.truncateSync(at(path), size)),
    mkdir: (path, mode) => done(() => fs.mkdirSync(at(path), { mode })),
    unlink: (path) => done(() => fs.unlinkSync(at(path))),
    rmdir: (path) => done(() => fs.rmdirSync(at(path))),
    rename: (from, to) => done(() => fs.renameSync(at(from), at(to))),
    symlink: (target, path) => done(() => fs.symlinkSync(target, at(path))),
    link: (from, to) => done(() => fs.linkSync(at(from), at(to))),
    chmod: (path, mode) => done(() => fs.chmodSync(at(path), mode)),
    utimes: (path, { sec, nsec }) => done(() => fs.utimesSync(at(path), sec + nsec / 1e9, sec + nsec / 1e9)),
  };
  return {
    stat: (path) => attempt(() => stat(path)),
    list: (path) => attempt(() => fs.readdirSync(at(path))),
    read: (path) => attempt(() => new Uint8Array(fs.readFileSync(at(path)))),
    readlink: (path) => attempt(() => fs.readlinkSync(at(path))),
    ...(writable && { change }),
  };
}
