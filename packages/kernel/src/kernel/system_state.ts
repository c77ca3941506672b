// SPDX-License-Identifier: MIT
/** What C may ask about the kernel as a whole: its name, what tainted it, in which state it is. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { StaticData } from '../lib/static_data.js';
import { encodeUtf8 } from '../lib/utf8.js';
import { HZ } from '../machine/clock.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { LETTERS, type Taint } from './taint.js';
import { UTS_MACHINE, UTS_NODENAME, UTS_RELEASE, UTS_SYSNAME, UTS_VERSION } from './utsname.js';

/** Of enum system_states. */
const SYSTEM_RUNNING = 3;
/** A member of `struct new_utsname`: 64 characters and a NUL. */
export const UTS_FIELD = 65;
const TAINT_TEXT = 64;

export class SystemState {
  private readonly utsNamespace: Handle;
  private readonly state: Handle;
  private readonly taintText: Handle;
  private readonly loops: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly taint: Taint,
  ) {
    this.utsNamespace = data.declare('init_uts_ns', 6 * UTS_FIELD);
    this.state = data.declare('system_state', 4);
    this.taintText = data.declare('print_tainted_buf', TAINT_TEXT);
    this.loops = data.declare('loops_per_jiffy', 8);
    // What only C looks at: 0 is right for each.
    for (const name of ['oops_in_progress', 'initcall_debug']) data.declare(name, 4);
    for (const name of ['sys_tz', 'init_user_ns', 'tasklist_lock']) data.declare(name, 8);
  }

  boot(): void {
    const names = [UTS_SYSNAME, UTS_NODENAME, UTS_RELEASE, UTS_VERSION, UTS_MACHINE, '(none)'];
    names.forEach((name, i) => {
      this.ram.u8.set(encodeUtf8(name).subarray(0, UTS_FIELD - 1), this.utsNamespace * 4 + i * UTS_FIELD);
    });
    this.ram.i32[this.state] = SYSTEM_RUNNING;
    // A nominal clock of 2 GHz and one loop a cycle.
    this.ram.set64(this.loops, 2e9 / HZ);
  }

  /** @linux kernel/panic.c:print_tainted full */
  private printTainted(): Vaddr {
    const text = encodeUtf8(this.taint.toString());
    const at = this.taintText * 4;
    this.ram.fill(at, TAINT_TEXT, 0);
    this.ram.u8.set(text.subarray(0, TAINT_TEXT - 1), at);
    return this.ram.addressOf(this.taintText);
  }

  exports(): KernelExports {
    const { taint } = this;
    return {
      print_tainted: ['p:', () => this.printTainted()],
      get_taint: ['z:', () => taint.value],
      test_taint: ['i:u', (flag: number) => (flag < LETTERS.length ? (taint.value >>> flag) & 1 : 0)],
      add_taint: [
        'v:ui',
        (flag: number) => {
          if (flag < LETTERS.length) taint.add(LETTERS[flag]);
        },
      ],
    };
  }
}
