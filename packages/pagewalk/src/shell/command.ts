// SPDX-License-Identifier: MIT
/** What a command is given, and what it gives back. */

import type { Sink } from '../fs/filesystem.js';
import type { User, Vfs } from '../fs/vfs.js';
import { normalize } from '../fs/vfs.js';
import type { Input } from './stream.js';

/** A program of the shell: arguments without its own name; the result is the exit status. */
export type Command = (context: CommandContext) => Promise<number> | number;

export interface CommandEntry {
  run: Command;
  /** One line for `help`. */
  summary: string;
  /** What `NAME --help` prints after the summary. */
  usage?: string;
}

export type CommandTable = Map<string, CommandEntry>;

const encoder = new TextEncoder();

/** How a command runs another: with streams of its own, or as another user. */
export interface RunOptions {
  readonly stdin?: Input;
  readonly stdout?: Sink;
  readonly user?: User;
}

export class CommandContext {
  constructor(
    readonly name: string,
    readonly args: readonly string[],
    readonly stdin: Input,
    readonly stdout: Sink,
    readonly stderr: Sink,
    readonly fs: Vfs,
    readonly cwd: string,
    /** Exported variables. */
    readonly env: ReadonlyMap<string, string>,
    readonly signal: AbortSignal,
    /** Runs another command with these streams, or others: for sudo, xargs, time, watch. */
    readonly run: (argv: readonly string[], streams?: RunOptions) => Promise<number>,
  ) {}

  out(text: string): Promise<void> {
    return this.stdout.write(encoder.encode(text));
  }

  err(text: string): Promise<void> {
    return this.stderr.write(encoder.encode(text));
  }

  /** `NAME: message` on standard error; the result is the status to end with. */
  async fail(message: string, status = 1): Promise<number> {
    await this.err(`${this.name}: ${message}\n`);
    return status;
  }

  /** Absolute form of a path argument. */
  path(path: string): string {
    return normalize(this.cwd, path);
  }
}
