// SPDX-License-Identifier: MIT
/** Runs the tree: pipelines, background jobs, redirections, simple commands, functions; compound.ts runs the rest. */

import { FsError, Killed } from '../fs/filesystem.js';
import { normalize } from '../fs/vfs.js';
import { ArithmeticError } from './arithmetic.js';
import type { AndOr, Command, List, Pipeline, Word } from './ast.js';
import { ShellSyntaxError } from './ast.js';
import { builtins } from './builtins.js';
import { CommandContext, type RunOptions } from './command.js';
import { runCompound } from './compound.js';
import { ExpansionError, type ExpansionScope, expandText, expandWords } from './expand.js';
import { parse } from './parser.js';
import { openRedirect } from './redirect.js';
import { type Descriptor, Interrupted, type Job, Leave, ShellState } from './state.js';
import { BrokenPipe, ByteBuffer, emptySource, Input, Pipe } from './stream.js';

const MAX_CALL_DEPTH = 200;
const PAUSE_EVERY_MS = 8;
const encoder = new TextEncoder();

export class Shell extends ShellState implements ExpansionScope {
  /** Above 0 where a failure does not end the shell under `set -e`. */
  private tolerant = 0;
  /** Command substitutions so far: a command without a name has the status of its last one. */
  private substitutions = 0;
  private lastPause = 0;

  /** A copy whose changes the original does not see, as after fork. */
  fork(descriptors = this.descriptors): Shell {
    const child = new Shell(this.session, new Map(descriptors), this.signal);
    child.variables = new Map([...this.variables].map(([name, variable]) => [name, { ...variable }]));
    child.functions = new Map(this.functions);
    child.aliases = new Map(this.aliases);
    child.options = { ...this.options };
    child.positional = [...this.positional];
    child.locals = this.locals.map((scope) => new Map(scope));
    Object.assign(child, {
      scriptName: this.scriptName,
      cwd: this.cwd,
      status: this.status,
      loopDepth: this.loopDepth,
    });
    child.tolerant = this.tolerant;
    child.origin = this.origin;
    child.fs = this.fs.fork('sh');
    return child;
  }

  /** Runs a text to its end, or to its `exit`. */
  async run(text: string, name = this.scriptName): Promise<number> {
    try {
      await this.execute(text, name);
    } catch (error) {
      if (!(error instanceof Leave)) throw error;
      this.status = error.value;
      this.exited = error.kind === 'exit';
    }
    return this.status;
  }

  /** Runs a text in the midst of another; syntax errors go to standard error with status 2. */
  async execute(text: string, name = this.scriptName): Promise<number> {
    try {
      const list = parse(text, this.aliases);
      if (list.length === 0) this.status = 0;
      await this.list(list);
    } catch (error) {
      if (!(error instanceof ShellSyntaxError)) throw error;
      await this.complain(`${name}: line ${error.line}: ${error.message}`);
      this.status = 2;
    }
    return this.status;
  }

  /** Runs the trap on EXIT, once, and ends the shell's process. */
  async finish(): Promise<number> {
    const action = this.traps.get('EXIT');
    this.traps.delete('EXIT');
    const status = this.status;
    if (action) {
      await this.run(action);
      this.status = status;
    }
    this.fs.exit();
    return this.status;
  }

  async complain(message: string): Promise<void> {
    await this.stderr.write(encoder.encode(`${message}\n`));
  }

  async substitute(body: List): Promise<string> {
    const buffer = new ByteBuffer();
    this.substitutions++;
    const child = this.fork(new Map<number, Descriptor>(this.descriptors).set(1, buffer));
    this.status = await child.subshell(() => child.list(body));
    return buffer.text().replace(/\0/g, '').replace(/\n+$/, '');
  }

  /** Runs code in this (forked) shell to its end, `exit` included. */
  async subshell(code: () => Promise<unknown>): Promise<number> {
    try {
      await code();
    } catch (error) {
      if (error instanceof Leave) this.status = error.value;
      else if (error instanceof BrokenPipe) this.status = 141;
      else {
        this.fs.exit();
        throw error;
      }
    }
    return this.finish();
  }

  async list(list: List): Promise<void> {
    for (const item of list) {
      await this.breathe();
      if (item.background) this.startJob(item);
      else await this.andOr(item);
    }
  }

  /** Notices Ctrl-C, and lets the host's events in every few milliseconds. */
  async breathe(): Promise<void> {
    const now = this.session.now();
    if (now - this.lastPause > PAUSE_EVERY_MS) {
      await this.session.pause();
      this.lastPause = this.session.now();
    }
    if (this.signal.aborted) throw new Interrupted();
  }

