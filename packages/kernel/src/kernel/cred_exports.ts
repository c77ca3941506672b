// SPDX-License-Identifier: MIT
/** Who a task is and what it may: `linux/cred.h`, `linux/capability.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { GFP_KERNEL } from '../mm/gfp.js';
import { Cred } from './cred.js';
import { TaskStruct } from './sched.js';

export interface CredServices {
  readonly ram: Ram;
  /** Handle of the running task. */
  current(): Handle;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

const CRED = TaskStruct.w.cred;
const REAL_CRED = TaskStruct.w.real_cred;

export function credExports(k: CredServices): KernelExports {
  const { ram } = k;
  const usage = (cred: Vaddr) => ram.handleOf(cred) + Cred.w.usage;
  const ours = (cred: Vaddr) => ram.isDirect(cred, Cred.size) && cred % 4 === 0;
  const get = (cred: Vaddr) => {
    if (ours(cred)) ram.i32[usage(cred)]++;
  };
  /** init_cred lies in static data and is never given back. */
  const put = (cred: Vaddr) => {
    if (ours(cred) && --ram.i32[usage(cred)] === 0) k.kfree(cred);
  };
  const copyOf = (cred: Handle): Vaddr => {
    const copy = k.kmalloc(Cred.size, GFP_KERNEL);
    if (copy === 0) return 0;
    ram.u8.copyWithin(ram.handleOf(copy) * 4, cred * 4, cred * 4 + Cred.size);
    ram.i32[usage(copy)] = 1;
    return copy;
  };
  const set = (field: number, cred: Vaddr) => ram.setPtr(k.current() + field, ram.handleOf(cred));
  /** @linux security/commoncap.c:cap_capable partial: one user namespace */
  const has = (task: Handle, cap: number) =>
    Math.floor(Cred.at(ram, ram.ptr(task + CRED)).cap_effective / 2 ** cap) % 2 === 1;
  return {
    capable: ['b:i', (cap: number) => has(k.current(), cap)],
    ns_capable: ['b:pi', (_ns: Vaddr, cap: number) => has(k.current(), cap)],
    has_capability: [
      'b:pi',
      (task: Vaddr, cap: number) => ram.isDirect(task, TaskStruct.size) && has(ram.handleOf(task), cap),
    ],
    prepare_creds: ['p:', () => copyOf(ram.ptr(k.current() + CRED))],
    prepare_kernel_cred: ['p:p', () => copyOf(ram.ptr(k.current() + CRED))],
    abort_creds: ['v:p', (cred: Vaddr) => put(cred)],
    __put_cred: [
      'v:p',
      (cred: Vaddr) => {
        if (ours(cred)) k.kfree(cred);
      },
    ],
    commit_creds: [
      'i:p',
      (cred: Vaddr) => {
        if (!ours(cred)) return 0;
        const old = ram.addressOf(ram.ptr(k.current() + REAL_CRED));
        get(cred);
        set(REAL_CRED, cred);
        set(CRED, cred);
        put(old);
        put(old);
        return 0;
      },
    ],
    override_creds: [
      'p:p',
      (cred: Vaddr) => {
        const old = ram.addressOf(ram.ptr(k.current() + CRED));
        if (!ours(cred)) return old;
        get(cred);
        set(CRED, cred);
        return old;
      },
    ],
    revert_creds: [
      'v:p',
      (old: Vaddr) => {
        if (!ours(old)) return;
        const override = ram.addressOf(ram.ptr(k.current() + CRED));
        set(CRED, old);
        put(override);
      },
    ],
  };
}
