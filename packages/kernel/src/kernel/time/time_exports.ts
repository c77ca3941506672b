// SPDX-License-Identifier: MIT
/** Time as C modules read it and wait it out: `linux/timekeeping.h`, `linux/delay.h`, `linux/time.h`. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EFAULT } from '../../lib/errno.js';
import { type GuestAccess, writeS64, writeU32 } from '../../lib/guest_access.js';
import { Timespec64 } from '../../lib/timespec.js';
import type { Vaddr } from '../../machine/layout.js';
import type { UserAccess } from '../uaccess.js';
import { mktime64, time64ToTm } from './calendar.js';
import { NSEC_PER_SEC, type Timekeeping } from './timekeeping.js';

export interface TimeServices {
  readonly mem: GuestAccess;
  readonly time: Timekeeping;
  readonly user: UserAccess;
  /** Passes virtual time without letting go of the CPU. */
  delay(ns: number): void;
}

/** Longest busy wait that is waited out: what is longer is a mistake, and would only count ticks. */
const DELAY_MAX_NS = 3600e9;

/** Offsets of `struct tm`: ints, and `tm_year`, a long. */
const TM_YEAR = 24;
const TM_WDAY = 32;

export function timeExports(k: TimeServices): KernelExports {
  return { ...clockExports(k), ...delayExports(k), ...calendarExports(k) };
}

function clockExports({ mem, time }: TimeServices): KernelExports {
  const store = (ts: Vaddr, seconds: number, ns: number) => {
    writeS64(mem, ts + Timespec64.o.tv_sec, seconds);
    writeS64(mem, ts + Timespec64.o.tv_nsec, ns % NSEC_PER_SEC);
  };
  const monotonic = (ns: () => number) => (ts: Vaddr) => store(ts, Math.floor(ns() / NSEC_PER_SEC), ns());
  const real = (ns: () => number) => (ts: Vaddr) =>
    store(ts, time.realBase + Math.floor(ns() / NSEC_PER_SEC), ns());
  const fine = () => time.monotonicNs;
  const coarse = () => time.coarseNs;
  const seconds = () => Math.floor(fine() / NSEC_PER_SEC);
  const realNs = () => time.realNs(fine());
  return {
    ktime_get: ['l:', fine],
    ktime_get_raw: ['l:', fine],
    ktime_get_boottime: ['l:', fine],
    ktime_get_coarse: ['l:', coarse],
    ktime_get_mono_fast_ns: ['l:', fine],
    ktime_get_raw_fast_ns: ['l:', fine],
    ktime_get_boot_fast_ns: ['l:', fine],
    ktime_get_real: ['q:', realNs],
    ktime_get_clocktai: ['q:', realNs],
    ktime_get_real_fast_ns: ['q:', realNs],
    ktime_get_coarse_real: ['q:', () => time.realNs(coarse())],
    ktime_get_seconds: ['l:', seconds],
    ktime_get_boottime_seconds: ['l:', seconds],
    ktime_get_real_seconds: ['l:', () => time.realSeconds],
    ktime_get_ts64: ['v:p', monotonic(fine)],
    ktime_get_raw_ts64: ['v:p', monotonic(fine)],
    ktime_get_boottime_ts64: ['v:p', monotonic(fine)],
    ktime_get_coarse_ts64: ['v:p', monotonic(coarse)],
    ktime_get_real_ts64: ['v:p', real(fine)],
    ktime_get_coarse_real_ts64: ['v:p', real(coarse)],
    // Sums that would overflow stay at the largest time there is.
    ktime_add_safe: [
      'q:qq',
      (a: bigint, b: bigint) => {
        const max = (1n << 63n) - 1n;
        const sum = BigInt.asIntN(64, a + b);
        return sum < 0n || sum < BigInt.asIntN(64, a) || sum < BigInt.asIntN(64, b) ? max : sum;
      },
    ],
    sched_clock: ['l:', fine],
    local_clock: ['l:', fine],
    cpu_clock: ['l:i', fine],
    get_cycles: ['l:', fine],
  };
}

function delayExports({ delay }: TimeServices): KernelExports {
  return {
    __udelay: ['v:z', (us: number) => delay(Math.min(us * 1000, DELAY_MAX_NS))],
    __ndelay: ['v:z', (ns: number) => delay(Math.min(ns, DELAY_MAX_NS))],
  };
}

function calendarExports({ mem, user }: TimeServices): KernelExports {
  return {
    mktime64: ['l:uuuuuu', mktime64],
    time64_to_tm: [
      'v:lip',
      (seconds: number, offset: number, result: Vaddr) => {
        const tm = time64ToTm(seconds + offset);
        [tm.sec, tm.min, tm.hour, tm.mday, tm.mon].forEach((value, i) => {
          writeU32(mem, result + 4 * i, value);
        });
        writeS64(mem, result + TM_YEAR, tm.year);
        writeU32(mem, result + TM_WDAY, tm.wday);
        writeU32(mem, result + TM_WDAY + 4, tm.yday);
      },
    ],
    get_timespec64: [
      'i:pp',
      (ts: Vaddr, from: Vaddr) => (user.copyFrom(ts, from, Timespec64.size) === 0 ? 0 : -EFAULT),
    ],
    put_timespec64: [
      'i:pp',
      (ts: Vaddr, to: Vaddr) => (user.copyTo(to, ts, Timespec64.size) === 0 ? 0 : -EFAULT),
    ],
  };
}