  private startJob(item: AndOr): void {
    const child = this.fork();
    const controller = new AbortController();
    let signal = 2;
    child.signal = controller.signal;
    child.descriptors.set(0, new Input(emptySource));
    const done = child
      .subshell(() => child.andOr({ ...item, background: false }))
      .catch((error: unknown) => {
        if (error instanceof Interrupted) return 128 + signal;
        throw error;
      })
      .then((status) => (controller.signal.aborted ? 128 + signal : status));
    const text = [item.first.text, ...item.rest.map((r) => `${r.operator} ${r.pipeline.text}`)].join(' ');
    const id = Math.max(0, ...this.session.jobs.map((job) => job.id)) + 1;
    const kill = (number: number) => {
      signal = number;
      controller.abort();
    };
    const job: Job = { id, pid: child.pid, text, done, kill };
    this.session.jobs.push(job);
    void done.then((status) => {
      job.status = status;
    });
    this.lastJobPid = child.pid;
    this.status = 0;
  }

  private async andOr(item: AndOr): Promise<void> {
    await this.pipeline(item.first, item.rest.length > 0);
    for (const [index, { operator, pipeline }] of item.rest.entries()) {
      if ((this.status === 0) === (operator === '&&'))
        await this.pipeline(pipeline, index < item.rest.length - 1);
    }
  }

  /** Runs code whose failure `set -e` forgives. */
  async forgiving(code: () => Promise<void>): Promise<void> {
    this.tolerant++;
    try {
      await code();
    } finally {
      this.tolerant--;
    }
  }

  private async pipeline(pipeline: Pipeline, forgiven: boolean): Promise<void> {
    const start = this.session.clock.ns;
    const run = () =>
      pipeline.commands.length === 1 ? this.command(pipeline.commands[0]) : this.piped(pipeline);
    if (forgiven || pipeline.negated) await this.forgiving(run);
    else await run();
    if (pipeline.timed) {
      const seconds = (this.session.clock.ns - start) / 1e9;
      const text = `${Math.floor(seconds / 60)}m${(seconds % 60).toFixed(3)}s`;
      await this.complain(`\nreal\t${text}\nuser\t0m0.000s\nsys\t${text}`);
    }
    if (pipeline.negated) this.status = this.status === 0 ? 1 : 0;
    else if (this.status !== 0 && this.options.errexit && this.tolerant === 0 && !forgiven) {
      throw new Leave('exit', this.status);
    }
  }

  private async piped({ commands, bothOutputs }: Pipeline): Promise<void> {
    let input = this.descriptors.get(0)!;
    const ends = commands.map((command, index) => {
      const pipe = index < commands.length - 1 ? new Pipe() : undefined;
      const descriptors = new Map(this.descriptors).set(0, input);
      if (pipe) descriptors.set(1, pipe.sink);
      if (pipe && bothOutputs[index]) descriptors.set(2, pipe.sink);
      const source = index > 0 ? input : undefined;
      if (pipe) input = new Input(pipe.source);
      const child = this.fork(descriptors);
      return child
        .subshell(() => child.command(command))
        .finally(() => {
          pipe?.sink.close?.();
          if (source instanceof Input) source.close();
        });
    });
    const statuses = await Promise.all(ends);
    const last = statuses[statuses.length - 1];
    this.status = this.options.pipefail ? (statuses.filter((status) => status !== 0).pop() ?? 0) : last;
  }

  async command(command: Command): Promise<void> {
    const saved = this.descriptors;
    const opened: Descriptor[] = [];
    try {
      if (command.redirects.length > 0) {
        this.descriptors = new Map(saved);
        for (const redirect of command.redirects)
          await openRedirect(redirect, this, this.descriptors, opened);
      }
      const keeps = command.kind === 'simple' ? await this.simple(command.assignments, command.words) : false;
      if (command.kind !== 'simple') await runCompound(this, command);
      if (keeps) {
        for (const [fd, descriptor] of this.descriptors) saved.set(fd, descriptor);
        opened.length = 0;
      }
    } catch (error) {
      await this.commandFailed(error, command);
    } finally {
      this.descriptors = saved;
      for (const descriptor of opened) descriptor.close?.();
    }
  }

  private async commandFailed(error: unknown, command: Command): Promise<void> {
    if (error instanceof FsError) {
      await this.complain(`${this.scriptName}: ${error.message}`);
      this.status = 1;
    } else if (error instanceof ExpansionError || error instanceof ArithmeticError) {
      await this.complain(`${this.scriptName}: line ${command.line}: ${error.message}`);
      throw new Leave('exit', 1);
    } else if (error instanceof RangeError) {
      await this.complain(`${this.scriptName}: line ${command.line}: ${error.message}`);
      this.status = 1;
    } else if (error instanceof Killed) {
      await this.complain(error.message);
      this.status = 128 + error.signal;
    } else throw error;
  }

  /** Runs a simple command; the result says whether its redirections stay (`exec >file`). */
  private async simple(
    assignments: { name: string; append: boolean; value: Word }[],
    words: Word[],
  ): Promise<boolean> {
    const substitutions = this.substitutions;
    const argv = await expandWords(words, this);
    const values: [string, string][] = [];
    for (const { name, append, value } of assignments) {
      const text = await expandText(value, this);
      values.push([name, append ? (this.get(name) ?? '') + text : text]);
    }
    if (this.options.xtrace) {
      const shown = [...values.map(([name, value]) => `${name}=${value}`), ...argv];
      await this.complain(`+ ${shown.join(' ')}`);
    }
    if (argv.length === 0) {
      for (const [name, value] of values) this.set(name, value);
      if (substitutions === this.substitutions) this.status = 0;
      return false;
    }
    if (argv[0] === 'exec' && argv.length === 1) return true;
    await this.withVariables(values, () => this.invoke(argv));
    return false;
  }

