// SPDX-License-Identifier: MIT
/**
 * Kbuild for external modules: what `make -C /lib/modules/…/build M=…` does, with the output of Linux 6.1.
 *
 * The order of one build: read the folder's Kbuild or Makefile and those of its subfolders, compile each object that
 * is out of date (`CC [M]`), join composite modules (`LD [M] foo.o`), check all of them together (`MODPOST`), make
 * the modules (`LD [M] foo.ko`). Beside each object a `.foo.o.cmd` keeps the key of what it was made from, so that
 * "out of date" is a question of contents, not of times.
 */

import type { CompileEnv } from './compile.js';
import { readText } from './fs.js';
import { resolvePath } from './includes.js';
import { finishModules } from './kbuild/finish.js';
import { clean, install } from './kbuild/goals.js';
import { buildFolder } from './kbuild/objects.js';
import { Interrupted } from './make/recipe.js';
import type { KbuildRequest, MakeContext } from './make.js';
import type { ExportedSymbol } from './modpost.js';

/** Where in Linux 6.1's own makefiles a step fails, for messages that can be searched for. */
export const LINUX_LINES = {
  compile: 'scripts/Makefile.build:250',
  include: 'scripts/Makefile.build:44',
  descend: 'scripts/Makefile.build:500',
  modpost: 'scripts/Makefile.modpost:126',
  module: 'scripts/Makefile.modfinal:61',
  folder: 'Makefile:1992',
  modpostGoal: 'Makefile:1944',
} as const;

export interface KbuildOptions {
  readonly compile: CompileEnv;
  readonly kernelSymbols?: readonly ExportedSymbol[];
  readonly keepDebug?: boolean;
}

/** A step failed and its message has been printed; `status` is what the step's own make exits with. */
export class KbuildFailed extends Error {}

/** One run of Kbuild: the steps share it. */
export class KbuildRun {
  readonly context: MakeContext;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly dryRun: boolean;
  /** KBUILD_EXTRA_SYMBOLS as the module's Makefile sets it. */
  extraSymbols = '';

  constructor(
    readonly request: KbuildRequest,
    readonly options: KbuildOptions,
    /** The module's folder: M. */
    readonly root: string,
    private readonly variables: ReadonlyMap<string, string>,
  ) {
    this.context = request.context;
    this.quiet = request.command.silent;
    this.dryRun = request.command.dryRun;
    this.verbose = /^[12]$/.test(this.variable('V'));
  }

  /** A variable of the command line or the environment. */
  variable(name: string): string {
    return this.variables.get(name) ?? this.context.env?.[name] ?? '';
  }

  /** `  CC [M]  /path/foo.o`, or the whole command if asked for. */
  say(what: string, path: string, command?: readonly string[]): void {
    if (this.quiet) return;
    if (this.verbose && command) this.context.stdout(`  ${command.join(' ')}\n`);
    else this.context.stdout(`  ${what.padEnd(7)} ${path}\n`);
  }

  /** `make[2]: *** [scripts/Makefile.build:250: /path/foo.o] Error 1`; depth 0 is Kbuild's top Makefile. */
  complain(depth: number, where: string, target: string, status: number): void {
    const what = this.context.signal?.aborted ? 'Interrupt' : `Error ${status}`;
    this.message(depth, `*** [${where}: ${target}] ${what}`);
  }

  message(depth: number, text: string): void {
    const level = this.request.level + depth;
    this.context.stderr(`${level === 0 ? 'make' : `make[${level}]`}: ${text}\n`);
  }

  readText(path: string): Promise<string | undefined> {
    return readText(this.context.fs, path);
  }
}

/** Runs Kbuild's goals. Resolves to an exit status: 0 or 2. */
export async function kbuild(request: KbuildRequest, options: KbuildOptions): Promise<number> {
  const variables = new Map(request.command.variables.map(({ name, value }) => [name, value]));
  const { context } = request;
  const folder = variables.get('M') ?? variables.get('KBUILD_EXTMOD') ?? context.env?.['KBUILD_EXTMOD'];
  const goals = request.command.goals.length > 0 ? request.command.goals : ['modules'];
  if (goals.every((goal) => goal === 'help')) {
    context.stdout(HELP);
    return 0;
  }
  if (!folder) {
    context.stderr(
      "Makefile:1: *** these are the kernel's headers: give M=folder to build modules.  Stop.\n",
    );
    return 2;
  }
  const run = new KbuildRun(request, options, resolvePath(context.cwd, folder).replace(/\/$/, ''), variables);
  try {
    for (const goal of goals) {
      const step = GOALS[goal];
      if (!step) {
        run.message(0, `*** No rule to make target '${goal}'.  Stop.`);
        return 2;
      }
      await step(run);
    }
    return 0;
  } catch (error) {
    if (context.signal?.aborted) throw new Interrupted();
    if (error instanceof KbuildFailed) return 2;
    throw error;
  }
}

const GOALS: Readonly<Record<string, (run: KbuildRun) => Promise<void>>> = {
  modules: buildModules,
  all: buildModules,
  modules_prepare: async () => {},
  modules_install: install,
  clean,
  help: async ({ context }) => context.stdout(HELP),
};

async function buildModules(run: KbuildRun): Promise<void> {
  const modules = await buildFolder(run, run.root, 1, []).catch((error: unknown) => {
    run.complain(0, LINUX_LINES.folder, run.root, 2);
    throw error;
  });
  if (!run.dryRun) await finishModules(run, modules);
}

const HELP = `  Building external modules.
  Syntax: make -C path/to/kernel/src M=$PWD target

  modules         - default target, build the module(s)
  modules_install - install the module
  clean           - remove generated files in module directory only
`;
