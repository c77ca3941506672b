// SPDX-License-Identifier: MIT
/** Dates and seconds since 1970, as `linux/time.h` converts them. */

import { civilTime } from '../../lib/civil_time.js';

/** Days before each month of a year that begins in March. */
const daysBefore = (monthFromMarch: number) => Math.floor((153 * monthFromMarch + 2) / 5);

/**
 * Seconds since 1970 of a date in the Gregorian calendar, UTC.
 * @param month 1 to 12
 */
export function mktime64(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const fromMarch = (month + 9) % 12;
  const y = month < 3 ? year - 1 : year;
  const days =
    y * 365 +
    Math.floor(y / 4) -
    Math.floor(y / 100) +
    Math.floor(y / 400) +
    daysBefore(fromMarch) +
    day -
    719469;
  return ((days * 24 + hour) * 60 + minute) * 60 + second;
}

/** The members of `struct tm`. */
export interface Tm {
  readonly sec: number;
  readonly min: number;
  readonly hour: number;
  readonly mday: number;
  /** 0 to 11. */
  readonly mon: number;
  /** Years since 1900. */
  readonly year: number;
  /** 0 is Sunday. */
  readonly wday: number;
  /** 0 to 365. */
  readonly yday: number;
}

/** The date of a number of seconds since 1970, in UTC. */
export function time64ToTm(seconds: number): Tm {
  const t = civilTime(seconds);
  const newYear = mktime64(t.year, 1, 1, 0, 0, 0);
  return {
    sec: t.second,
    min: t.minute,
    hour: t.hour,
    mday: t.day,
    mon: t.month,
    year: t.year - 1900,
    wday: t.weekday,
    yday: Math.floor((seconds - newYear) / 86400),
  };
}
