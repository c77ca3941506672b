// SPDX-License-Identifier: MIT
/** What the VFS offers to C: dentries, inodes, paths, and files of the kernel's own. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { StaticData } from '../lib/static_data.js';
import { dcacheExports } from './dcache_exports.js';
import type { FileCalls } from './file_calls.js';
import { FileExports } from './file_exports.js';
import type { FsDeps } from './fs_context.js';
import { inodeExports } from './inode_exports.js';
import type { OpenCalls } from './open.js';
import { pathExports } from './path_exports.js';
import type { Vfs } from './vfs.js';

export class VfsExports {
  private readonly files: FileExports;

  constructor(
    private readonly deps: FsDeps,
    private readonly vfs: Vfs,
    open: OpenCalls,
    calls: FileCalls,
    data: StaticData,
  ) {
    this.files = new FileExports(deps, vfs, open, calls, data);
  }

  exports(): KernelExports {
    const { deps, vfs } = this;
    return {
      ...dcacheExports(deps, vfs.dcache),
      ...inodeExports(deps, vfs),
      ...pathExports(deps, vfs),
      ...this.files.exports(),
    };
  }
}
