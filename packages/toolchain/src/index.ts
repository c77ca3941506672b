// SPDX-License-Identifier: MIT
/**
 * From C to kernel modules: the public API of @pagewalk/toolchain, for Node and browsers alike. In Node,
 * `nodeToolchain()` of `@pagewalk/toolchain/index.node` fills in the options.
 */

import type { BuildCache } from './cache.js';
import { type OnProgress, type SpawnToolWorker, ToolRunner } from './clang.js';
import {
  type CompileEnv,
  type CompileRequest,
  type CompileResult,
  compile,
  compilePrepared,
  type HeaderTree,
  prepareCompile,
} from './compile.js';
import { kbuild } from './kbuild.js';
import { finishModule, linkObjects } from './link.js';
import { type MakeContext, make } from './make.js';
import { type ExportedSymbol, modpost } from './modpost.js';
import { sha256 } from './sha256.js';

export { type BuildCache, MemoryCache } from './cache.js';
export { type OnProgress, type SpawnToolWorker, ToolError } from './clang.js';
export type { CompileRequest, CompileResult, HeaderTree } from './compile.js';
export { type BuildFs, type FileStat, MemoryFs } from './fs.js';
export { KERNEL_BUILD_FOLDER, type MakeContext, type Sh } from './make.js';
export { type ExportedSymbol, parseSymvers, UTS_RELEASE, VERMAGIC, writeSymvers } from './modpost.js';

export interface ToolchainOptions {
  /** The kernel headers. */
  readonly headers: HeaderTree;
  /** Starts the thread that clang runs in. */
  readonly spawn: SpawnToolWorker;
  /** Default: none; everything is compiled every time. */
  readonly cache?: BuildCache;
  /** Called while the compiler is being loaded. */
  readonly onProgress?: OnProgress;
  /** Keep DWARF in modules, beside the line table. Default: false. */
  readonly keepDebug?: boolean;
  /** What the kernel exports to modules. Undefined: not known; undefined symbols then show at load. */
  readonly kernelSymbols?: readonly { name: string; gplOnly: boolean }[];
}

export interface BuildModuleRequest {
  /** The module's name: `mem_alloc`. */
  readonly name: string;
  /** Path → text. Every `.c` file becomes part of the module, the rest can be included. */
  readonly sources: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** What modules that are, or will be, loaded export. */
  readonly moduleSymbols?: readonly ExportedSymbol[];
  readonly signal?: AbortSignal;
}

export interface BuildModuleResult {
  /** The module; undefined if the build failed. */
  readonly ko?: Uint8Array;
  /** Diagnostics of clang, the linker and modpost, as they print them. */
  readonly stderr: string;
  /** What the module exports to others. */
  readonly exports: readonly ExportedSymbol[];
}

export class Toolchain {
  private readonly tools: ToolRunner;
  private readonly env: CompileEnv;

  constructor(private readonly options: ToolchainOptions) {
    this.tools = new ToolRunner(options.spawn, options.onProgress);
    this.env = { tools: this.tools, headers: options.headers, cache: options.cache };
  }

  /** Compiles one C file to an object. Rejects with the signal's reason or ToolError. */
  compile(request: CompileRequest): Promise<CompileResult> {
    return compile(this.env, request);
  }

  /** Builds a module from sources in memory. Rejects with the signal's reason or ToolError. */
  async buildModule(request: BuildModuleRequest): Promise<BuildModuleResult> {
    const { name, sources, signal } = request;
    const read = async (path: string): Promise<string | undefined> => sources[path];
    const objects: { path: string; bytes: Uint8Array }[] = [];
    const digests: string[] = [];
    let stderr = '';
    let failed = false;
    for (const source of Object.keys(sources).filter((path) => path.endsWith('.c'))) {
      const prepared = await prepareCompile(this.env, { source, read, module: name, flags: request.flags });
      const result = await compilePrepared(this.env, prepared, signal);
      digests.push(prepared.sourceDigest);
      stderr += result.stderr;
      if (result.object) objects.push({ path: source.replace(/c$/, 'o'), bytes: result.object });
      else failed = true;
    }
    if (failed || objects.length === 0) return { stderr, exports: [] };

    const linked = await linkObjects(this.tools, objects, signal);
    stderr += linked.stderr;
    if (!linked.object) return { stderr, exports: [] };
    const sourceDigest = sha256(digests.join());
    const checked = modpost([{ path: name, object: linked.object, sourceDigest }], {
      known: [...(this.kernelSymbols ?? []), ...(request.moduleSymbols ?? [])],
      unresolved: this.kernelSymbols ? 'error' : 'ignored',
    });
    stderr += checked.messages;
    if (checked.failed) return { stderr, exports: [] };
    const ko = finishModule(linked.object, {
      modinfo: checked.modinfo[0],
      keepDebug: this.options.keepDebug,
    });
    return { ko, stderr, exports: checked.exports };
  }

  /**
   * Runs make as a command line would. Resolves to its exit status: 0, 2 for an error, 130 when aborted. Rejects
   * with ToolError when the compiler cannot be loaded.
   */
  make(args: readonly string[], context: MakeContext): Promise<number> {
    const options = {
      compile: this.env,
      kernelSymbols: this.kernelSymbols,
      keepDebug: this.options.keepDebug,
    };
    return make(args, context, (request) => kbuild(request, options));
  }

  /** Ends the compiler's thread; the next use starts another. */
  close(): void {
    this.tools.close();
  }

  private get kernelSymbols(): ExportedSymbol[] | undefined {
    return this.options.kernelSymbols?.map((s) => ({ ...s, module: 'vmlinux' }));
  }
}
