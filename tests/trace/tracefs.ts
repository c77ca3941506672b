// SPDX-License-Identifier: MIT
/** /sys/kernel/tracing of a machine, as a test uses it. */

import type { Machine } from '@pagewalk/kernel/machine';

const MOUNT = '/sys/kernel/tracing';

export interface Tracefs {
  /** The text of a file; throws if there is no such file. */
  read(path: string): string;
  /** As echo: 0 or a negative errno. */
  write(path: string, text: string): number;
  truncate(path: string): void;
  list(path: string): readonly string[] | undefined;
  /** The lines of the trace, without its head. */
  lines(): string[];
}

export function tracefs(machine: Machine): Tracefs {
  const texts = machine.kernel.tracing.texts();
  const full = (path: string) => (path === '' ? MOUNT : `${MOUNT}/${path}`);
  const read = (path: string): string => {
    const bytes = texts.read(full(path));
    if (!bytes) throw new Error(`no file ${full(path)}`);
    return new TextDecoder().decode(bytes);
  };
  return {
    read,
    write: (path, text) => texts.write!(full(path), new TextEncoder().encode(`${text}\n`)),
    truncate: (path) => texts.truncate(full(path)),
    list: (path) => texts.list(full(path)),
    lines: () =>
      read('trace')
        .split('\n')
        .filter((line) => line !== '' && !line.startsWith('#')),
  };
}
