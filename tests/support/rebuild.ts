// SPDX-License-Identifier: MIT
/** "All caches can be rebuilt from RAM": drops them by making a second machine over a copy of the memory, and compares. */

import type { Machine } from '@pagewalk/kernel/machine';

/** Reading these draws from the machine's randomness, so a look would change what it looks at. */
const DRAWN = /^\/proc\/sys\/kernel\/random\/(uuid|boot_id)$/;

/** Everything that can be seen of a machine from outside. */
export function observe(machine: Machine): { [what: string]: unknown } {
  const seen: { [what: string]: unknown } = { dmesg: machine.dmesg(), modules: machine.modules() };
  const decoder = new TextDecoder();
  const look = (folder: string): void => {
    for (const name of machine.listProc(folder) ?? []) {
      const path = `${folder}/${name}`;
      if (name.endsWith('/')) look(path.slice(0, -1));
      else if (!DRAWN.test(path)) seen[path] = decoder.decode(machine.readProc(path));
    }
  };
  look('/proc');
  return seen;
}

/**
 * A machine whose JavaScript objects are all new, over a copy of the given one's RAM. Throws if anything at all can be
 * seen to differ, or if the rebuilding has changed memory.
 */
export function checkRebuild(machine: Machine): Machine {
  const hash = machine.memoryHash();
  const rebuilt = machine.fork();
  if (rebuilt.memoryHash() !== hash) throw new Error('rebuilding the caches has changed memory');
  const before = observe(machine);
  const after = observe(rebuilt);
  for (const what of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [a, b] = [before[what], after[what]].map((value) => JSON.stringify(value));
    if (a !== b) throw new Error(`${what} differs after the caches were rebuilt:\n${a}\n${b}`);
  }
  return rebuilt;
}
