// SPDX-License-Identifier: MIT
/** `--load FILE` and `--save FILE`: a machine from a file, and into one. */

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { bootMachine, loadMachine } from '../kernel_machine.js';
import type { Machine } from '../machine.js';
import type { GlobalOptions } from './options.js';

/** A file that cannot be read or written, or that holds no machine: said on standard error, exit status 1. */
export class SavedMachineError extends Error {
  override name = 'SavedMachineError';
}

const reason = (error: unknown) => (error instanceof Error ? error.message : String(error));

/** The machine that the options ask for: one that boots, or one that was saved. */
export function openMachine(options: GlobalOptions): Machine {
  if (options.load === undefined) return bootMachine(options);
  try {
    return loadMachine(readFileSync(options.load));
  } catch (error) {
    throw new SavedMachineError(`--load '${options.load}': ${reason(error)}`);
  }
}

/** Saves the machine if the options say so; a file that was there before is replaced only by a whole one. */
export function closeMachine(machine: Machine, { save }: GlobalOptions): void {
  if (save === undefined) return;
  const unfinished = `${save}.part`;
  try {
    writeFileSync(unfinished, machine.save?.() ?? new Uint8Array());
    renameSync(unfinished, save);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw new SavedMachineError(`--save '${save}': ${reason(error)}`);
  }
}
