// SPDX-License-Identifier: MIT
/** Builds a module from C source with the real headers and runs it on a real kernel, for golden logs. */

import { Machine, type MachineOptions } from '@pagewalk/kernel/machine';
import type { Toolchain } from '@pagewalk/toolchain';
import { nodeToolchain } from '@pagewalk/toolchain/index.node';
import { afterEach } from 'vitest';
import { checkRebuild } from './rebuild.js';

let toolchain: Toolchain | undefined;

/** The compiler, one for all tests of a file. */
const compiler = () => (toolchain ??= nodeToolchain());

export function closeCompiler(): void {
  toolchain?.close();
  toolchain = undefined;
}

export async function build(name: string, source: string): Promise<Uint8Array> {
  const { ko, stderr } = await compiler().buildModule({ name, sources: { [`${name}.c`]: source } });
  if (!ko) throw new Error(`${name}.c does not build:\n${stderr}`);
  return ko;
}

/** Machines that the running test has booted. */
const booted: Machine[] = [];

/** A machine; at the end of the test it is shown that everything but its RAM can be thrown away. */
export function boot(options: Partial<MachineOptions> = {}): Machine {
  const machine = new Machine({ memory: 64 * 2 ** 20, ...options });
  booted.push(machine);
  return machine;
}

afterEach(() => {
  for (const machine of booted.splice(0)) checkRebuild(machine);
});

/** Texts that were logged since the last module was loaded, without the lines about its taint. */
export function moduleLog(machine: Machine): string[] {
  const texts = machine.dmesg().map(({ text }) => text);
  const last = texts.map((text) => text.includes('module verification failed')).lastIndexOf(true);
  return texts.slice(last + 1);
}

/** Loads and unloads a module once; its log. */
export async function logOf(name: string, source: string, parameters = ''): Promise<string[]> {
  const ko = await build(name, source);
  const machine = boot();
  const { status, signal } = machine.insmod(ko, parameters);
  if (status < 0 || signal)
    throw new Error(`insmod: status ${status}, signal ${signal}\n${moduleLog(machine).join('\n')}`);
  checkRebuild(machine);
  machine.rmmod(name);
  return moduleLog(machine);
}
