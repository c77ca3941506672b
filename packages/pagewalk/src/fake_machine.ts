// SPDX-License-Identifier: MIT
/** A machine for tests of the shell: modules are names, files are texts. */

import type { CommandResult, LoadedModule, LogRecord, Machine, TaskInfo } from './machine.js';

export class FakeMachine implements Machine {
  readonly log: LogRecord[] = [];
  readonly loaded: LoadedModule[] = [];
  readonly files = new Map<string, string>([
    ['/proc/version', 'Linux version 6.1.0-pagewalk (fake) #1 SMP\n'],
    ['/proc/uptime', '12.34 12.00\n'],
    [
      '/proc/meminfo',
      'MemTotal:          65536 kB\nMemFree:           60000 kB\nMemAvailable:      61000 kB\n',
    ],
  ]);
  /** Outcome of insmod by the image's text; success where none is set. */
  readonly outcomes = new Map<string, CommandResult>();
  lastParameters = '';

  private ns = 12_340_000_000;

  now(): number {
    return this.ns;
  }

  bootTime(): number {
    return 1_767_225_600;
  }

  sleep(ns: number): void {
    this.ns += ns;
    this.files.set('/proc/uptime', `${(this.ns / 1e9).toFixed(2)} 0.00\n`);
  }

  tasks(): TaskInfo[] {
    return [{ pid: 2, ppid: 0, comm: 'kthreadd', state: 'S', kthread: true, startNs: 0 }];
  }

  insmod(image: Uint8Array, params: string): CommandResult {
    const name = new TextDecoder().decode(image);
    this.lastParameters = params;
    const again = this.loaded.some((module) => module.name === name);
    const outcome = this.outcomes.get(name) ?? { status: again ? -17 : 0 };
    this.log.push({ level: 6, ns: 1_500_000_000, text: `${name}: loading` });
    if (outcome.status === 0 && !outcome.signal)
      this.loaded.unshift({
        name,
        size: 16384,
        refcount: 0,
        usedBy: [],
        state: 'Live',
      });
    return outcome;
  }

  rmmod(name: string): CommandResult {
    this.loaded.splice(
      this.loaded.findIndex((module) => module.name === name),
      1,
    );
    return { status: 0 };
  }

  modules(): LoadedModule[] {
    return this.loaded;
  }

  readProc(path: string): Uint8Array | undefined {
    const text = this.files.get(path);
    return text === undefined ? undefined : new TextEncoder().encode(text);
  }

  listProc(path: string): string[] | undefined {
    if (path === '/sys') return [];
    const names = [...this.files.keys()]
      .filter((file) => file.startsWith(`${path}/`))
      .map((file) => file.slice(path.length + 1).replace(/\/.*/, '/'));
    return names.length > 0 ? [...new Set(names)] : undefined;
  }

  dmesg(): LogRecord[] {
    return this.log;
  }

  clearDmesg(): void {
    this.log.length = 0;
  }
}
