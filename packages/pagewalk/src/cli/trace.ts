// SPDX-License-Identifier: MIT
/** `pagewalk trace`: runs a command line with tracepoints on, and shows what they saw. */

import { writeFileSync } from 'node:fs';
import { ftraceText } from '@pagewalk/kernel/trace/ftrace_text';
import { perfettoJson } from '@pagewalk/kernel/trace/perfetto';
import type { TraceRecord } from '@pagewalk/kernel/trace/registry';
import { Interrupted } from '../shell/state.js';
import { Input } from '../shell/stream.js';
import { CommandLineError, GLOBAL_OPTIONS, type GlobalOptions, parseStrictly } from './options.js';
import { closeMachine } from './saved.js';
import { openShell } from './shell.js';
import { sinkOf, sourceOfStdin } from './terminal.js';

export const TRACE_HELP = `usage: pagewalk [OPTIONS] trace -e EVENTS [--output FILE] [--perfetto FILE] [--] COMMAND [ARGUMENT...]
       pagewalk trace --list

Boots a machine, runs a command on it (COMMAND alone may be a whole command line), and prints the tracepoints that
were passed, as /sys/kernel/tracing/trace shows them. EVENTS is as in set_event: 'kmem:kmalloc', 'kmem:*', 'kfree';
several are separated by commas. The exit status is that of the command.

  --output FILE    write the events there, and not to standard output
  --perfetto FILE  write them as JSON that ui.perfetto.dev opens, and not as text
  --list           the names of all tracepoints

Examples:
  pagewalk trace -e 'kmem:*' -- 'make && insmod hello.ko && rmmod hello'
  pagewalk trace -e kmem:kmalloc,kmem:kfree --perfetto trace.json -- insmod hello.ko

`;

export const TRACE_OPTIONS = {
  events: { type: 'string', short: 'e' },
  output: { type: 'string' },
  perfetto: { type: 'string' },
  list: { type: 'boolean' },
} as const;

const quote = (word: string): string =>
  /^[\w./=:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;

/** Options end where the command begins. */
function traceArguments(args: readonly string[]) {
  const { values, positionals } = parseStrictly(args, { ...GLOBAL_OPTIONS, ...TRACE_OPTIONS }, true);
  const text = (name: keyof typeof TRACE_OPTIONS) => values[name] as string | undefined;
  const command = positionals.length === 1 ? positionals[0] : positionals.map(quote).join(' ');
  return {
    events: text('events'),
    output: text('output'),
    perfetto: text('perfetto'),
    list: values['list'] === true,
    command,
  };
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandLineError(
      `trace: cannot write '${file}': ${error instanceof Error ? error.message : error}`,
    );
  }
}

export async function traceCommand(options: GlobalOptions, args: readonly string[]): Promise<number> {
  const { events, output, perfetto, list, command } = traceArguments(args);
  if (!list && events === undefined)
    throw new CommandLineError("trace: got no events, expected -e, for instance -e 'kmem:*'");
  if (!list && command === '')
    throw new CommandLineError("trace: got no command, expected 'trace -e EVENTS -- COMMAND'");
  const controller = new AbortController();
  process.on('SIGINT', () => controller.abort());
  const streams = { stdout: sinkOf(process.stdout), stderr: sinkOf(process.stderr) };
  const stdin = new Input(sourceOfStdin());
  const { machine, shell } = openShell(options, { stdin, ...streams }, controller.signal);
  const names = machine.tracepoints?.() ?? [];
  if (list || events === undefined) {
    process.stdout.write(names.map((name) => `${name}\n`).join(''));
    return 0;
  }
  const records: TraceRecord[] = [];
  const stop = machine.trace?.(events, (record) => void records.push(record));
  if (!stop)
    throw new CommandLineError(`trace: got events '${events}', expected some of ${names.join(', ')}`);
  const status = await shell
    .subshell(() => shell.execute(command))
    .catch((error: unknown) => {
      if (error instanceof Interrupted) return 130;
      throw error;
    })
    .finally(stop);
  if (perfetto !== undefined) write(perfetto, perfettoJson(records));
  const text = () => ftraceText(records, options.cpus);
  if (output !== undefined) write(output, text());
  else if (perfetto === undefined) process.stdout.write(text());
  closeMachine(machine, options);
  return status;
}
