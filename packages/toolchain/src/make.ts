// SPDX-License-Identifier: MIT
/**
 * `make`, for module Makefiles: as much of GNU make as they use, in its words. A sub-make in the kernel's build
 * folder is Kbuild; others run here too, at the next level.
 */

import { type BuildFs, readText } from './fs.js';
import { resolvePath } from './includes.js';
import { MakeError } from './make/error.js';
import { Expander, type ExpandHost } from './make/expand.js';
import { glob } from './make/glob.js';
import { type MakeCommand, parseCommand, USAGE } from './make/options.js';
import { Reader } from './make/reader.js';
import { Interrupted } from './make/recipe.js';
import { RuleBook } from './make/rules.js';
import { Updater } from './make/update.js';
import { Scope } from './make/variables.js';
import { shellWords, simpleCommand } from './make/words.js';
import { UTS_RELEASE } from './modpost.js';

export type Sh = (
  command: string,
  context: { cwd: string; env: Readonly<Record<string, string>>; signal?: AbortSignal },
) => Promise<{ status: number; stdout: string; stderr?: string }>;

export interface MakeContext {
  /** Absolute path. */
  readonly cwd: string;
  readonly fs: BuildFs;
  /** Runs the commands that are not `make` itself. Its result's output is printed, or taken by `$(shell)`. */
  readonly sh: Sh;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What Kbuild is given: a make that was started in the kernel's build folder. */
export interface KbuildRequest {
  readonly command: MakeCommand;
  readonly context: MakeContext;
  readonly level: number;
  /** Reads a makefile with these variables set, and gives its variables; for the module's own Makefile. */
  readMakefile(path: string, variables: Readonly<Record<string, string>>): Promise<Expander>;
}

export type Kbuild = (request: KbuildRequest) => Promise<number>;

/** Where modules are built: what `-C` names in every module Makefile. */
export const KERNEL_BUILD_FOLDER = `/lib/modules/${UTS_RELEASE}/build`;

const INTERRUPTED = 130;
/** How deep makes may call each other: a makefile that makes itself ends in an error. */
const MAX_LEVEL = 50;

/** Runs make. Resolves to its exit status: 0, 2 for an error, 130 when aborted. */
export async function make(args: readonly string[], context: MakeContext, kbuild: Kbuild): Promise<number> {
  const level = Number(context.env?.['MAKELEVEL'] ?? '0') || 0;
  // As a shell starts it: PWD is where the shell is, and -C does not change it.
  const env: Record<string, string> = { ...context.env };
  if (level === 0 || !env['PWD']) env['PWD'] = context.cwd;
  const program = level === 0 ? 'make' : `make[${level}]`;
  if (level > MAX_LEVEL) {
    context.stderr(`${program}: *** make calls itself without end.  Stop.\n`);
    return 2;
  }
  const inherited = shellWords(env['MAKEFLAGS'] ?? '') ?? [];
  const command = parseCommand(inherited.concat(args));
  if (typeof command === 'string') {
    context.stderr(`${program}: ${command}\n${USAGE}`);
    return 2;
  }
  if (command.help) {
    context.stdout(USAGE);
    return 0;
  }
  const cwd = command.directories.reduce((from, to) => resolvePath(from, to), context.cwd);
  const kernel = cwd === KERNEL_BUILD_FOLDER;
  if (!kernel && command.directories.length > 0 && !(await context.fs.stat(cwd))?.directory) {
    context.stderr(`${program}: *** ${command.directories.at(-1)}: No such file or directory.  Stop.\n`);
    return 2;
  }
  const announce =
    command.printDirectory ?? ((command.directories.length > 0 || level > 0) && !command.silent);
  const inside = { ...context, cwd, env };
  if (announce) context.stdout(`${program}: Entering directory '${cwd}'\n`);
  const session = new Session(command, inside, level, program, kbuild);
  const status = await (kernel ? session.kbuild() : session.run()).catch((error: unknown) => {
    if (error instanceof MakeError) {
      context.stderr(`${error.where ?? program}: *** ${error.message}.  Stop.\n`);
      return 2;
    }
    if (error instanceof Interrupted) return INTERRUPTED;
    if (context.signal?.aborted) {
      context.stderr(`${program}: *** Interrupt\n`);
      return INTERRUPTED;
    }
    throw error;
  });
  if (announce) context.stdout(`${program}: Leaving directory '${cwd}'\n`);
  return status;
}

/** One run of make in one folder. */
class Session {
  private readonly env: Readonly<Record<string, string>>;
  private readonly book = new RuleBook();
  private readonly scope = new Scope();
  private readonly reader: Reader;
  private readonly expandHost: ExpandHost;
  private where: string | undefined;

