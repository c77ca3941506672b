// SPDX-License-Identifier: MIT
/** What a folder's Kbuild or Makefile asks for: modules, their objects, subfolders, flags. */

import { resolvePath } from '../includes.js';
import { KbuildFailed, type KbuildRun, LINUX_LINES } from '../kbuild.js';
import { MakeError } from '../make/error.js';
import type { Expander } from '../make/expand.js';
import { words } from '../make/variables.js';
import { shellWords } from '../make/words.js';
import { UTS_RELEASE } from '../modpost.js';
import { configOf } from './config.js';

export interface ObjectPlan {
  /** Path without suffix: the source is this plus `.c`. */
  readonly stem: string;
  readonly flags: string[];
  readonly removeFlags: string[];
}

export interface ModulePlan {
  readonly name: string;
  /** Path without suffix. */
  readonly stem: string;
  /** The module's parts. A single-file module has one, of the module's own name. */
  readonly objects: ObjectPlan[];
}

export interface FolderPlan {
  readonly modules: ModulePlan[];
  /** Absolute paths. */
  readonly subfolders: string[];
  /** subdir-ccflags-y: the flags that subfolders inherit. */
  readonly inherited: string[];
}

/** Reads the plan of `folder`. Prints what is wrong with it, and throws KbuildFailed. */
export async function readPlan(
  run: KbuildRun,
  folder: string,
  depth: number,
  inherited: readonly string[],
): Promise<FolderPlan> {
  const file = (await run.context.fs.stat(`${folder}/Kbuild`)) ? `${folder}/Kbuild` : `${folder}/Makefile`;
  if ((await run.readText(file)) === undefined) {
    run.context.stderr(`${LINUX_LINES.include}: ${file}: No such file or directory\n`);
    run.message(depth, `*** No rule to make target '${file}'.  Stop.`);
    throw new KbuildFailed();
  }
  try {
    return await interpret(
      await run.request.readMakefile(file, variablesFor(run, folder)),
      run,
      folder,
      inherited,
    );
  } catch (error) {
    if (!(error instanceof MakeError)) throw error;
    if (error.where) run.context.stderr(`${error.where}: *** ${error.message}.  Stop.\n`);
    else run.message(depth, `*** ${error.message}.  Stop.`);
    throw new KbuildFailed();
  }
}

function variablesFor(run: KbuildRun, folder: string): Record<string, string> {
  return {
    ...configOf(run.options.compile.headers),
    KERNELRELEASE: UTS_RELEASE,
    KERNELVERSION: '6.1.0',
    VERSION: '6',
    PATCHLEVEL: '1',
    SUBLEVEL: '0',
    EXTRAVERSION: '',
    ARCH: 'wasm64',
    SRCARCH: 'wasm64',
    KBUILD_EXTMOD: run.root,
    M: run.root,
    srctree: '.',
    objtree: '.',
    src: folder,
    obj: folder,
  };
}

async function interpret(
  makefile: Expander,
  run: KbuildRun,
  folder: string,
  inherited: readonly string[],
): Promise<FolderPlan> {
  const list = async (name: string) => words(await makefile.variable(name));
  const flags = async (name: string) => {
    const text = await makefile.variable(name);
    return shellWords(text) ?? words(text);
  };
  const subdirFlags = [...inherited, ...(await flags('subdir-ccflags-y'))];
  const common = [
    ...(shellWords(run.variable('KCFLAGS')) ?? []),
    ...(await flags('CFLAGS_MODULE')),
    ...subdirFlags,
    ...(await flags('ccflags-y')),
    ...(await flags('ccflags-m')),
    ...(await flags('EXTRA_CFLAGS')),
  ];
  const remove = await flags('ccflags-remove-y');
  const objectPlan = async (object: string): Promise<ObjectPlan> => ({
    stem: resolvePath(folder, object.replace(/\.o$/, '')),
    flags: [...common, ...(await flags(`CFLAGS_${object}`))],
    removeFlags: [...remove, ...(await flags(`CFLAGS_REMOVE_${object}`))],
  });

  if (folder === run.root) run.extraSymbols = await makefile.variable('KBUILD_EXTRA_SYMBOLS');
  const wanted = [...new Set(await list('obj-m'))];
  const modules: ModulePlan[] = [];
  for (const entry of wanted.filter((e) => e.endsWith('.o'))) {
    const name = entry.replace(/\.o$/, '');
    const parts = [
      ...(await list(`${name}-objs`)),
      ...(await list(`${name}-y`)),
      ...(await list(`${name}-m`)),
    ];
    const objects: ObjectPlan[] = [];
    for (const part of parts.length > 0 ? new Set(parts) : [entry]) objects.push(await objectPlan(part));
    modules.push({ name: name.slice(name.lastIndexOf('/') + 1), stem: resolvePath(folder, name), objects });
  }
  const entered = [...wanted, ...(await list('obj-y'))].filter((e) => e.endsWith('/'));
  const subdirs = [...entered, ...(await list('subdir-y')), ...(await list('subdir-m'))];
  const subfolders = [...new Set(subdirs.map((e) => resolvePath(folder, e.replace(/\/$/, ''))))];
  return { modules, subfolders, inherited: subdirFlags };
}
