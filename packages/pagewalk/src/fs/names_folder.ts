// SPDX-License-Identifier: MIT
/** Flat folders whose files are made when they are read, for the machine: /bin. */

import type { HostFolder, HostStat } from '@pagewalk/kernel/fs/hostfs/hostfs';

const ENOENT = 2;
const EINVAL = 22;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const encoder = new TextEncoder();

/**
 * @param names what there is
 * @param content text of a file
 * @param mtimeSec when all of it was made, in seconds since 1970
 */
export function namesFolder(
  names: () => Iterable<string>,
  content: (name: string) => string,
  mtimeSec: number,
): HostFolder {
  const mtime = { sec: mtimeSec, nsec: 0 };
  const has = (path: string) => [...names()].includes(path.slice(1));
  const bytes = (path: string) => encoder.encode(content(path.slice(1)));
  return {
    stat: (path): HostStat | number => {
      if (path === '/') return { mode: S_IFDIR | 0o755, size: 0, mtime, nlink: 2 };
      return has(path) ? { mode: S_IFREG | 0o755, size: bytes(path).length, mtime } : -ENOENT;
    },
    list: () => [...names()],
    read: (path) => (has(path) ? bytes(path) : -ENOENT),
    readlink: () => -EINVAL,
  };
}