  /** Variables set before a command hold for it alone. */
  private async withVariables(values: [string, string][], code: () => Promise<void>): Promise<void> {
    const saved = values.map(([name]) => [name, this.variables.get(name)] as const);
    for (const [name, value] of values) this.variables.set(name, { value, exported: true, readonly: false });
    try {
      await code();
    } finally {
      for (const [name, variable] of saved) {
        if (variable) this.variables.set(name, variable);
        else this.variables.delete(name);
      }
    }
  }

  /** Runs a function, builtin, program or script by name. */
  async invoke(argv: readonly string[], skipFunctions = false): Promise<void> {
    const [name, ...args] = argv;
    const body = skipFunctions ? undefined : this.functions.get(name);
    const builtin = builtins.get(name);
    if (body) await this.call(body, args);
    else if (builtin) this.status = await builtin(this, args);
    else this.status = await this.program(name, args);
  }

  private async call(body: Command, args: string[]): Promise<void> {
    if (this.locals.length >= MAX_CALL_DEPTH) {
      throw new ExpansionError(`maximum function nesting level exceeded (${MAX_CALL_DEPTH})`);
    }
    const { positional, loopDepth } = this;
    this.positional = args;
    this.loopDepth = 0;
    this.locals.push(new Map());
    try {
      await this.command(body);
    } catch (error) {
      if (!(error instanceof Leave) || error.kind !== 'return') throw error;
      this.status = error.value;
    } finally {
      for (const [name, variable] of this.locals.pop()!) {
        if (variable) this.variables.set(name, variable);
        else this.variables.delete(name);
      }
      Object.assign(this, { positional, loopDepth });
    }
  }

  private async program(name: string, args: string[]): Promise<number> {
    const command = name.replace(/^(\/usr)?\/s?bin\//, '');
    const entry = this.session.commands.get(command);
    if (entry) {
      const env = new Map(
        [...this.variables].filter(([, v]) => v.exported).map(([key, v]) => [key, v.value]),
      );
      const context = new CommandContext(
        name,
        args,
        this.stdin,
        this.stdout,
        this.stderr,
        this.fs.fork(command),
        this.cwd,
        env.set('PWD', this.cwd),
        this.signal,
        (argv, streams) => this.runWith(argv, streams),
      );
      if (args[0] === '--help' && entry.usage !== undefined) {
        await context.out(`${entry.summary}\n${entry.usage}\n`);
        return 0;
      }
      return this.guarded(context, () => entry.run(context));
    }
    if (name.includes('/')) return this.script(name, args);
    await this.complain(`${this.scriptName}: ${name}: command not found`);
    return 127;
  }

  /** Errors of files that a program lets through become its message. */
  private async guarded(context: CommandContext, code: () => Promise<number> | number): Promise<number> {
    try {
      return await code();
    } catch (error) {
      if (error instanceof FsError) return context.fail(error.message);
      if (!(error instanceof Killed)) throw error;
      await this.complain(error.message);
      return 128 + error.signal;
    } finally {
      context.fs.exit();
    }
  }

  private async runWith(argv: readonly string[], streams: RunOptions = {}): Promise<number> {
    const descriptors = new Map(this.descriptors);
    if (streams.stdin) descriptors.set(0, streams.stdin);
    if (streams.stdout) descriptors.set(1, streams.stdout);
    const child = this.fork(descriptors);
    if (streams.user) child.fs = this.fs.fork('sh', streams.user);
    return child.subshell(() => child.invoke(argv, true));
  }

  /** Forgets what exec would: functions, aliases, variables that are not exported. */
  startAfresh(): void {
    this.variables = new Map([...this.variables].filter(([, variable]) => variable.exported));
    this.functions = new Map();
    this.aliases = new Map();
    this.positional = [];
    this.locals = [];
    this.loopDepth = 0;
    this.tolerant = 0;
    this.scriptName = 'sh';
  }

  /** A file of commands, run by a new shell. */
  async script(path: string, args: string[], child = this.fork()): Promise<number> {
    let bytes: Uint8Array;
    try {
      bytes = this.fs.readFile(normalize(this.cwd, path));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await this.complain(`${this.scriptName}: ${path}: ${error.reason}`);
      return error.code === 'ENOENT' ? 127 : 126;
    }
    if (bytes.includes(0)) {
      await this.complain(`${this.scriptName}: ${path}: cannot execute binary file: Exec format error`);
      return 126;
    }
    child.startAfresh();
    child.origin = child;
    child.scriptName = path;
    child.positional = args;
    return child.subshell(() => child.execute(new TextDecoder().decode(bytes)));
  }
}
