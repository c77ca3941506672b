// SPDX-License-Identifier: MIT
/** `pagewalk` alone: a shell with history and completion on a booted machine. */

import { appendFileSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { ShellSyntaxError } from '../shell/ast.js';
import { builtins } from '../shell/builtins.js';
import type { Shell } from '../shell/interpreter.js';
import { jobLine } from '../shell/jobs.js';
import { parse } from '../shell/parser.js';
import { Interrupted } from '../shell/state.js';
import { emptySource, Input } from '../shell/stream.js';
import { moduleName } from '../tools/module_index.js';
import { RELEASE } from '../tools/system.js';
import type { GlobalOptions } from './options.js';
import { closeMachine } from './saved.js';
import { openShell } from './shell.js';
import { sinkOf } from './terminal.js';

const HISTORY_LINES = 1000;
const historyFile = () => join(homedir(), '.cache', 'pagewalk', 'history');

function loadHistory(): string[] {
  try {
    return readFileSync(historyFile(), 'utf8').split('\n').filter(Boolean).slice(-HISTORY_LINES).reverse();
  } catch {
    return [];
  }
}

/** A history that cannot be kept is no reason to stop. */
function keepHistory(line: string): void {
  try {
    mkdirSync(join(homedir(), '.cache', 'pagewalk'), { recursive: true });
    appendFileSync(historyFile(), `${line}\n`);
  } catch {
    // A read-only home.
  }
}

/** What the arguments of some commands are: loaded modules, installed ones, manual pages. */
function argumentNames(shell: Shell, command: string): string[] {
  const { fs } = shell;
  const words = (path: string) =>
    fs.exists(path)
      ? new TextDecoder()
          .decode(fs.readFile(path))
          .split('\n')
          .map((line) => line.split(/[ :]/)[0])
      : [];
  switch (command) {
    case 'rmmod':
      return words('/proc/modules').filter(Boolean);
    case 'modprobe':
      return words(`/lib/modules/${RELEASE}/modules.dep`).filter(Boolean).map(moduleName);
    case 'man': {
      const folders = fs.isDirectory('/usr/share/man') ? fs.readdir('/usr/share/man') : [];
      const pages = folders.flatMap((folder) => fs.readdir(`/usr/share/man/${folder}`));
      return [...pages.map((page) => page.replace(/\.md$/, '')), ...shell.session.commands.keys()];
    }
    default:
      return [];
  }
}

/** Names that complete the word before the cursor: commands first, then paths. */
export function complete(shell: Shell, line: string): [string[], string] {
  const word = /[^\s;|&<>()"']*$/.exec(line)?.[0] ?? '';
  const before = line.slice(0, line.length - word.length).trimEnd();
  const isCommand = before === '' || /[;|&(]$|(^|\s)(sudo|time|do|then|else)$/.test(before);
  if (isCommand && !word.includes('/')) {
    const names = new Set([
      ...shell.session.commands.keys(),
      ...builtins.keys(),
      ...shell.functions.keys(),
      ...shell.aliases.keys(),
    ]);
    return [
      [...names]
        .filter((name) => name.startsWith(word))
        .sort()
        .map((name) => `${name} `),
      word,
    ];
  }
  const command = /(?:^|[;|&(])\s*(?:sudo\s+)?(\w+)(?:\s+[^;|&()]*)?$/.exec(before)?.[1] ?? '';
  const known = [...new Set(argumentNames(shell, command))].filter((name) => name.startsWith(word)).sort();
  if (known.length > 0) return [known.map((name) => `${name} `), word];
  const slash = word.lastIndexOf('/') + 1;
  const folder = word.slice(0, slash);
  const full = folder.startsWith('/') ? folder : `${shell.cwd}/${folder}`;
  if (!shell.fs.isDirectory(full)) return [[], word];
  const start = word.slice(slash);
  const names = shell.fs
    .readdir(full)
    .filter((name) => name.startsWith(start) && (start.startsWith('.') || !name.startsWith('.')));
  return [
    names.map((name) => `${folder}${name}${shell.fs.isDirectory(`${full}/${name}`) ? '/' : ' '}`),
    word,
  ];
}

function prompt(shell: Shell): string {
  const place = shell.cwd === '/root' ? '~' : shell.cwd.replace(/^\/root\//, '~/');
  const text = `root@pagewalk:${place}# `;
  return process.stdout.isTTY && !process.env['NO_COLOR']
    ? `\x1b[1;32mroot@pagewalk\x1b[0m:\x1b[1;34m${place}\x1b[0m# `
    : text;
}

/** Whether more lines could complete the text. */
function isIncomplete(text: string): boolean {
  if (/(^|[^\\])(\\\\)*\\$/.test(text)) return true;
  try {
    parse(text);
    return false;
  } catch (error) {
    return error instanceof ShellSyntaxError && error.incomplete;
  }
}

type Typed = { line: string } | 'interrupt' | 'end';

/**
 * The terminal as a series of lines. Ctrl-C goes to the command that runs, if one does; what is typed meanwhile
 * waits. (The terminal is in raw mode, so Ctrl-C is a key and no signal.)
 */
class LineInput {
  private readonly waiting: Typed[] = [];
  private take: ((typed: Typed) => void) | undefined;
  private running: AbortController | undefined;

  constructor(readonly terminal: Interface) {
    terminal.on('line', (line) => this.deliver({ line }));
    terminal.on('close', () => this.deliver('end'));
    terminal.on('SIGINT', () => this.interrupt());
    process.on('SIGINT', () => this.interrupt());
  }

  private interrupt(): void {
    if (this.running) this.running.abort(new Interrupted());
    else this.deliver('interrupt');
  }

  private deliver(typed: Typed): void {
    const take = this.take;
    this.take = undefined;
    if (take) take(typed);
    else this.waiting.push(typed);
  }

  next(): Promise<Typed> {
    return new Promise((resolve) => {
      const typed = this.waiting.shift();
      if (typed) resolve(typed);
      else this.take = resolve;
    });
  }

  /** Runs one input; Ctrl-C ends the command, not the shell. */
  async run(shell: Shell, text: string): Promise<void> {
    const controller = new AbortController();
    this.running = controller;
    shell.signal = controller.signal;
    try {
      await shell.run(text);
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      shell.status = 130;
    } finally {
      this.running = undefined;
    }
    if (controller.signal.aborted) process.stdout.write('\n');
  }
}

async function reportJobs(shell: Shell): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  for (const job of shell.session.jobs.filter((item) => item.status !== undefined)) {
    process.stdout.write(jobLine(job));
  }
  shell.session.jobs = shell.session.jobs.filter((item) => item.status === undefined);
}

export async function interactiveCommand(options: GlobalOptions): Promise<number> {
  const streams = {
    stdin: new Input(emptySource),
    stdout: sinkOf(process.stdout),
    stderr: sinkOf(process.stderr),
  };
  const tty = process.stdin.isTTY === true;
  const { machine, shell } = openShell(options, streams, new AbortController().signal, { paced: tty });
  const terminal = createInterface({
    input: process.stdin,
    output: tty ? process.stdout : undefined,
    terminal: tty,
    history: tty ? loadHistory() : [],
    historySize: HISTORY_LINES,
    removeHistoryDuplicates: true,
    completer: (line: string) => complete(shell, line),
  });
  const input = new LineInput(terminal);
  if (tty) {
    process.stdout.write(
      `Pagewalk: a machine has ${options.load === undefined ? 'booted' : 'been loaded'}. 'help' lists commands; your files are here, in /host.\n`,
    );
  }
  let text = '';
  while (!shell.exited) {
    if (tty) {
      terminal.setPrompt(text === '' ? prompt(shell) : '> ');
      terminal.prompt();
    }
    const typed = await input.next();
    if (typed === 'end') break;
    if (typed === 'interrupt') {
      if (tty) {
        process.stdout.write('^C\n');
        // What was typed is gone: everything before and after the cursor.
        terminal.write(null, { ctrl: true, name: 'e' });
        terminal.write(null, { ctrl: true, name: 'u' });
      }
      text = '';
      continue;
    }
    text += text === '' ? typed.line : `\n${typed.line}`;
    if (isIncomplete(text)) continue;
    const whole = text;
    text = '';
    if (whole.trim() === '') continue;
    if (tty) keepHistory(whole.replaceAll('\n', ' '));
    await input.run(shell, whole);
    if (tty) await reportJobs(shell);
  }
  if (text !== '') await input.run(shell, text);
  if (tty && !shell.exited) process.stdout.write('exit\n');
  terminal.close();
  const status = await shell.finish();
  closeMachine(machine, options);
  return status;
}
