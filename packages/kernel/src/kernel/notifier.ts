// SPDX-License-Identifier: MIT
/**
 * Notifier chains: C functions that want to hear of something, called in the order of their priority.
 *
 *     head ─→ block { call, next, priority 10 } ─→ block { call, next, priority 0 } ─→ NULL
 *
 * The kinds differ in where the head's pointer lies, behind which lock. Only one CPU runs at a time and no callback
 * sleeps, so no lock is needed here.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import type { Reports } from '../lib/env.js';
import { EEXIST, ENOENT } from '../lib/errno.js';
import { type GuestAccess, readS64, readUnsigned, writeBytes, writeS64 } from '../lib/guest_access.js';
import { RwSemaphore } from '../lib/lock_types.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { MODULE_STATE_COMING, MODULE_STATE_GOING } from './module_types.js';
import { TaskKilled } from './oops.js';

/** Offsets in `struct notifier_block`. */
const NEXT = 8;
const PRIORITY = 16;
const NOTIFY_OK = 1;
const NOTIFY_STOP_MASK = 0x8000;
/** Where the pointer to the first block lies in each kind of head. */
const HEADS = { atomic: 8, blocking: RwSemaphore.size, raw: 0 } as const;
/** No chain has so many blocks: it goes round. */
const CHAIN_MAX = 100000;
const PANIC_TEXT = 1024;

export interface NotifierServices {
  readonly mem: GuestAccess;
  readonly ram: Ram;
  readonly reports: Reports;
  readonly callC: CallC;
  stuck(): never;
}

export class Notifiers {
  private readonly rebootList: Handle;
  private readonly moduleList: Handle;
  private readonly panicList: Handle;
  private readonly panicText: Handle;
  private readonly oomList: Handle;
  private readonly oomFreed: Handle;

  constructor(
    private readonly k: NotifierServices,
    data: StaticData,
  ) {
    this.rebootList = data.declare('reboot_notifier_list', RwSemaphore.size + 8);
    this.moduleList = data.declare('module_notify_list', RwSemaphore.size + 8);
    this.panicList = data.declare('panic_notifier_list', 16);
    this.panicText = data.declare('panic_notifier_text', PANIC_TEXT);
    this.oomList = data.declare('oom_notify_list', RwSemaphore.size + 8);
    this.oomFreed = data.declare('oom_notify_freed', 8);
  }

  boot(): void {
    const { ram } = this.k;
    for (const list of [this.rebootList, this.moduleList, this.oomList]) {
      const waiters = list + RwSemaphore.w.wait_list;
      ram.setPtr(waiters, waiters);
      ram.setPtr(waiters + 2, waiters);
    }
  }

  private priority(block: Vaddr): number {
    return readUnsigned(this.k.mem, block + PRIORITY, 4) | 0;
  }

  /** Calls `visit` with the address of each pointer in the chain, the last of them NULL, until it returns a number. */
  private walk(link: Vaddr, visit: (link: Vaddr, block: Vaddr) => number | undefined): number {
    let at = link;
    for (let n = 0; n < CHAIN_MAX; n++) {
      const block = readS64(this.k.mem, at);
      const result = visit(at, block);
      if (result !== undefined) return result;
      at = block + NEXT;
    }
    return this.k.stuck();
  }

