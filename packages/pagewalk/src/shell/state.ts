// SPDX-License-Identifier: MIT
/** What a shell knows: variables, functions, options, open files. */

import type { VirtualClock } from '../clock.js';
import type { Sink } from '../fs/filesystem.js';
import type { Vfs } from '../fs/vfs.js';
import type { Command } from './ast.js';
import type { CommandTable } from './command.js';
import { ExpansionError } from './expand.js';
import { emptySource, Input } from './stream.js';

/** Ways out of running code that are no errors. */
export class Leave extends Error {
  constructor(
    readonly kind: 'exit' | 'return' | 'break' | 'continue',
    readonly value: number,
  ) {
    super(kind);
  }
}

/** Ctrl-C. */
export class Interrupted extends Error {
  override name = 'Interrupted';
}

export interface Variable {
  value: string;
  exported: boolean;
  readonly: boolean;
}

export interface Job {
  id: number;
  pid: number;
  text: string;
  done: Promise<number>;
  /** Ends it, as a signal would. */
  kill(signal: number): void;
  status?: number;
}

/** What all shells of a session share. */
export interface Session {
  /** Files, without a program: each makes its own of it. */
  fs: Vfs;
  commands: CommandTable;
  jobs: Job[];
  /** The machine's time, for `time`. */
  clock: VirtualClock;
  /** Whether the kernel has a task of this number. */
  isTask(pid: number): boolean;
  /** Sends a task of the kernel a signal. */
  killTask?(pid: number, signal: number): void;
  /** Lets input events and timers run. */
  pause(): Promise<void>;
  /** Milliseconds, for deciding when to pause. */
  now(): number;
}

export type Descriptor = Input | Sink;
export type Options = Record<'errexit' | 'nounset' | 'xtrace' | 'noglob' | 'pipefail' | 'noexec', boolean>;

export class ShellState {
  variables = new Map<string, Variable>();
  functions = new Map<string, Command>();
  aliases = new Map<string, string>();
  traps = new Map<string, string>();
  options: Options = {
    errexit: false,
    nounset: false,
    xtrace: false,
    noglob: false,
    pipefail: false,
    noexec: false,
  };
  positional: string[] = [];
  scriptName = 'sh';
  cwd = '/';
  status = 0;
  lastJobPid = 0;
  /** Variables that `local` hides, one map for each running function. */
  locals: Map<string, Variable | undefined>[] = [];
  loopDepth = 0;
  /** `exit` was run. */
  exited = false;
  /** Files, as the shell's process has them. */
  fs: Vfs;

  constructor(
    readonly session: Session,
    protected descriptors: Map<number, Descriptor>,
    public signal: AbortSignal,
  ) {
    this.fs = session.fs.fork('sh');
  }

  /** The number of the shell's process; `$$` is that of the shell which all forks come from. */
  get pid(): number {
    return this.fs.pid;
  }
  /** The shell that this one was forked from, directly or not. */
  origin: ShellState = this;
  get noGlob(): boolean {
    return this.options.noglob;
  }
  get noUnset(): boolean {
    return this.options.nounset;
  }
  get stdin(): Input {
    const input = this.descriptors.get(0);
    return input instanceof Input ? input : new Input(emptySource);
  }
  get stdout(): Sink {
    return this.sink(1);
  }
  get stderr(): Sink {
    return this.sink(2);
  }

  private sink(fd: number): Sink {
    const sink = this.descriptors.get(fd);
    if (sink && !(sink instanceof Input)) return sink;
    return { write: async () => Promise.reject(new ExpansionError(`${fd}: Bad file descriptor`)) };
  }

  get(name: string): string | undefined {
    if (/^[0-9]+$/.test(name)) return name === '0' ? this.scriptName : this.positional[Number(name) - 1];
    switch (name) {
      case '#':
        return String(this.positional.length);
      case '?':
        return String(this.status);
      case '$':
        return String(this.origin.pid);
      case '!':
        return this.lastJobPid ? String(this.lastJobPid) : undefined;
      case '-':
        return Object.entries({ e: 'errexit', u: 'nounset', x: 'xtrace', f: 'noglob' } as const)
          .map(([letter, option]) => (this.options[option] ? letter : ''))
          .join('');
      default:
        return this.variables.get(name)?.value;
    }
  }

  set(name: string, value: string): void {
    const variable = this.variables.get(name);
    if (variable?.readonly) throw new ExpansionError(`${name}: readonly variable`);
    if (variable) variable.value = value;
    else this.variables.set(name, { value, exported: false, readonly: false });
  }

  export(name: string, value?: string): void {
    if (value !== undefined) this.set(name, value);
    const variable = this.variables.get(name);
    if (variable) variable.exported = true;
    else this.variables.set(name, { value: '', exported: true, readonly: false });
  }
}
