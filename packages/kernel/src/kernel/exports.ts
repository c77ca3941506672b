// SPDX-License-Identifier: MIT
/** What the core kernel offers to modules: bug reports, printing of the stack, module references. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { GuestMemory } from '../lib/env.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import type { Modules } from './module/main.js';
import type { Oops } from './oops.js';
import { LETTERS } from './taint.js';
import type { Tasks } from './tasks.js';
import type { Watchdog } from './watchdog.js';

export interface CoreServices {
  readonly oops: Oops;
  readonly guest: GuestMemory;
  readonly watchdog: Watchdog;
  readonly tasks: Tasks;
  readonly ram: Ram;
  modules(): Modules;
  /** Formats a C format string with its variadic arguments. */
  format(format: Vaddr, args: Vaddr): string;
}

const text = (bytes: Uint8Array) => Array.from(bytes, (b) => String.fromCharCode(b)).join('');

export function coreExports(k: CoreServices): KernelExports {
  const fileName = (file: Vaddr) => text(k.guest.readString(file, 256));
  const structHandle = (struct: Vaddr): Handle => (struct === 0 ? 0 : k.guest.translate(struct) / 4);
  const message = (format: Vaddr, args: Vaddr) =>
    format === 0 ? undefined : k.format(format, args).trimEnd();
  return {
    __pagewalk_bug: ['v:pi', (file, line) => k.oops.bugAt(fileName(file), line, k.oops.callerAddress())],
    __pagewalk_warn: [
      'v:pip…',
      (file, line, format, args) =>
        k.oops.warnAt(fileName(file), line, k.oops.callerAddress(), message(format, args)),
    ],
    __pagewalk_warn_taint: [
      'v:piup…',
      (file, line, taint, format, args) =>
        k.oops.warnAt(fileName(file), line, k.oops.callerAddress(), message(format, args), LETTERS[taint]),
    ],
    __might_sleep: ['v:pi', () => undefined],
    get_current: ['p:', () => k.ram.addressOf(k.tasks.currentHandle)],
    try_module_get: ['b:p', (module) => k.modules().tryGet(structHandle(module))],
    __module_get: ['v:p', (module) => void k.modules().tryGet(structHandle(module))],
    module_put: ['v:p', (module) => k.modules().put(structHandle(module))],
    // What clang makes of __builtin_return_address(level), and so of _RET_IP_.
    emscripten_return_address: ['p:i', (level) => k.oops.stackTrace()[(level & 0xff) + 1] ?? 0],
    touch_softlockup_watchdog: ['v:', () => k.watchdog.touch()],
  };
}
