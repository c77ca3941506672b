// SPDX-License-Identifier: MIT
/** /proc/interrupts. */

export interface InterruptLine {
  readonly irq: number;
  /** How often each CPU has handled it. */
  readonly counts: readonly number[];
  /** What its handlers were requested as. */
  readonly names: readonly string[];
}

/**
 * A column for each CPU, a row for each line that has a handler or had an interrupt.
 * @linux kernel/irq/proc.c:show_interrupts partial: lines have no chip, and none is the CPU's own
 */
export function interruptsText(lines: readonly InterruptLine[], nrCpus: number): string {
  const cpus = Array.from({ length: nrCpus }, (_, cpu) => `CPU${String(cpu).padEnd(8)}`);
  const rows = lines.map(({ irq, counts, names }) => {
    const columns = counts.map((count) => `${String(count).padStart(10)} `).join('');
    return `${String(irq).padStart(3)}: ${columns} ${'None'.padStart(8)}    ${names.length > 0 ? `  ${names.join(', ')}` : ''}\n`;
  });
  return `${' '.repeat(11)}${cpus.join('')}\n${rows.join('')}`;
}
