// SPDX-License-Identifier: MIT
/** Settings of the kernel's own below /proc/sys: words in RAM, or texts made when they are read. */

import { EINVAL } from '../lib/errno.js';
import { decodeLatin1 } from '../lib/utf8.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { type Codec, INT_CODEC, printVector, storeVector, stringValue, type Vector } from './sysctl_text.js';

/** One file. */
export interface SysctlEntry {
  /** Below /proc/sys: `kernel/panic`. */
  readonly path: string;
  readonly mode: number;
  read(): string;
  /** @returns 0 or a negative errno */
  write?(text: Uint8Array): number;
}

export interface WordOptions {
  /** Default: an int. */
  readonly codec?: Codec;
  /** Numbers one after the other; default 1. */
  readonly length?: number;
  readonly min?: number;
  readonly max?: number;
  /** Default 0644. */
  readonly mode?: number;
  /** Called after a write that was stored. */
  changed?(): void;
  /** Judges what was stored: 0, or a negative errno that the writer gets. */
  judge?(): number;
}

/** Numbers that lie in RAM from a handle on. */
export function wordEntry(path: string, ram: Ram, at: Handle, options: WordOptions = {}): SysctlEntry {
  const { codec = INT_CODEC, length = 1, min, max, mode = 0o644 } = options;
  const words = codec.stride / 4;
  const vector: Vector = {
    codec,
    length,
    get: (i) => {
      const low = BigInt(ram.u32[at + i * words]);
      const value = words === 2 ? (BigInt(ram.u32[at + i * words + 1]) << 32n) | low : low;
      return codec.signed ? BigInt.asIntN(8 * codec.bytes, value) : value;
    },
    set: (i, value) => {
      ram.u32[at + i * words] = Number(value & 0xffffffffn);
      if (words === 2) ram.u32[at + i * words + 1] = Number((value >> 32n) & 0xffffffffn);
    },
    ...(min !== undefined && { min: () => BigInt(min) }),
    ...(max !== undefined && { max: () => BigInt(max) }),
  };
  return {
    path,
    mode,
    read: () => printVector(vector, Number.POSITIVE_INFINITY),
    ...(mode & 0o200 && {
      write: (text: Uint8Array) => {
        const { error, used } = storeVector(vector, text);
        if (error !== 0 || used === 0) return error;
        options.changed?.();
        return options.judge?.() ?? 0;
      },
    }),
  };
}

/** A text with a newline behind it. */
export const textEntry = (path: string, text: () => string): SysctlEntry => ({
  path,
  mode: 0o444,
  read: () => `${text()}\n`,
});

/** A C string of at most `bytes` with its NUL, at a byte address of RAM. */
export function stringEntry(path: string, ram: Ram, at: number, bytes: number, mode = 0o644): SysctlEntry {
  const field = () => ram.u8.subarray(at, at + bytes);
  return {
    path,
    mode,
    read: () => {
      const end = field().indexOf(0);
      return `${decodeLatin1(field().subarray(0, end < 0 ? bytes : end))}\n`;
    },
    ...(mode & 0o200 && {
      write: (text: Uint8Array) => {
        const value = stringValue(text, bytes - 1);
        ram.u8.set([...value, 0], at);
        return 0;
      },
    }),
  };
}

/** A setting that is one of some words. */
export function choiceEntry(
  path: string,
  choices: readonly string[],
  chosen: () => number,
  choose: (choice: number) => number,
): SysctlEntry {
  return {
    path,
    mode: 0o644,
    read: () => `${choices[chosen()]}\n`,
    write: (text) => {
      const choice = choices.indexOf(decodeLatin1(stringValue(text, 64)));
      return choice < 0 ? -EINVAL : choose(choice);
    },
  };
}
