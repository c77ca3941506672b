// SPDX-License-Identifier: MIT
/** The build cache on disk: one file an entry, in the user's cache folder. */

import { mkdir, readdir, readFile, rename, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { BuildCache } from './cache.js';

const MAX_BYTES = 256 * 1024 * 1024;
/** How many entries are written between two looks at the folder's size. */
const TRIM_EVERY = 64;

/** Where the platform wants caches: XDG_CACHE_HOME, ~/Library/Caches or %LOCALAPPDATA%. */
export function defaultCacheFolder(): string {
  const { env, platform } = process;
  if (env['PAGEWALK_CACHE']) return env['PAGEWALK_CACHE'];
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'pagewalk');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'pagewalk');
  return join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'pagewalk');
}

export class DiskCache implements BuildCache {
  private nrWritten = 0;

  constructor(
    private readonly folder = join(defaultCacheFolder(), 'objects'),
    private readonly maxBytes = MAX_BYTES,
  ) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const path = join(this.folder, key);
    try {
      const value = await readFile(path);
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return value;
    } catch {
      return undefined;
    }
  }

  /** Written beside and renamed, so that a reader never sees half an entry. */
  async put(key: string, value: Uint8Array): Promise<void> {
    const path = join(this.folder, key);
    const unfinished = `${path}.${process.pid}.${this.nrWritten}`;
    try {
      await mkdir(this.folder, { recursive: true });
      await writeFile(unfinished, value);
      await rename(unfinished, path);
      if (this.nrWritten++ % TRIM_EVERY === 0) await this.trim();
    } catch {
      await unlink(unfinished).catch(() => undefined);
    }
  }

  /** Removes the entries unused for longest until the rest fits. */
  private async trim(): Promise<void> {
    const names = await readdir(this.folder);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.folder, name);
        const { size, mtimeMs } = await stat(path);
        return { path, size, mtimeMs };
      }),
    );
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
      if (bytes <= this.maxBytes) break;
      await unlink(path);
      bytes -= size;
    }
  }
}
