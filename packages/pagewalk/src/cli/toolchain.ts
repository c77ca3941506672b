// SPDX-License-Identifier: MIT
/** The compiler, loaded when it is first needed, and `make` as a command of the shell. */

import type { Toolchain } from '@pagewalk/toolchain';
import type { BuildFs } from '@pagewalk/toolchain/fs';
import { FsError } from '../fs/filesystem.js';
import { dirname, type Vfs } from '../fs/vfs.js';
import type { Command } from '../shell/command.js';
import { ByteBuffer, emptySource, Input } from '../shell/stream.js';
import { ProgressBar } from './terminal.js';

const progress = new ProgressBar('Loading clang');
let loaded: Promise<Toolchain> | undefined;

/** What the kernel exports to modules: undefined symbols are then found at build time. */
export type KernelSymbols = readonly { name: string; gplOnly: boolean }[];

export function loadToolchain(kernelSymbols?: KernelSymbols): Promise<Toolchain> {
  loaded ??= import('@pagewalk/toolchain/index.node').then(({ nodeToolchain }) =>
    nodeToolchain({
      onProgress: (done, total) => progress.show(done, total),
      ...(kernelSymbols && { kernelSymbols }),
    }),
  );
  return loaded;
}

/** Ends the compiler's thread, so that the process can end. */
export async function closeToolchain(): Promise<void> {
  (await loaded)?.close();
  loaded = undefined;
}

const absent = (error: unknown): undefined => {
  if (error instanceof FsError && ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(error.code)) return undefined;
  throw error;
};

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    return absent(error);
  }
}

/** The shell's tree as make sees it. */
export function buildFs(fs: Vfs): BuildFs {
  const makeFolder = (path: string): void => {
    if (fs.isDirectory(path)) return;
    makeFolder(dirname(path));
    fs.mkdir(path);
  };
  return {
    readFile: async (path) => attempt(() => fs.readFile(path)),
    readdir: async (path) => attempt(() => fs.readdir(path)),
    unlink: async (path) => attempt(() => fs.unlink(path)),
    stat: async (path) =>
      attempt(() => {
        const { type, mtimeMs } = fs.stat(path);
        return { directory: type === 'directory', mtimeMs };
      }),
    writeFile: async (path, content) => {
      makeFolder(dirname(path));
      fs.writeFile(path, content);
    },
  };
}

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** `make`: recipe lines run in the same shell. */
export const makeCommand =
  (kernelSymbols?: KernelSymbols): Command =>
  async (context) => {
    const toolchain = await loadToolchain(kernelSymbols);
    let written = Promise.resolve();
    let installed = false;
    const status = await toolchain.make(context.args, {
      cwd: context.cwd,
      fs: buildFs(context.fs),
      env: Object.fromEntries(context.env),
      signal: context.signal,
      stdout: (text) => {
        installed ||= text.startsWith('  DEPMOD ');
        progress.clear();
        written = written.then(() => context.out(text));
      },
      stderr: (text) => {
        progress.clear();
        written = written.then(() => context.err(text));
      },
      sh: async (command, { cwd, env }) => {
        const stdout = new ByteBuffer();
        const exports = Object.entries(env).map(([name, value]) => `export ${name}=${quote(value)}\n`);
        const script = `${exports.join('')}cd ${quote(cwd)} && {\n${command}\n}`;
        const status = await context.run(['sh', '-c', script], { stdin: new Input(emptySource), stdout });
        return { status, stdout: stdout.text() };
      },
    });
    await written;
    return installed && status === 0 ? context.run(['depmod']) : status;
  };
