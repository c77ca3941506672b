// SPDX-License-Identifier: MIT
/** Names that C has for numbers of a certain meaning: `loff_t`, `atomic_t` and their kin. */

import { int, long, s64, type Type, u16, u32, uint } from './struct.js';

/** A type of the same values, under the name that C knows it by. */
export const named = <V>(type: Type<V>, c: string): Type<V> => ({
  ...type,
  declare: (name) => `${c} ${name}`,
});

export const atomic = named(int, 'atomic_t');
export const atomicLong = named(long, 'atomic_long_t');
export const dev = named(u32, 'dev_t');
export const kgid = named(uint, 'kgid_t');
export const kuid = named(uint, 'kuid_t');
export const loff = named(s64, 'loff_t');
export const umode = named(u16, 'umode_t');
