// SPDX-License-Identifier: MIT
/** timer:* and timer:hrtimer_*, with Linux's fields and text. */

import type { Env } from '../../lib/env.js';
import type { PointerText, Tracepoint } from '../tracepoint.js';
import { eventTools } from './support.js';

type TimerEvent = { timer: number };
type HrtimerEvent = { hrtimer: number };

const TIMER_FLAGS: readonly (readonly [number, string])[] = [
  [0x40000, 'M'],
  [0x80000, 'D'],
  [0x100000, 'P'],
  [0x200000, 'I'],
];
const CLOCKS: { readonly [id: number]: string } = {
  0: 'CLOCK_REALTIME',
  1: 'CLOCK_MONOTONIC',
  7: 'CLOCK_BOOTTIME',
  11: 'CLOCK_TAI',
};
const MODES: readonly (readonly [number, string])[] = [
  [2, 'PINNED'],
  [4, 'SOFT'],
  [8, 'HARD'],
];

const timerFlags = (flags: number): string =>
  TIMER_FLAGS.filter(([bit]) => flags & bit)
    .map(([, letter]) => letter)
    .join('|');
const modeText = (mode: number): string =>
  [mode & 1 ? 'REL' : 'ABS', ...MODES.filter(([bit]) => mode & bit).map(([, name]) => name)].join('|');

/** Every mode with its name, as __print_symbolic() lists them. */
const MODE_PRINT = Array.from({ length: 12 }, (_, mode) => `{ ${mode}, "${modeText(mode)}" }`).join(', ');
const CLOCK_PRINT = Object.entries(CLOCKS)
  .map(([id, name]) => `{ ${id}, "${name}" }`)
  .join(', ');

export class TimerTrace {
  readonly timerInit: Tracepoint<TimerEvent>;
  readonly timerStart: Tracepoint<
    TimerEvent & { function: number; expires: number; now: number; flags: number }
  >;
  readonly timerExpireEntry: Tracepoint<TimerEvent & { now: number; function: number; baseclk: number }>;
  readonly timerExpireExit: Tracepoint<TimerEvent>;
  readonly timerCancel: Tracepoint<TimerEvent>;
  readonly hrtimerInit: Tracepoint<HrtimerEvent & { clockid: number; mode: number }>;
  readonly hrtimerStart: Tracepoint<
    HrtimerEvent & { function: number; expires: number; softexpires: number; mode: number }
  >;
  readonly hrtimerExpireEntry: Tracepoint<HrtimerEvent & { now: number; function: number }>;
  readonly hrtimerExpireExit: Tracepoint<HrtimerEvent>;
  readonly hrtimerCancel: Tracepoint<HrtimerEvent>;

  constructor(env: Env) {
    const { event, fn } = eventTools(env);
    const timer = (name: string) =>
      event<TimerEvent>(
        `timer:${name}`,
        ['void * timer'],
        '"timer=%p", REC->timer',
        (f, p) => `timer=${p(f.timer)}`,
      );
    const hrtimer = (name: string) =>
      event<HrtimerEvent>(
        `timer:${name}`,
        ['void * hrtimer'],
        '"hrtimer=%p", REC->hrtimer',
        (f, p) => `hrtimer=${p(f.hrtimer)}`,
      );
    this.timerInit = timer('timer_init');
    this.timerStart = event(
      'timer:timer_start',
      ['void * timer', 'void * function', 'unsigned long expires', 'unsigned long now', 'unsigned int flags'],
      '"timer=%p function=%ps expires=%lu [timeout=%ld] cpu=%u idx=%u flags=%s", REC->timer, REC->function, ' +
        'REC->expires, (long)REC->expires - REC->now, REC->flags & 0x0003FFFF, REC->flags >> 22, ' +
        '__print_flags(REC->flags & (0x00040000 | 0x00080000 | 0x00100000 | 0x00200000), "|", ' +
        '{ 0x00040000, "M" }, { 0x00080000, "D" }, { 0x00100000, "P" }, { 0x00200000, "I" })',
      (f, p) =>
        `timer=${p(f.timer)} function=${fn(f.function)} expires=${f.expires} [timeout=${f.expires - f.now}] ` +
        `cpu=${f.flags & 0x3ffff} idx=${f.flags >>> 22} flags=${timerFlags(f.flags)}`,
    );
    this.timerExpireEntry = event(
      'timer:timer_expire_entry',
      ['void * timer', 'unsigned long now', 'void * function', 'unsigned long baseclk'],
      '"timer=%p function=%ps now=%lu baseclk=%lu", REC->timer, REC->function, REC->now, REC->baseclk',
      (f, p) => `timer=${p(f.timer)} function=${fn(f.function)} now=${f.now} baseclk=${f.baseclk}`,
    );
    this.timerExpireExit = timer('timer_expire_exit');
    this.timerCancel = timer('timer_cancel');
    this.hrtimerInit = event(
      'timer:hrtimer_init',
      ['void * hrtimer', 'clockid_t clockid', 'enum hrtimer_mode mode'],
      `"hrtimer=%p clockid=%s mode=%s", REC->hrtimer, __print_symbolic(REC->clockid, ${CLOCK_PRINT}), ` +
        `__print_symbolic(REC->mode, ${MODE_PRINT})`,
      (f, p) =>
        `hrtimer=${p(f.hrtimer)} clockid=${CLOCKS[f.clockid] ?? `0x${(f.clockid >>> 0).toString(16)}`} mode=${modeText(f.mode)}`,
    );
    this.hrtimerStart = event(
      'timer:hrtimer_start',
      ['void * hrtimer', 'void * function', 's64 expires', 's64 softexpires', 'enum hrtimer_mode mode'],
      '"hrtimer=%p function=%ps expires=%llu softexpires=%llu mode=%s", REC->hrtimer, REC->function, ' +
        '(unsigned long long) REC->expires, (unsigned long long) REC->softexpires, ' +
        `__print_symbolic(REC->mode, ${MODE_PRINT})`,
      (f, p) =>
        `hrtimer=${p(f.hrtimer)} function=${fn(f.function)} expires=${f.expires} ` +
        `softexpires=${f.softexpires} mode=${modeText(f.mode)}`,
    );
    this.hrtimerExpireEntry = event(
      'timer:hrtimer_expire_entry',
      ['void * hrtimer', 's64 now', 'void * function'],
      '"hrtimer=%p function=%ps now=%llu", REC->hrtimer, REC->function, (unsigned long long) REC->now',
      (f, p: PointerText) => `hrtimer=${p(f.hrtimer)} function=${fn(f.function)} now=${f.now}`,
    );
    this.hrtimerExpireExit = hrtimer('hrtimer_expire_exit');
    this.hrtimerCancel = hrtimer('hrtimer_cancel');
  }
}
