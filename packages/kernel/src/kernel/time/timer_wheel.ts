// SPDX-License-Identifier: MIT
/**
 * When a timer goes off. Linux keeps timers in a wheel of nine levels, each eight times as coarse as the one before;
 * a timer goes off at the next boundary of its level after it expires, so never early, and late by an eighth at most.
 * The wheel itself is not needed for so few timers, but its times are kept.
 *
 *     ticks to go    0…62   63…503   504…4031   …
 *     level            0       1         2      …
 *     goes off at a    1       8        64      …    ticks' boundary
 */

const LVL_CLK_SHIFT = 3;
const LVL_DEPTH = 9;
/** Level of a timer that has expired before it was added: it goes off at the next tick. */
export const LEVEL_LATE = 15;
/** The first distance that belongs to a level. */
const levelStart = (level: number) => 63 * 2 ** ((level - 1) * LVL_CLK_SHIFT);
/** A difference of unsigned longs that is negative as a long. */
const NEGATIVE = 2 ** 63;

/**
 * The level on which a timer is kept.
 * @param expires in jiffies
 * @param jiffies the tick that has been taken last
 * @linux kernel/time/timer.c:calc_wheel_index partial: no cut of waits over 49 days
 */
export function wheelLevel(expires: number, jiffies: number): number {
  const delta = expires - (jiffies + 1);
  if (delta < 0 || delta >= NEGATIVE) return LEVEL_LATE;
  let level = 0;
  while (level < LVL_DEPTH - 1 && delta >= levelStart(level + 1)) level++;
  return level;
}

/** jiffies at which a timer of a level goes off; 0: at the next tick. @linux kernel/time/timer.c:calc_index full */
export function goesOffAt(expires: number, level: number): number {
  if (level === LEVEL_LATE) return 0;
  const granularity = 2 ** (level * LVL_CLK_SHIFT);
  return (Math.floor(expires / granularity) + 1) * granularity;
}