  constructor(
    private readonly command: MakeCommand,
    private readonly context: MakeContext,
    private readonly level: number,
    private readonly program: string,
    private readonly runKbuild: Kbuild,
  ) {
    this.env = context.env ?? {};
    this.expandHost = this.makeExpandHost();
    this.reader = new Reader(this.book, new Expander(this.scope, this.expandHost), {
      read: (path) => this.readMakefile(path),
      glob: (pattern) => glob(context.fs, context.cwd, pattern),
      warn: context.stderr,
    });
    this.setVariables();
  }

  async run(): Promise<number> {
    const files = this.command.files.length > 0 ? this.command.files : await this.defaultMakefile();
    for (const file of files) {
      const text = await this.readMakefile(file);
      if (text === undefined) {
        this.context.stderr(`${this.program}: ${file}: No such file or directory\n`);
        throw new MakeError(`No rule to make target '${file}'`);
      }
      await this.reader.read(file, text);
    }
    for (const { name, old, by } of this.book.overridden()) {
      this.context.stderr(`${by.where}: warning: overriding recipe for target '${name}'\n`);
      this.context.stderr(`${old.where}: warning: ignoring old recipe for target '${name}'\n`);
    }
    this.addBuiltinRules();
    const goals = await this.goals(files);
    const { context, program } = this;
    const updater = new Updater(this.book, this.scope, this.command, {
      fs: context.fs,
      cwd: context.cwd,
      program,
      expand: this.expandHost,
      stdout: context.stdout,
      stderr: context.stderr,
      command: (text) => this.runCommand(text),
      aborted: () => context.signal?.aborted ?? false,
      setWhere: (where) => {
        this.where = where;
      },
    });
    return updater.make(goals);
  }

  kbuild(): Promise<number> {
    return this.runKbuild({
      command: this.command,
      context: this.context,
      level: this.level,
      readMakefile: async (path, variables) => {
        const { reader, scope } = new Session(
          this.command,
          this.context,
          this.level,
          this.program,
          this.runKbuild,
        );
        for (const [name, value] of Object.entries(variables)) scope.set(name, value, false, 'file');
        await reader.read(path, (await this.readMakefile(path)) ?? '');
        return reader.expander;
      },
    });
  }

  private async defaultMakefile(): Promise<string[]> {
    for (const name of ['GNUmakefile', 'makefile', 'Makefile'])
      if (await this.context.fs.stat(resolvePath(this.context.cwd, name))) return [name];
    return [];
  }

  private async goals(files: readonly string[]): Promise<string[]> {
    if (this.command.goals.length > 0) return this.command.goals;
    const chosen = await this.reader.expander.variable('.DEFAULT_GOAL');
    const goal = chosen.trim() || this.book.defaultGoal;
    if (goal !== '') return [goal];
    throw new MakeError(files.length > 0 ? 'No targets' : 'No targets specified and no makefile found');
  }

  private async readMakefile(path: string): Promise<string | undefined> {
    const text = await readText(this.context.fs, resolvePath(this.context.cwd, path));
    const list = this.scope.get('MAKEFILE_LIST')?.value ?? '';
    if (text !== undefined) this.scope.set('MAKEFILE_LIST', `${list} ${path}`, false, 'file');
    return text;
  }

