// SPDX-License-Identifier: MIT
/**
 * Programs that the kernel starts. There is no user space on the machine itself: the host says what a program does,
 * and what it exits with. Without such a host no program is found: -ENOENT.
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import { EINVAL, ENOENT, ENOMEM } from '../lib/errno.js';
import { type GuestAccess, readCString, readS64, writeInteger } from '../lib/guest_access.js';
import { addr, fn, struct } from '../lib/struct.js';
import { decodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from '../mm/gfp.js';

const SubprocessInfo = struct('subprocess_info', {
  path: addr('const char'),
  argv: addr('char *'),
  envp: addr('char *'),
  init: fn('int', 'struct subprocess_info *info, struct cred *new'),
  cleanup: fn('void', 'struct subprocess_info *info'),
  data: addr(),
});
const I = SubprocessInfo.o;

/** Bits of `wait`. */
const UMH_WAIT_PROC = 2;
/** A longer array of strings has no end. */
const STRINGS_MAX = 1000;
const STRING_MAX = 4096;

/** Runs a program of the host's: its exit status, 0 to 255; undefined if there is no such program. */
export type UserProgram = (
  path: string,
  argv: readonly string[],
  envp: readonly string[],
) => number | undefined;

export interface UmhDeps extends GuestAccess {
  readonly callC: CallC;
  program(): UserProgram | undefined;
  kmalloc(bytes: number, gfp: number): Vaddr;
  kfree(address: Vaddr): void;
}

export class UserModeHelpers {
  constructor(private readonly deps: UmhDeps) {}

  private strings(array: Vaddr): string[] {
    const found: string[] = [];
    for (let i = 0; array !== 0 && i < STRINGS_MAX; i++) {
      const at = readS64(this.deps, array + 8 * i);
      if (at === 0) break;
      found.push(decodeUtf8(readCString(this.deps, at, STRING_MAX)));
    }
    return found;
  }

  /** @returns 0 or what wait() says of the program, -ENOENT @linux kernel/umh.c:call_usermodehelper_exec_async differs: the host runs it */
  private run(path: Vaddr, argv: Vaddr, envp: Vaddr): number {
    const name = path === 0 ? '' : decodeUtf8(readCString(this.deps, path, STRING_MAX));
    const status = this.deps.program()?.(name, this.strings(argv), this.strings(envp));
    return status === undefined ? -ENOENT : (status & 0xff) << 8;
  }

  private setup(path: Vaddr, argv: Vaddr, envp: Vaddr, gfp: number, rest: readonly Vaddr[]): Vaddr {
    const info = this.deps.kmalloc(SubprocessInfo.size, gfp);
    if (info === 0) return 0;
    [path, argv, envp, ...rest].forEach((value, i) => {
      writeInteger(this.deps, info + 8 * i, value, 8);
    });
    return info;
  }

  /** @linux kernel/umh.c:call_usermodehelper_exec partial: init() is given no credentials */
  private exec(info: Vaddr, wait: number): number {
    const get = (offset: number) => readS64(this.deps, info + offset);
    let result = get(I.path) === 0 ? -EINVAL : 0;
    if (result === 0 && get(I.init) !== 0) result = this.deps.callC(get(I.init), 'i:pp', info, 0);
    if (result === 0) result = this.run(get(I.path), get(I.argv), get(I.envp));
    if (get(I.cleanup) !== 0) this.deps.callC(get(I.cleanup), 'v:p', info);
    this.deps.kfree(info);
    if (wait === 0) return 0;
    return wait & UMH_WAIT_PROC ? result : Math.min(result, 0);
  }

  exports(): KernelExports {
    return {
      call_usermodehelper_setup: [
        'p:pppuppp',
        (path: Vaddr, argv: Vaddr, envp: Vaddr, gfp: number, init: Vaddr, cleanup: Vaddr, data: Vaddr) =>
          this.setup(path, argv, envp, gfp, [init, cleanup, data]),
      ],
      call_usermodehelper_exec: ['i:pi', (info: Vaddr, wait: number) => this.exec(info, wait)],
      call_usermodehelper: [
        'i:pppi',
        (path: Vaddr, argv: Vaddr, envp: Vaddr, wait: number) => {
          const info = this.setup(path, argv, envp, GFP_KERNEL, [0, 0, 0]);
          return info === 0 ? -ENOMEM : this.exec(info, wait);
        },
      ],
    };
  }
}
