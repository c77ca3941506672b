// SPDX-License-Identifier: MIT
/** A machine for tests of the shell: modules are names, files are texts. */

import { boot, type Machine as KernelMachine } from '@pagewalk/kernel';
import type { HostChanges, HostFolder, HostStat } from '@pagewalk/kernel/fs/hostfs/hostfs';
import type { KernelFiles } from './fs/kernel_files.js';
import type { CommandResult, LoadedModule, LogRecord, Machine, TaskInfo } from './machine.js';

const MEMORY = 16 * 2 ** 20;
const START_NS = 12_340_000_000;
const EPERM = 1;
const ENOENT = 2;
const EIO = 5;
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
const encoder = new TextEncoder();
const refuse = () => -EPERM;
/** What /proc answers to who would change it. */
const refuseAll: HostChanges = {
  create: refuse,
  write: () => -EIO,
  truncate: () => 0,
  mkdir: refuse,
  unlink: refuse,
  rmdir: refuse,
  rename: refuse,
  symlink: refuse,
  link: refuse,
  chmod: refuse,
  utimes: refuse,
};
let template: KernelMachine | undefined;

/** A kernel of one's own, 12.34 seconds after its boot. */
function freshKernel(): KernelMachine {
  if (template === undefined) {
    template = boot({ memory: MEMORY, seed: 1 });
    template.sleep(START_NS - template.now);
  }
  return template.fork();
}

export class FakeMachine implements Machine {
  readonly log: LogRecord[] = [];
  readonly loaded: LoadedModule[] = [];
  /** Files of /proc. */
  readonly texts = new Map<string, string>([
    ['/proc/version', 'Linux version 6.1.0-pagewalk (fake) #1 SMP\n'],
    ['/proc/uptime', '12.34 12.00\n'],
    [
      '/proc/meminfo',
      'MemTotal:          65536 kB\nMemFree:           60000 kB\nMemAvailable:      61000 kB\n',
    ],
  ]);
  private readonly kernel = freshKernel();
  readonly files: KernelFiles = this.kernel.files;

  constructor() {
    const mounts = this.kernel.readProc('/proc/mounts') ?? new Uint8Array();
    this.texts.set('/proc/mounts', new TextDecoder().decode(mounts));
    this.files.offer('fakeproc', this.procFolder());
    const process = this.files.process('init', false);
    process.mount('fakeproc', '/proc', 'hostfs');
  }

  private procFolder(): HostFolder {
    const mtime = { sec: this.bootTime(), nsec: 0 };
    const text = (path: string) => this.texts.get(`/proc${path}`);
    return {
      stat: (path): HostStat | number => {
        if (text(path) !== undefined) return { mode: S_IFREG | 0o444, size: 0, mtime };
        const folder = path === '/' || this.listProc(`/proc${path}`) !== undefined;
        return folder ? { mode: S_IFDIR | 0o555, size: 0, mtime, nlink: 2 } : -ENOENT;
      },
      list: (path) =>
        (this.listProc(path === '/' ? '/proc' : `/proc${path}`) ?? []).map((name) => name.replace(/\/$/, '')),
      read: (path) => encoder.encode(text(path) ?? ''),
      readlink: () => -ENOENT,
      change: refuseAll,
    };
  }

  /** Outcome of insmod by the image's text; success where none is set. */
  readonly outcomes = new Map<string, CommandResult>();
  lastParameters = '';

  now(): number {
    return this.kernel.now;
  }

  bootTime(): number {
    return 1_767_225_600;
  }

  sleep(ns: number): void {
    this.kernel.sleep(ns);
    this.texts.set('/proc/uptime', `${(this.now() / 1e9).toFixed(2)} 0.00\n`);
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
    const text = this.texts.get(path);
    return text === undefined ? undefined : encoder.encode(text);
  }

  listProc(path: string): string[] | undefined {
    if (path === '/sys') return [];
    const names = [...this.texts.keys()]
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
