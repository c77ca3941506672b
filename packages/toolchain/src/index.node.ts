// SPDX-License-Identifier: MIT
/** The toolchain with what Node has: headers and cache on disk, clang in a worker thread. */

import { DiskCache } from './cache.node.js';
import { loadHeaders } from './headers.node.js';
import { Toolchain, type ToolchainOptions } from './index.js';
import { spawnNodeWorker } from './worker.node.js';

export { DiskCache, defaultCacheFolder } from './cache.node.js';
export { loadHeaders } from './headers.node.js';
export { spawnNodeWorker } from './worker.node.js';

export function nodeToolchain(options: Partial<ToolchainOptions> = {}): Toolchain {
  return new Toolchain({
    headers: loadHeaders(),
    cache: new DiskCache(),
    spawn: spawnNodeWorker,
    ...options,
  });
}
