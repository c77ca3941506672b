// SPDX-License-Identifier: MIT
/** Panic: what it says, and what of lesser mishaps turns into one. Who calls it then stops the machine. */

import { type BootParameters, KERN_EMERG, type Log, type Reports } from '../lib/env.js';
import type { StaticData } from '../lib/static_data.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';

/** How often a kernel may oops before it gives up (sysctl kernel.oops_limit). */
const OOPS_LIMIT = 10000;

export interface PanicReport {
  readonly log: Log;
  readonly reports: Reports;
  /** False after an oops: its stack has been shown. */
  readonly stack?: boolean;
  /** Tells who wants to know. */
  notify?(message: string): void;
  /** Seconds until Linux would start anew, 0 for never. */
  readonly timeout?: number;
}

/** `Kernel panic - not syncing: …`, the stack, and the end. @linux kernel/panic.c:panic partial: no reboot, no crash kernel */
export function reportPanic(report: PanicReport, message: string): void {
  const { log, reports, stack = true, timeout = 0 } = report;
  log.log(KERN_EMERG, `Kernel panic - not syncing: ${message}`);
  if (stack) reports.dumpStack(['panic']);
  report.notify?.(message);
  if (timeout > 0) log.log(KERN_EMERG, `Rebooting in ${timeout} seconds..`);
  if (timeout === 0) log.log(KERN_EMERG, `---[ end Kernel panic - not syncing: ${message} ]---`);
}

/** The settings kernel.panic*, oops_limit and warn_limit, and what they count. */
export class PanicSettings {
  private readonly timeoutVar: Handle;
  private readonly onOopsVar: Handle;
  private readonly onWarnVar: Handle;
  private readonly oopsLimitVar: Handle;
  private readonly warnLimitVar: Handle;
  private readonly oopsCount: Handle;
  private readonly warnCount: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
  ) {
    this.timeoutVar = data.declare('panic_timeout', 4);
    this.onOopsVar = data.declare('panic_on_oops', 4);
    this.onWarnVar = data.declare('panic_on_warn', 4);
    this.oopsLimitVar = data.declare('oops_limit', 4);
    this.warnLimitVar = data.declare('warn_limit', 4);
    this.oopsCount = data.declare('oops_count', 4);
    this.warnCount = data.declare('warn_count', 4);
  }

  /** Boot parameters `panic=SECONDS`, `oops=panic`, `panic_on_warn=1`. */
  boot(parameters: BootParameters): void {
    const { i32 } = this.ram;
    const number = (name: string) => Number.parseInt(parameters.get(name) ?? '0', 10) | 0;
    i32[this.timeoutVar] = number('panic');
    i32[this.onOopsVar] = Number(parameters.get('oops') === 'panic');
    i32[this.onWarnVar] = parameters.get('panic_on_warn') === '' ? 1 : number('panic_on_warn');
    i32[this.oopsLimitVar] = OOPS_LIMIT;
  }

  get timeout(): number {
    return this.ram.i32[this.timeoutVar];
  }

  get onOops(): boolean {
    return this.ram.i32[this.onOopsVar] !== 0;
  }

  /** A panic over a warning is no reason for another over the warnings of the panic. */
  forgetWarnings(): void {
    this.ram.i32[this.onWarnVar] = 0;
  }

  /**
   * Counts a warning.
   * @param origin who warns: `kernel`, `scheduling while atomic`
   * @returns what to panic with, if that was one too many
   * @linux kernel/panic.c:check_panic_on_warn full
   */
  afterWarning(origin: string): string | undefined {
    const { i32, u32 } = this.ram;
    if (i32[this.onWarnVar] !== 0) return `${origin}: panic_on_warn set ...`;
    const limit = u32[this.warnLimitVar];
    if (++u32[this.warnCount] < limit || limit === 0) return undefined;
    return `${origin}: system warned too often (kernel.warn_limit is ${limit | 0})`;
  }

  /** Counts an oops. @returns what to panic with, if that was one too many */
  afterOops(): string | undefined {
    const limit = this.ram.u32[this.oopsLimitVar];
    if (++this.ram.u32[this.oopsCount] < limit || limit === 0) return undefined;
    return `Oopsed too often (kernel.oops_limit is ${limit | 0})`;
  }
}
