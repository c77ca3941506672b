// SPDX-License-Identifier: MIT
/**
 * The clocks that C reads, all of them the virtual clock: CLOCK_MONOTONIC counts from power-on, CLOCK_REALTIME from
 * the date that the machine's real-time clock showed then (boot parameter `rtc=`, seconds or `2026-01-01T00:00:00`).
 */

import type { BootParameters } from '../../lib/env.js';
import type { StaticData } from '../../lib/static_data.js';
import type { Clock } from '../../machine/clock.js';
import type { Handle } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';
import { mktime64 } from './calendar.js';

/** 2026-01-01 00:00:00 UTC. */
export const RTC_DEFAULT = 1767225600;
export const NSEC_PER_SEC = 1e9;

/** The seconds that `rtc=` names, or the default if it names none. */
export function parseRtc(text: string | undefined): number {
  if (text !== undefined && /^\d{1,11}$/.test(text)) return Number(text);
  const date = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d))?$/.exec(text ?? '');
  if (!date) return RTC_DEFAULT;
  const [year, month, day, hour, minute, second] = date.slice(1).map((digits) => Number(digits ?? 0));
  return mktime64(year, month, day, hour, minute, second);
}

export class Timekeeping {
  private readonly bootSeconds: Handle;

  /** @param nsSinceTick what has passed since the clock was last moved */
  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly clock: Clock,
    private readonly nsSinceTick: () => number,
  ) {
    this.bootSeconds = data.declare('tk_boot_seconds', 8);
  }

  boot(parameters: BootParameters): void {
    this.ram.set64(this.bootSeconds, parseRtc(parameters.get('rtc')));
  }

  /** Nanoseconds since power-on. */
  get monotonicNs(): number {
    return this.clock.ns + this.nsSinceTick();
  }

  /** Nanoseconds since power-on, as of the last tick. */
  get coarseNs(): number {
    return this.clock.ns;
  }

  /** Seconds since 1970 when the machine was powered on. */
  get realBase(): number {
    return this.ram.s64(this.bootSeconds);
  }

  /** Seconds since 1970. */
  get realSeconds(): number {
    return this.realBase + Math.floor(this.monotonicNs / NSEC_PER_SEC);
  }

  /** Nanoseconds since 1970: more than a number holds. */
  realNs(monotonicNs: number): bigint {
    return BigInt(this.realBase) * 1000000000n + BigInt(monotonicNs);
  }
}
