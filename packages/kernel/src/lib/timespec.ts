// SPDX-License-Identifier: MIT
/** `struct timespec64`: seconds and nanoseconds, 0 ≤ tv_nsec < 10^9. */

import { long, s64, struct, type Type } from './struct.js';

const time64: Type<number> = { ...s64, declare: (name) => `time64_t ${name}` };

export const Timespec64 = struct('timespec64', { tv_sec: time64, tv_nsec: long });
