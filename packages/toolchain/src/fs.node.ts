// SPDX-License-Identifier: MIT
/** The host's folders as a BuildFs. On Windows `/c/src` stands for `C:\src`. */

import { mkdir, readdir, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { BuildFs } from './fs.js';

const DRIVE = /^\/([A-Za-z])(?=\/|$)/;

/** A BuildFs path as the host writes it. */
export const toHostPath = (path: string, platform: string = process.platform): string =>
  platform === 'win32'
    ? path.replace(DRIVE, (_, drive) => `${drive.toUpperCase()}:`).replaceAll('/', '\\')
    : path;

/** A path of the host (absolute) as a BuildFs path. */
export const fromHostPath = (path: string, platform: string = process.platform): string =>
  platform === 'win32'
    ? path.replaceAll('\\', '/').replace(/^([A-Za-z]):/, (_, drive) => `/${drive.toLowerCase()}`)
    : path;

const absent = (error: unknown): undefined => {
  const { code } = error as { code?: string };
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR') return undefined;
  throw error;
};

export const nodeFs: BuildFs = {
  readFile: (path) => readFile(toHostPath(path)).catch(absent),
  async writeFile(path, content) {
    await mkdir(dirname(toHostPath(path)), { recursive: true });
    await writeFile(toHostPath(path), content);
  },
  readdir: (path) => readdir(toHostPath(path)).catch(absent),
  async stat(path) {
    const found = await stat(toHostPath(path)).catch(absent);
    return found && { directory: found.isDirectory(), mtimeMs: found.mtimeMs };
  },
  unlink: (path) => unlink(toHostPath(path)).catch(absent),
};
