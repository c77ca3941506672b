// SPDX-License-Identifier: MIT
/** Rate limits: at most `burst` messages in each interval, and a note of how many were left out. */

import { KERN_WARNING, type Log } from '../../lib/env.js';
import { type GuestAccess, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import type { StaticData } from '../../lib/static_data.js';
import { int, struct, u32, ulong } from '../../lib/struct.js';
import { HZ } from '../../machine/clock.js';
import type { Vaddr } from '../../machine/layout.js';

export const RatelimitState = struct('ratelimit_state', {
  lock: u32,
  /** Ticks. */
  interval: int,
  burst: int,
  printed: int,
  missed: int,
  /** Tick at which the interval began, 0 if none has. */
  begin: ulong,
  flags: ulong,
});

const DEFAULT_RATELIMIT_INTERVAL = 5 * HZ;
const DEFAULT_RATELIMIT_BURST = 10;
/** The owner reports the missed messages itself. */
const RATELIMIT_MSG_ON_RELEASE = 1;

export interface RatelimitDeps extends GuestAccess {
  readonly log: Log;
  /** Ticks since boot. */
  jiffies(): number;
}

const field = (mem: GuestAccess, rs: Vaddr, name: 'interval' | 'burst' | 'printed' | 'missed') =>
  readUnsigned(mem, rs + RatelimitState.o[name], 4) | 0;

/** Sets a limit up as /dev/kmsg has it: the usual one, whose owner reports what it left out. */
export function ratelimitInit(mem: GuestAccess, rs: Vaddr): void {
  const { o } = RatelimitState;
  writeInteger(mem, rs + o.interval, DEFAULT_RATELIMIT_INTERVAL, 4);
  writeInteger(mem, rs + o.burst, DEFAULT_RATELIMIT_BURST, 4);
  writeInteger(mem, rs + o.flags, RATELIMIT_MSG_ON_RELEASE, 8);
}

/**
 * True if a message may be printed now.
 * @param rs a struct ratelimit_state
 * @param func who asks, for the note on what was left out
 */
export function ratelimit(deps: RatelimitDeps, rs: Vaddr, func: string): boolean {
  const { o } = RatelimitState;
  const interval = field(deps, rs, 'interval');
  if (interval === 0) return true;
  const now = deps.jiffies();
  const begin = readS64(deps, rs + o.begin);
  if (begin === 0) writeInteger(deps, rs + o.begin, now, 8);
  else if (now > begin + interval) {
    const missed = field(deps, rs, 'missed');
    const silent = readUnsigned(deps, rs + o.flags, 4) & RATELIMIT_MSG_ON_RELEASE;
    if (missed !== 0 && !silent) {
      deps.log.log(KERN_WARNING, `${func}: ${missed} callbacks suppressed`);
      writeInteger(deps, rs + o.missed, 0, 4);
    }
    writeInteger(deps, rs + o.begin, now, 8);
    writeInteger(deps, rs + o.printed, 0, 4);
  }
  const burst = field(deps, rs, 'burst');
  const printed = field(deps, rs, 'printed');
  const allowed = burst > printed;
  if (allowed) writeInteger(deps, rs + o.printed, printed + 1, 4);
  else writeInteger(deps, rs + o.missed, field(deps, rs, 'missed') + 1, 4);
  return allowed;
}

/**
 * True if `interval` ms have passed since it last said so.
 * @param last an unsigned long that the caller keeps
 * @linux kernel/printk/printk.c:printk_timed_ratelimit full
 */
export function timedRatelimit(deps: RatelimitDeps, last: Vaddr, intervalMs: number): boolean {
  const now = deps.jiffies();
  const before = readS64(deps, last);
  if (before !== 0 && now - before <= Math.ceil((intervalMs * HZ) / 1000)) return false;
  writeInteger(deps, last, now, 8);
  return true;
}

/** The state behind printk_ratelimit(), which all its callers share. */
export class PrintkRatelimit {
  readonly address: Vaddr;

  constructor(
    private readonly deps: RatelimitDeps,
    data: StaticData,
  ) {
    this.address = deps.ram.addressOf(data.declare('printk_ratelimit_state', RatelimitState.size));
  }

  boot(): void {
    const state = RatelimitState.at(this.deps.ram, this.deps.ram.handleOf(this.address));
    state.interval = DEFAULT_RATELIMIT_INTERVAL;
    state.burst = DEFAULT_RATELIMIT_BURST;
  }

  /** @linux kernel/printk/printk.c:__printk_ratelimit full */
  allows(func: string): boolean {
    return ratelimit(this.deps, this.address, func);
  }
}
