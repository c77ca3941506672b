// SPDX-License-Identifier: MIT
/** insmod, rmmod, lsmod, modinfo: kmod's messages and exit codes. */

import { FsError, Killed, MACHINE_STOPPED } from '../fs/filesystem.js';
import type { CommandResult, Machine } from '../machine.js';
import type { Command, CommandContext } from '../shell/command.js';
import { parseFlags, withUsage } from './arguments.js';
import { depmod } from './depmod.js';
import { errnoMessage } from './errno.js';
import { modinfo } from './modinfo.js';
import { modprobe } from './modprobe.js';
import { moduleName } from './module_index.js';

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

const EPERM = 1;

/** What the shell says when the kernel killed the task that made the call; undefined if it lives. */
export async function death(
  context: CommandContext,
  { signal, panicked }: CommandResult,
): Promise<number | undefined> {
  if (signal === undefined && !panicked) return undefined;
  const { message, signal: number } = new Killed(signal ?? 9, panicked ? MACHINE_STOPPED : undefined);
  await context.err(`${message}\n`);
  return 128 + number;
}

/** The kernel splits parameters at spaces; kmod quotes the values that have some. */
export const parameterText = (args: readonly string[]): string =>
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
    if (context.fs.user.uid !== 0) {
      await context.err(`insmod: ERROR: could not insert module ${file}: ${errnoMessage(EPERM)}\n`);
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
    context.fs.exit(); // the call below is made by a task of its own
    const result = machine.insmod(image, parameterText(parameters));
    const dead = await death(context, result);
    if (dead !== undefined || result.status >= 0) return dead ?? 0;
    await context.err(`insmod: ERROR: could not insert module ${file}: ${insmodReason(-result.status)}\n`);
    return 1;
  };

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
  if (context.fs.user.uid !== 0) return error(`could not remove module ${name}: ${errnoMessage(EPERM)}`);
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

/** The commands of the module loader. */
export function kmodTools(machine: Machine): CommandSet {
  return {
    insmod: [insmod(machine), 'load a kernel module', 'usage: insmod FILE.ko [PARAMETER=VALUE]...'],
    rmmod: [rmmod(machine), 'unload a kernel module', 'usage: rmmod NAME...'],
    lsmod: [lsmod(machine), 'list loaded kernel modules', 'usage: lsmod'],
    modinfo: [
      modinfo,
      'describe a module',
      'usage: modinfo [-F FIELD | -a | -d | -l | -p | -n] [-0] NAME|FILE.ko...',
    ],
    modprobe: [
      modprobe(machine),
      'load a module with all it needs, or unload it',
      'usage: modprobe [-nvqD] NAME [PARAMETER=VALUE]...  or  modprobe -r NAME...',
    ],
    depmod: [depmod, 'write the indexes that modprobe reads', 'usage: depmod [-a] [-n] [-v]'],
  };
}
