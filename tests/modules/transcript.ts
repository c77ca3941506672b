// SPDX-License-Identifier: MIT
/**
 * What a module's golden log holds: the log of loading and unloading it, and of what its source asks for in between.
 * A line `// then: ls /sys/x` in the source is one step; the log shows it as `$ ls /sys/x`, its output below. Steps:
 * `cat`, `ls` and `stat` of a path, `echo TEXT > PATH`, `ioctl PATH NUMBER [ARGUMENT]`, `irq LINE`, `sleep MILLISECONDS`.
 */

import type { Machine } from '@pagewalk/kernel/machine';
import { moduleLog } from '../support/modules.js';

const O_WRONLY = 1;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What differs with the machine: page frames, which CPU and task it was, where in a function. */
const NOISE: readonly (readonly [RegExp, string])[] = [
  [/page:[0-9a-f]{16}/g, 'page:HASH'],
  [/pfn:0x[0-9a-f]+/g, 'pfn:N'],
  [/\bCPU: \d+ PID: \d+/g, 'CPU: N PID: N'],
  [/\bpid: \d+, name:/g, 'pid: N, name:'],
  [/\+0x[0-9a-f]+\/0x[0-9a-f]+/g, '+OFF'],
  [/\b(insmod|rmmod|irq\/\d+-\w+)[[/]\d+(\/0x[0-9a-f]+)?\]?/g, '$1/N$2'],
];

const withoutNoise = (line: string) => NOISE.reduce((text, [pattern, by]) => text.replace(pattern, by), line);

/** Registers, hardware and addresses of a report: another theme than the module's. */
const REGISTERS =
  /^(R[A-D]X: |R[SD]I: |RBP: |R\d\d?: |RSP: |FS: {2}|CS: {2}|CR2: |DR[036]: |Hardware name: |Code: )/;

function failed(step: string, status: number): string[] {
  return [`${step.split(' ')[0]}: ${status}`];
}

function cat(machine: Machine, step: string, path: string): string[] {
  const { status: fd } = machine.open(path, 0, 0, 'cat');
  if (fd < 0) return failed(step, fd);
  let text = '';
  for (;;) {
    const { status, bytes } = machine.read(fd, 4096);
    if (status < 0) text += `cat: ${status}\n`;
    if (status <= 0) break;
    text += decoder.decode(bytes);
  }
  machine.close(fd);
  return text.replace(/\n$/, '').split('\n');
}

function echo(machine: Machine, step: string, text: string, path: string): string[] {
  const { status: fd } = machine.open(path, O_WRONLY, 0, 'echo');
  if (fd < 0) return failed(step, fd);
  const { status } = machine.write(fd, encoder.encode(`${text}\n`));
  machine.close(fd);
  return status < 0 ? failed(step, status) : [];
}

function ioctl(machine: Machine, step: string, path: string, command: number, argument: number): string[] {
  const { status: fd } = machine.open(path, 2, 0, 'ioctl');
  if (fd < 0) return failed(step, fd);
  const bytes = new Uint8Array(new Uint32Array([argument]).buffer);
  const { status } = machine.ioctl(fd, command, bytes);
  machine.close(fd);
  return [`ioctl: ${status}, ${new Uint32Array(bytes.buffer)[0]}`];
}

function stat(machine: Machine, step: string, path: string): string[] {
  const found = machine.stat(path);
  if (typeof found === 'number') return failed(step, found);
  const device = found.rdev === 0 ? '' : ` device ${found.rdev >>> 20}:${found.rdev & 0xfffff}`;
  return [`mode ${found.mode.toString(8)}${device}${found.target ? ` -> ${found.target}` : ''}`];
}

function run(machine: Machine, step: string): string[] {
  const [command, ...words] = step.split(' ');
  const redirected = /^echo (.*?) ?> (\S+)$/.exec(step);
  if (redirected) return echo(machine, step, redirected[1], redirected[2]);
  if (command === 'cat') return cat(machine, step, words[0]);
  if (command === 'stat') return stat(machine, step, words[0]);
  if (command === 'ioctl')
    return ioctl(machine, step, words[0], Number.parseInt(words[1], 16), Number(words[2] ?? 0));
  if (command === 'ls') {
    const names = machine.readdir(words[0]);
    return typeof names === 'number' ? failed(step, names) : [names.join(' ')];
  }
  if (command === 'irq') machine.raiseIrq(Number(words[0]));
  else if (command === 'sleep') machine.sleep(Number(words[0]) * 1e6);
  else throw new Error(`no such step: ${step}`);
  return [];
}

/** Loads a module, takes the steps of its source, unloads it. Throws if it does not load or does not go. */
export function transcript(machine: Machine, name: string, source: string, ko: Uint8Array): string {
  const parameters = /^\/\/ insmod: (.*)$/m.exec(source)?.[1] ?? '';
  const lines: string[] = [];
  let seen = 0;
  const log = () => {
    const texts = moduleLog(machine);
    lines.push(...texts.slice(seen));
    seen = texts.length;
  };
  machine.clearDmesg();
  const loaded = machine.insmod(ko, parameters);
  log();
  if (loaded.status < 0 || loaded.signal)
    throw new Error(`insmod: status ${loaded.status}, signal ${loaded.signal}\n${lines.join('\n')}`);
  for (const [, step] of source.matchAll(/^\/\/ then: (.*)$/gm)) {
    const output = run(machine, step);
    log();
    lines.push(`$ ${step}`, ...output);
  }
  const { status, signal } = machine.rmmod(name);
  log();
  if (status !== 0 || signal)
    throw new Error(`rmmod: status ${status}, signal ${signal}\n${lines.join('\n')}`);
  return `${lines
    .flatMap((line) => line.split('\n'))
    .filter((line) => !REGISTERS.test(line))
    .map(withoutNoise)
    .join('\n')}\n`;
}