  private register(link: Vaddr, block: Vaddr): number {
    const { mem, reports } = this.k;
    return this.walk(link, (at, here) => {
      if (here === block) {
        const call = reports.symbolize(readS64(mem, block)).replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/, '');
        reports.warn(
          'kernel/notifier.c',
          30,
          'notifier_chain_register',
          `notifier callback ${call} already registered`,
        );
        return -EEXIST;
      }
      if (here !== 0 && this.priority(block) <= this.priority(here)) return undefined;
      writeS64(mem, block + NEXT, here);
      writeS64(mem, at, block);
      return 0;
    });
  }

  private unregister(link: Vaddr, block: Vaddr): number {
    const { mem } = this.k;
    return this.walk(link, (at, here) => {
      if (here === 0) return -ENOENT;
      if (here !== block) return undefined;
      writeS64(mem, at, readS64(mem, block + NEXT));
      return 0;
    });
  }

  /** Calls every block until one says stop; what the last one returned. A block may remove itself meanwhile. */
  private call(link: Vaddr, value: number, data: Vaddr): number {
    return this.callFirst(link, value, data, CHAIN_MAX).result;
  }

  /** Calls at most `limit` blocks, until one says stop: what the last one returned, and how many were called. */
  private callFirst(
    link: Vaddr,
    value: number,
    data: Vaddr,
    limit: number,
  ): { result: number; nrCalled: number } {
    const { mem, callC } = this.k;
    let block = readS64(mem, link);
    let result = 0;
    let nrCalled = 0;
    while (block !== 0 && nrCalled < limit) {
      if (++nrCalled === CHAIN_MAX) this.k.stuck();
      const next = readS64(mem, block + NEXT);
      result = callC(readS64(mem, block), 'i:pzp', block, value, data);
      if (result & NOTIFY_STOP_MASK) break;
      block = next;
    }
    return { result, nrCalled };
  }

  /**
   * Tells of a module's new state.
   * @param module address of its struct
   * @returns 0, or the negative errno with which a callback refuses (NOTIFY_BAD is -EPERM)
   */
  notifyModule(module: Vaddr, state: number): number {
    const link = this.k.ram.addressOf(this.moduleList) + HEADS.blocking;
    const { result, nrCalled } = this.callFirst(link, state, module, CHAIN_MAX);
    // Those that were told before one refused are told that nothing comes of it.
    if (state === MODULE_STATE_COMING && result & NOTIFY_STOP_MASK)
      this.callFirst(link, MODULE_STATE_GOING, module, nrCalled - 1);
    const value = result & ~NOTIFY_STOP_MASK;
    return value > NOTIFY_OK ? NOTIFY_OK - value : 0;
  }

  /** Tells that memory has run out. @returns pages that were freed, as those who freed them say */
  notifyOom(): number {
    const { ram } = this.k;
    ram.set64(this.oomFreed, 0);
    this.call(ram.addressOf(this.oomList) + HEADS.blocking, 0, ram.addressOf(this.oomFreed));
    return ram.s64(this.oomFreed);
  }

  /** Tells who registered with panic_notifier_list what the kernel died of. */
  notifyPanic(message: string): void {
    const { mem, ram } = this.k;
    const text = ram.addressOf(this.panicText);
    writeBytes(mem, text, encodeUtf8(message).subarray(0, PANIC_TEXT - 1));
    try {
      this.call(ram.addressOf(this.panicList) + HEADS.atomic, 0, text);
    } catch (error) {
      // A callback that dies does not save the machine.
      if (!(error instanceof TaskKilled)) throw error;
    }
  }

  exports(): KernelExports {
    const kinds = Object.entries(HEADS).map(([kind, offset]): KernelExports => {
      const prefix = `${kind}_notifier`;
      return {
        [`${prefix}_chain_register`]: [
          'i:pp',
          (head: Vaddr, block: Vaddr) => this.register(head + offset, block),
        ],
        [`${prefix}_chain_unregister`]: [
          'i:pp',
          (head: Vaddr, block: Vaddr) => this.unregister(head + offset, block),
        ],
        [`${prefix}_call_chain`]: [
          'i:pzp',
          (head: Vaddr, value: number, data: Vaddr) => this.call(head + offset, value, data),
        ],
      };
    });
    const reboot = this.k.ram.addressOf(this.rebootList) + HEADS.blocking;
    const modules = this.k.ram.addressOf(this.moduleList) + HEADS.blocking;
    const oom = this.k.ram.addressOf(this.oomList) + HEADS.blocking;
    return Object.assign({}, ...kinds, {
      register_oom_notifier: ['i:p', (block: Vaddr) => this.register(oom, block)],
      unregister_oom_notifier: ['i:p', (block: Vaddr) => this.unregister(oom, block)],
      register_module_notifier: ['i:p', (block: Vaddr) => this.register(modules, block)],
      unregister_module_notifier: ['i:p', (block: Vaddr) => this.unregister(modules, block)],
      register_reboot_notifier: ['i:p', (block: Vaddr) => this.register(reboot, block)],
      unregister_reboot_notifier: ['i:p', (block: Vaddr) => this.unregister(reboot, block)],
    } satisfies KernelExports);
  }
}
