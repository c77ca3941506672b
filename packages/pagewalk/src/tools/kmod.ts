// SPDX-License-Identifier: MIT
/** insmod, rmmod, lsmod, modinfo: kmod's messages and exit codes. */

import { FsError } from '../fs/filesystem.js';
import { basename } from '../fs/vfs.js';
import type { CommandResult, Machine } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { parseFlags, withUsage } from './arguments.js';
import { errnoMessage } from './errno.js';
import { customSection } from './wasm_section.js';

export type CommandSet = Record<string, [Command, string, string?]>;

const ENOENT = 2;
const EINVAL = 22;
const ESRCH = 3;

/** What init_module's errors mean in kmod's words. */
export function insmodReason(errno: number): string {
  switch (errno) {
    case ENOENT:
      return 'Unknown symbol in module';
    case EINVAL:
      return 'Invalid parameters';
    case 8:
      return 'Invalid module format';
    case ESRCH:
      return 'Module has wrong symbol version';
    default:
      return errnoMessage(errno);
  }
}

/** What the shell says when the kernel killed the task that made the call; undefined if it lives. */
async function death(
  context: CommandContext,
  { signal, panicked }: CommandResult,
): Promise<number | undefined> {
  if (signal === undefined && !panicked) return undefined;
  await context.err(signal === 11 ? 'Segmentation fault\n' : 'Killed\n');
  return 128 + (signal ?? 9);
}

/** The kernel splits parameters at spaces; kmod quotes the values that have some. */
const parameterText = (args: readonly string[]): string =>
  args.map((arg) => (/\s/.test(arg) ? arg.replace(/=([\s\S]*)/, '="$1"') : arg)).join(' ');

const insmod =
  (machine: Machine): Command =>
  async (context) => {
    const args = context.args.filter((arg) => !/^-[fsv]+$/.test(arg) && arg !== '--force');
    const [file, ...parameters] = args;
    if (file === undefined) {
      await context.err('insmod: ERROR: missing filename.\n');
      return 1;
    }
    let image: Uint8Array;
    try {
      image = context.fs.readFile(context.path(file));
    } catch (error) {
      if (!(error instanceof FsError)) throw error;
      await context.err(`insmod: ERROR: could not load module ${file}: ${error.reason}\n`);
      return 1;
    }
    const result = machine.insmod(image, parameterText(parameters));
    const dead = await death(context, result);
    if (dead !== undefined || result.status >= 0) return dead ?? 0;
    await context.err(`insmod: ERROR: could not insert module ${file}: ${insmodReason(-result.status)}\n`);
    return 1;
  };

/** `mem-alloc.ko` and `path/mem_alloc.ko` both mean mem_alloc. */
export const moduleName = (file: string): string => basename(file).replace(/\.ko$/, '').replaceAll('-', '_');

const rmmod =
  (machine: Machine): Command =>
  (context) =>
    withUsage(context, async () => {
      const { operands } = parseFlags(context.args, 'fsvw', { force: 'f', syslog: 's', verbose: 'v' });
      if (operands.length === 0) {
        await context.err('rmmod: ERROR: missing module name.\n');
        return 1;
      }
      let status = 0;
      for (const file of operands) {
        const outcome = await removeOne(machine, context, moduleName(file));
        if (outcome > 128) return outcome;
        status ||= outcome;
      }
      return status;
    });

async function removeOne(machine: Machine, context: CommandContext, name: string): Promise<number> {
  const error = async (text: string) => {
    await context.err(`rmmod: ERROR: ${text}\n`);
    return 1;
  };
  const module = machine.modules().find((item) => item.name === name);
  if (!module) return error(`Module ${name} is not currently loaded`);
  if (module.usedBy.length > 0) return error(`Module ${name} is in use by: ${module.usedBy.join(' ')}`);
  if (module.refcount > 0) return error(`Module ${name} is in use`);
  const result = machine.rmmod(name);
  const dead = await death(context, result);
  if (dead !== undefined || result.status >= 0) return dead ?? 0;
  return error(`could not remove module ${name}: ${errnoMessage(-result.status)}`);
}

