// SPDX-License-Identifier: MIT
/** `npm start`: a terminal session that builds, loads and unloads examples/mem_alloc, and what it did to memory. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootMachine } from '../kernel_machine.js';
import type { Machine, SlabEvent } from '../machine.js';
import { createSession } from '../session.js';
import { Shell } from '../shell/interpreter.js';
import { type Descriptor, Interrupted } from '../shell/state.js';
import { emptySource, Input } from '../shell/stream.js';
import { GLOBAL_OPTIONS, globalOptions, parseStrictly } from './options.js';
import { sinkOf } from './terminal.js';
import { closeToolchain, makeCommand } from './toolchain.js';

const MODULE = 'mem_alloc';
const BYTES = 256;
const CACHE = 'kmalloc-256';
const FOLDER = `/root/${MODULE}`;
const COMMANDS = ['make', `insmod ${MODULE}.ko`, `rmmod ${MODULE}`, 'dmesg | tail'];

const colours = process.stdout.isTTY === true && !process.env['NO_COLOR'];
const paint = (code: string, text: string) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text);
const bold = (text: string) => paint('1', text);
const green = (text: string) => paint('1;32', text);
const say = (text: string) => process.stdout.write(text);

/** An address as the kernel prints it. */
export const hex = (address: number): string =>
  BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0');

/** Columns of /proc/slabinfo that change, for one cache. */
export function slabRow(machine: Machine, cache: string): string {
  const text = new TextDecoder().decode(machine.readProc('/proc/slabinfo'));
  return text.split('\n').find((line) => line.split(' ')[0] === cache) ?? `${cache} (no such cache)`;
}

/** Copies the example into the machine, so that nothing is written beside the sources. */
function copyExample(shell: Shell, folder: string): void {
  shell.fs.mkdir(FOLDER);
  for (const name of readdirSync(folder)) {
    if (name === 'Makefile' || name.endsWith('.c') || name.endsWith('.h')) {
      shell.fs.writeFile(`${FOLDER}/${name}`, new Uint8Array(readFileSync(join(folder, name))));
    }
  }
  shell.cwd = FOLDER;
}

function openDemoShell(machine: Machine, signal: AbortSignal): Shell {
  const session = createSession({
    machine,
    extra: { make: [makeCommand(machine.kernelSymbols?.()), 'build modules'] },
  });
  const descriptors = new Map<number, Descriptor>([
    [0, new Input(emptySource)],
    [1, sinkOf(process.stdout)],
    [2, sinkOf(process.stderr)],
  ]);
  const shell = new Shell(session, descriptors, signal);
  for (const [name, value] of Object.entries({ HOME: '/root', USER: 'root' })) shell.export(name, value);
  return shell;
}

interface Sighting {
  alloc?: SlabEvent;
  free?: SlabEvent;
  during?: string;
}

/** Watches for the module's one object. */
function watchObject(machine: Machine): Sighting {
  const seen: Sighting = {};
  machine.onSlab?.((event) => {
    if (!event.caller.endsWith(`[${MODULE}]`)) return;
    if (event.kind === 'alloc' && event.bytes === BYTES && !seen.alloc) {
      seen.alloc = event;
      seen.during = slabRow(machine, event.cache);
    } else if (event.kind === 'free' && event.address === seen.alloc?.address) seen.free = event;
  });
  return seen;
}

function report(before: string, { alloc, free, during }: Sighting, after: string): void {
  say(`\n${bold('What happened to memory')}\n`);
  if (!alloc) {
    say('  The module asked for no object.\n');
    return;
  }
  const rows: [string, string][] = [
    ['asked for', `${alloc.bytes} bytes, by ${alloc.caller}`],
    ['object', `${hex(alloc.address)}, number ${alloc.index} of its slab`],
    ['cache', alloc.cache],
    [
      "slab's page",
      `frame 0x${alloc.pfn.toString(16)} (physical address 0x${(alloc.pfn * 4096).toString(16)})`,
    ],
    ['zone', alloc.zone],
    ['freed', free ? `by ${free.caller}` : 'never: it has leaked'],
  ];
  for (const [name, value] of rows) say(`  ${name.padEnd(12)} ${value}\n`);
  const columns =
    '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables … : slabdata …';
  say(`\n${bold('/proc/slabinfo')}\n  ${''.padEnd(7)}${columns}\n`);
  say(`  before ${before}\n  during ${during}\n  after  ${after}\n`);
  say(
    '  The freed object waits in the slab of its CPU, whose objects SLUB counts as active, so that the next\n',
  );
  say('  kmalloc of this size needs no new page.\n');
}

/** @param folder examples/mem_alloc */
export async function demo(folder: string, args: readonly string[]): Promise<number> {
  const options = globalOptions(parseStrictly(args, GLOBAL_OPTIONS).values);
  const controller = new AbortController();
  process.on('SIGINT', () => controller.abort());
  const machine = bootMachine(options);
  const shell = openDemoShell(machine, controller.signal);
  copyExample(shell, folder);
  const before = slabRow(machine, CACHE);
  const seen = watchObject(machine);
  try {
    for (const command of COMMANDS) {
      say(`${green('root@pagewalk')}:${paint('1;34', `~/${MODULE}`)}# ${bold(command)}\n`);
      const status = await shell.run(command);
      if (status !== 0) return status;
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    return 130;
  } finally {
    await closeToolchain();
  }
  report(before, seen, slabRow(machine, CACHE));
  return 0;
}
