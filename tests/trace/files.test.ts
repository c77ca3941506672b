// SPDX-License-Identifier: MIT
/** tracefs through system calls, as a shell uses it. */

import type { Machine } from '@pagewalk/kernel/machine';
import { expect, test } from 'vitest';
import { boot } from '../support/modules.js';

const O_WRONLY = 1;
const O_TRUNC = 0o1000;

function echo(machine: Machine, text: string, path: string): number {
  const { status: fd } = machine.open(path, O_WRONLY | O_TRUNC);
  if (fd < 0) return fd;
  const { status } = machine.write(fd, new TextEncoder().encode(`${text}\n`));
  machine.close(fd);
  return status;
}

function cat(machine: Machine, path: string): string {
  const { status: fd } = machine.open(path);
  if (fd < 0) throw new Error(`${path}: ${fd}`);
  let text = '';
  for (;;) {
    const { bytes, status } = machine.read(fd, 4096);
    if (status <= 0 || !bytes) break;
    text += new TextDecoder().decode(bytes);
  }
  machine.close(fd);
  return text;
}

test.each(['/sys/kernel/tracing', '/sys/kernel/debug/tracing'])('%s', (mount) => {
  const machine = boot();
  expect(echo(machine, 'kmem:kmalloc', `${mount}/set_event`)).toBe(13);
  expect(cat(machine, `${mount}/set_event`)).toBe('kmem:kmalloc\n');
  expect(cat(machine, `${mount}/trace`)).toMatch(/ sh-\d+ .*: kmalloc: /);
  expect(echo(machine, '0', `${mount}/events/enable`)).toBe(2);
  expect(cat(machine, `${mount}/trace_pipe`)).toMatch(/ sh-\d+ .*: kmalloc: /);
  expect(echo(machine, 'a line', `${mount}/trace_marker`)).toBe(7);
  expect(cat(machine, `${mount}/per_cpu/cpu0/trace`)).toMatch(/tracing_mark_write: a line\n$/);
  expect(echo(machine, '', `${mount}/trace`)).toBe(1);
  expect(cat(machine, `${mount}/trace`)).toContain('entries-in-buffer/entries-written: 0/0 ');
  expect(echo(machine, 'nothing', `${mount}/current_tracer`)).toBe(-22);
  expect(machine.readdir(`${mount}/events/kmem/kmalloc`)).toEqual(['enable', 'filter', 'format', 'id']);
});
