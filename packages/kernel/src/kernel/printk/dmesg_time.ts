// SPDX-License-Identifier: MIT
/** Times as `dmesg --since` and `--until` take them. */

import { civilTime } from '../../lib/civil_time.js';

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };
const DAY = 86400;

/** Days from 1970 to a date (proleptic Gregorian). */
function daysTo(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/** `5min`, `2 hours`, `90`: seconds. */
function span(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/.exec(text.trim());
  if (!match) return undefined;
  const [, count, unit] = match;
  const known =
    /^(s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hr|hour|hours|d|day|days|w|week|weeks|)$/;
  return known.test(unit) ? Number(count) * UNITS[unit[0] ?? 's'] : undefined;
}

/** The day that a time of day belongs to, and its seconds; undefined if it is none. */
function timeOfDay(text: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const [hour, minute, second] = match.slice(1).map((part) => Number(part ?? 0));
  return hour < 24 && minute < 60 && second < 60 ? hour * 3600 + minute * 60 + second : undefined;
}

/**
 * A moment in words: `2026-01-01 10:00`, `10:00:30`, `now`, `today`, `yesterday`, `-5min`, `+1h`, `2 hours ago`, `@N`.
 * @param now seconds since 1970
 * @returns seconds since 1970, or undefined if the words are no time
 */
export function parseMoment(text: string, now: number): number | undefined {
  const midnight = Math.floor(now / DAY) * DAY;
  const words: Readonly<Record<string, number>> = {
    now,
    today: midnight,
    yesterday: midnight - DAY,
    tomorrow: midnight + DAY,
  };
  if (text in words) return words[text];
  if (/^@\d+(\.\d+)?$/.test(text)) return Number(text.slice(1));
  const relative = /^([+-])(.*)$/.exec(text) ?? /^()(.*) ago$/.exec(text);
  if (relative) {
    const seconds = span(relative[2]);
    return seconds === undefined ? undefined : now + (relative[1] === '+' ? seconds : -seconds);
  }
  const date = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](.*))?$/.exec(text);
  if (!date) {
    const seconds = timeOfDay(text);
    return seconds === undefined ? undefined : midnight + seconds;
  }
  const [year, month, day] = date.slice(1, 4).map(Number);
  const start = daysTo(year, month, day) * DAY;
  const real = civilTime(start);
  if (real.month !== month - 1 || real.day !== day) return undefined;
  const seconds = date[4] === undefined ? 0 : timeOfDay(date[4]);
  return seconds === undefined ? undefined : start + seconds;
}