  private setVariables(): void {
    const defaults = {
      MAKE: 'make',
      MAKE_COMMAND: 'make',
      MAKE_VERSION: '4.3',
      SHELL: '/bin/sh',
      CC: 'cc',
      LD: 'ld',
    };
    const more = { AR: 'ar', RM: 'rm -f', MAKEFLAGS: this.command.flags, MAKELEVEL: String(this.level) };
    for (const [name, value] of Object.entries({ ...defaults, ...more }))
      this.scope.set(name, value, false, 'default');
    for (const [name, value] of Object.entries(this.env))
      if (!['SHELL', 'MAKEFLAGS', 'MAKELEVEL'].includes(name))
        this.scope.set(name, value, true, 'environment');
    this.scope.set('CURDIR', this.context.cwd, false, 'file');
    this.scope.set('MAKECMDGOALS', this.command.goals.join(' '), false, 'default');
    for (const { name, value, simple } of this.command.variables)
      this.scope.set(name, value, !simple, 'command line');
  }

  private addBuiltinRules(): void {
    const where = '<builtin>';
    const rule = (target: string, source: string, text: string) =>
      this.book.patterns.push({
        targets: [target],
        prerequisites: [source],
        orderOnly: [],
        recipe: [{ text, where }],
        where,
        doubleColon: false,
        stem: '',
      });
    if (this.command.noBuiltinRules) return;
    rule('%.o', '%.c', '$(CC) $(CFLAGS) $(CPPFLAGS) $(TARGET_ARCH) -c -o $@ $<');
    rule('%', '%.o', '$(CC) $(LDFLAGS) $(TARGET_ARCH) $^ $(LOADLIBES) $(LDLIBS) -o $@');
    rule('%', '%.c', '$(CC) $(CFLAGS) $(CPPFLAGS) $(LDFLAGS) $(TARGET_ARCH) $^ $(LOADLIBES) $(LDLIBS) -o $@');
  }

  private makeExpandHost(): ExpandHost {
    const { context } = this;
    const where = () => this.reader.where ?? this.where;
    return {
      cwd: context.cwd,
      nrReferences: 0,
      shell: (command) => this.shell(command),
      glob: (pattern) => glob(context.fs, context.cwd, pattern),
      exists: async (path) => (await context.fs.stat(resolvePath(context.cwd, path))) !== undefined,
      info: context.stdout,
      warn: context.stderr,
      evaluate: (text) => this.reader.evaluate(text),
      get where() {
        return where();
      },
    };
  }

  private async shell(command: string): Promise<string> {
    const answer = this.knownAnswer(command.trim());
    if (answer !== undefined) return answer;
    const { stdout, stderr } = await this.sh(command);
    if (stderr) this.context.stderr(stderr);
    return stdout.replace(/\n+$/, '').replaceAll('\n', ' ');
  }

  /** The machine that is built for answers, not the one that builds. */
  private knownAnswer(command: string): string | undefined {
    if (command === 'pwd') return this.context.cwd;
    const option = /^uname(?: -([rms]))?$/.exec(command);
    if (!option) return undefined;
    return option[1] === 'r' ? UTS_RELEASE : option[1] === 'm' ? 'wasm64' : 'Linux';
  }

  private async runCommand(text: string): Promise<number> {
    this.context.signal?.throwIfAborted();
    const [program, ...args] = simpleCommand(text) ?? [];
    if (program === 'make')
      return make(args, { ...this.context, env: await this.childEnv() }, this.runKbuild);
    const { status, stdout, stderr } = await this.sh(text);
    if (stdout) this.context.stdout(stdout);
    if (stderr) this.context.stderr(stderr);
    return status;
  }

  private async sh(command: string) {
    const { cwd, signal, sh } = this.context;
    return sh(command, { cwd, env: await this.childEnv(), signal });
  }

  /** The environment of commands: what came in, as the makefile changed it, and what it exports. */
  private async childEnv(): Promise<Record<string, string>> {
    const { exports, expander } = this.reader;
    const env: Record<string, string> = { ...this.env };
    for (const name of new Set(this.scope.names())) {
      const wanted = exports.names.get(name) ?? (exports.all && this.scope.get(name)?.origin === 'file');
      const given = this.scope.get(name)?.origin === 'command line' || name in this.env;
      if (exports.names.get(name) === false) delete env[name];
      else if ((wanted || given) && /^\w+$/.test(name)) env[name] = await expander.variable(name);
    }
    return { ...env, MAKELEVEL: String(this.level + 1), MAKEFLAGS: this.command.flags };
  }
}