const lsmod =
  (machine: Machine): Command =>
  async (context) => {
    if (context.args.length > 0) {
      await context.err('Usage: lsmod\n');
      return 1;
    }
    await context.out('Module                  Size  Used by\n');
    for (const { name, size, refcount, usedBy } of machine.modules()) {
      const users = usedBy.length > 0 ? ` ${usedBy.join(',')}` : '';
      await context.out(`${name.padEnd(19)} ${String(size).padStart(8)}  ${refcount}${users}\n`);
    }
    return 0;
  };

/** Key-value pairs of a module file, in the order of the file. */
export function readModinfo(image: Uint8Array): [key: string, value: string][] {
  const section = customSection(image, 'modinfo');
  if (!section) return [];
  return new TextDecoder()
    .decode(section)
    .split('\0')
    .filter((entry) => entry.includes('='))
    .map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]);
}

/** `parm` and `parmtype` of each parameter become one line, `name:description (type)`, after all others. */
export function modinfoLines(entries: readonly [string, string][]): [key: string, value: string][] {
  const split = (value: string): [string, string] => [
    value.slice(0, value.indexOf(':')),
    value.slice(value.indexOf(':') + 1),
  ];
  const types = new Map(entries.filter(([key]) => key === 'parmtype').map(([, value]) => split(value)));
  const described = new Map(entries.filter(([key]) => key === 'parm').map(([, value]) => split(value)));
  const parameters = new Set(
    entries.filter(([key]) => key.startsWith('parm')).map(([, value]) => split(value)[0]),
  );
  const lines = [...parameters].map((name): [string, string] => {
    const type = types.get(name);
    const description = described.get(name);
    if (description === undefined) return ['parm', `${name}:${type}`];
    return ['parm', `${name}:${description}${type ? ` (${type})` : ''}`];
  });
  return [...entries.filter(([key]) => !key.startsWith('parm')), ...lines];
}

const MODINFO_LETTERS: Record<string, string> = {
  a: 'author',
  d: 'description',
  l: 'license',
  p: 'parm',
  n: 'filename',
};

const modinfo: Command = (context) =>
  withUsage(context, async () => {
    const long = {
      field: 'F',
      author: 'a',
      description: 'd',
      license: 'l',
      parameters: 'p',
      filename: 'n',
      null: '0',
    };
    const flags = parseFlags(context.args, 'F:adlpn0', long);
    if (flags.operands.length === 0) {
      await context.err('modinfo: ERROR: missing module or filename.\n');
      return 1;
    }
    const letter = Object.keys(MODINFO_LETTERS).find((item) => flags.has(item));
    const field = flags.value('F') ?? (letter && MODINFO_LETTERS[letter]);
    let status = 0;
    for (const file of flags.operands)
      status ||= await describeModule(context, file, field, flags.has('0') ? '\0' : '\n');
    return status;
  });

async function describeModule(
  context: CommandContext,
  file: string,
  field: string | undefined,
  end: string,
): Promise<number> {
  let image: Uint8Array;
  try {
    image = context.fs.readFile(context.path(file));
  } catch (error) {
    if (!(error instanceof FsError)) throw error;
    await context.err(`modinfo: ERROR: Module ${file} not found.\n`);
    return 1;
  }
  const entries: [string, string][] = [['filename', file], ...modinfoLines(readModinfo(image))];
  if (entries.length === 1) {
    await context.err(`modinfo: ERROR: could not get modinfo from '${moduleName(file)}': Invalid argument\n`);
    return 1;
  }
  for (const [key, value] of entries) {
    if (field === undefined) await context.out(`${`${key}:`.padEnd(16)}${value}${end}`);
    else if (key === field) await context.out(`${value}${end}`);
  }
  return 0;
}

/** The commands of the module loader. */
export function kmodTools(machine: Machine): CommandSet {
  return {
    insmod: [insmod(machine), 'load a kernel module', 'usage: insmod FILE.ko [PARAMETER=VALUE]...'],
    rmmod: [rmmod(machine), 'unload a kernel module', 'usage: rmmod NAME...'],
    lsmod: [lsmod(machine), 'list loaded kernel modules', 'usage: lsmod'],
    modinfo: [
      modinfo,
      'describe a module file',
      'usage: modinfo [-F FIELD | -a | -d | -l | -p | -n] FILE.ko...',
    ],
  };
}
