// SPDX-License-Identifier: MIT
/** What C asks about modules: whose an address is, symbols by name, references; and modules that it wants loaded. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { ENOENT, ENOMEM } from '../../lib/errno.js';
import { type GuestAccess, readCString, readUnsigned } from '../../lib/guest_access.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { Module } from '../module_types.js';
import type { Scheduler, SLEEP } from '../sched/core.js';
import { TASK_NEW, TASK_UNINTERRUPTIBLE } from '../sched.js';
import type { LoadedModule } from './link.js';
import type { Modules } from './main.js';

/** What wait() says of a program that exited with 1. */
const EXIT_ONE = 0x100;
const NAME_MAX = 255;

export interface ModuleQueryDeps extends GuestAccess {
  readonly scheduler: Scheduler;
  modules(): Modules;
  /** Address of a kernel function or variable. */
  kernelSymbol(name: string): Vaddr | undefined;
  printModules(): void;
  format(format: Vaddr, args: Vaddr): Uint8Array;
  /** What the host's modprobe finds for a name: images in the order in which they are to be loaded; undefined: it has none. */
  modprobe(name: string): readonly Uint8Array[] | undefined | 'no modprobe';
  /** A task that loads a module. */
  insmod(image: Uint8Array): Handle;
}

export class ModuleQueries {
  constructor(private readonly deps: ModuleQueryDeps) {}

  private text(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, NAME_MAX));
  }

  private address(m: LoadedModule | undefined): Vaddr {
    return m === undefined ? 0 : m.bases.core + m.layout.moduleOffset;
  }

  /** The module that an address lies in. @linux kernel/module/main.c:__module_address full */
  private owner(address: Vaddr, textOnly: boolean): LoadedModule | undefined {
    return this.deps
      .modules()
      .loaded()
      .find((m) => {
        const { core_layout: core, init_layout: init } = Module.at(this.deps.ram, m.handle);
        return [core, init].some(({ base, size, text_size: text }) => {
          const offset = address - base;
          return base !== 0 && offset >= 0 && offset < (textOnly ? text : size);
        });
      });
  }

  private exporter(name: string): LoadedModule | undefined {
    return this.deps
      .modules()
      .loaded()
      .find((m) => m.exports.some((e) => e.name === name));
  }

  /** A symbol's address, with a reference to the module that has it. @linux kernel/module/main.c:__symbol_get full */
  private symbolGet(name: string): Vaddr {
    const own = this.deps.kernelSymbol(name);
    if (own !== undefined) return own;
    const m = this.exporter(name);
    if (m === undefined || !this.deps.modules().tryGet(m.handle)) return 0;
    return m.exports.find((e) => e.name === name)!.address;
  }

  private symbolPut(name: string): void {
    if (this.deps.kernelSymbol(name) !== undefined) return;
    const m = this.exporter(name);
    if (m !== undefined) this.deps.modules().put(m.handle);
  }

  private refcount(module: Vaddr): number {
    return (readUnsigned(this.deps, module + Module.o.refcnt, 4) | 0) - 1;
  }

  /**
   * Has modprobe load a module, and waits for it: the images one after the other, each in a task of its own.
   * @linux kernel/module/kmod.c:__request_module differs: the host says what modprobe would load; without it -ENOENT
   */
  private requestModule() {
    const { scheduler, ram } = this.deps;
    return scheduler.sleeping<readonly [number, Vaddr, Vaddr]>((stage, [wait, fmt, args]) => {
      const name = decodeUtf8(this.deps.format(fmt, args));
      const images = this.deps.modprobe(name);
      if (images === 'no modprobe') return -ENOENT;
      if (images === undefined) return EXIT_ONE;
      const next = stage === 0 ? 0 : scheduler.getSaved(0);
      if (stage !== 0) {
        const task = ram.handleOf(scheduler.getSaved(1));
        if (!scheduler.isDone(task)) return this.waitFor(task);
        const { result } = scheduler.result(task);
        scheduler.release(task);
        if (result < 0) return EXIT_ONE;
      }
      if (next >= images.length) return 0;
      const task = this.deps.insmod(images[next]);
      if (task === 0) return -ENOMEM;
      scheduler.wake(task, TASK_NEW);
      if (!wait) return 0;
      scheduler.setSaved(0, next + 1);
      scheduler.setSaved(1, ram.addressOf(task));
      return this.waitFor(task);
    });
  }

  private waitFor(task: Handle): typeof SLEEP {
    const { scheduler } = this.deps;
    scheduler.setState(TASK_UNINTERRUPTIBLE);
    scheduler.waitForExit(task);
    return scheduler.sleep(1);
  }

  sleepingExports(): KernelExports {
    return { __request_module: ['i:bp…', this.requestModule()] };
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      find_module: ['p:p', (name: Vaddr) => this.address(deps.modules().find(this.text(name)))],
      __module_address: ['p:p', (at: Vaddr) => this.address(this.owner(at, false))],
      __module_text_address: ['p:p', (at: Vaddr) => this.address(this.owner(at, true))],
      is_module_address: ['b:p', (at: Vaddr) => this.owner(at, false) !== undefined],
      is_module_text_address: ['b:p', (at: Vaddr) => this.owner(at, true) !== undefined],
      module_refcount: ['i:p', (module: Vaddr) => this.refcount(module)],
      print_modules: ['v:', () => deps.printModules()],
      __symbol_get: ['p:p', (name: Vaddr) => this.symbolGet(this.text(name))],
      __symbol_put: ['v:p', (name: Vaddr) => this.symbolPut(this.text(name))],
      symbol_put_addr: [
        'v:p',
        (at: Vaddr) => {
          const m = this.owner(at, true);
          if (m !== undefined) deps.modules().put(m.handle);
        },
      ],
    };
  }
}
