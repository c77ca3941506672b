// SPDX-License-Identifier: MIT
/** What a panic says; who calls it then stops the machine. */

import { KERN_EMERG, type Log, type Reports } from '../lib/env.js';

/** `Kernel panic - not syncing: …`, the stack, and the end. @linux kernel/panic.c:panic partial: no reboot, no crash kernel */
export function reportPanic(log: Log, reports: Reports, message: string): void {
  log.log(KERN_EMERG, `Kernel panic - not syncing: ${message}`);
  reports.dumpStack(['panic']);
  log.log(KERN_EMERG, `---[ end Kernel panic - not syncing: ${message} ]---`);
}
