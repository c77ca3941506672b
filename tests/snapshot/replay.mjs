// SPDX-License-Identifier: MIT
/**
 * Puts a machine through a list of steps, wherever it runs: in the tests' process, in a fresh one, in a browser's page.
 * Knows nothing of its host.
 *
 * @typedef {{ do: 'insmod', module: string, parameters?: string } | { do: 'rmmod', module: string }
 *   | { do: 'sleep', ms: number } | { do: 'read', path: string } | { do: 'clear' }} Step
 */

/** One step; what it gave, as text. */
export function perform(machine, step, modules) {
  switch (step.do) {
    case 'insmod':
      return JSON.stringify(machine.insmod(modules[step.module], step.parameters ?? ''));
    case 'rmmod':
      return JSON.stringify(machine.rmmod(step.module));
    case 'sleep':
      machine.sleep(step.ms * 1e6);
      return '';
    case 'read':
      return String.fromCharCode(...(machine.readProc(step.path) ?? []));
    default:
      machine.clearDmesg();
      return '';
  }
}

/**
 * @param {Step[]} steps
 * @param {Record<string, Uint8Array>} modules
 */
export function replay(machine, steps, modules) {
  const outputs = steps.map((step) => perform(machine, step, modules));
  return { outputs, dmesg: machine.dmesg(), hash: machine.memoryHash() };
}
