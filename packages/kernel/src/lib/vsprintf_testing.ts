// SPDX-License-Identifier: MIT
/** For tests of what formats: calls printf as C would, arguments laid out in guest memory. */

import { PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { writeBytes } from './guest_access.js';
import { PointerHash } from './pointer_hash.js';
import { makeTestEnv } from './testing.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';
import { VaList } from './valist.js';
import { type FormatContext, vsprintf } from './vsprintf.js';

export type CArgument = { int: number } | { long: bigint } | { p: Vaddr } | { s: string };

/** Where the arguments lie. */
export const AREA: Vaddr = PAGE_OFFSET + 0x400000;

/** Lays arguments out at `area`; `place` puts the strings. */
export function layOut(
  env: ReturnType<typeof makeTestEnv>,
  area: Vaddr,
  args: readonly CArgument[],
  place: (bytes: Uint8Array) => Vaddr,
): void {
  let at = area;
  for (const arg of args) {
    const bytes = 'int' in arg ? 4 : 8;
    at = Math.ceil(at / bytes) * bytes;
    const value =
      'int' in arg
        ? BigInt(arg.int)
        : 'long' in arg
          ? arg.long
          : BigInt('p' in arg ? arg.p : place(encodeUtf8(`${arg.s}\0`)));
    writeBytes(
      env,
      at,
      Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
    );
    at += bytes;
  }
}

export function makeFormatter({ seeded = true } = {}) {
  const env = makeTestEnv();
  const hash = new PointerHash(env.ram, env.data, env.parameters);
  if (seeded) hash.boot(env.random);
  const warnings: string[] = [];
  const context: FormatContext = {
    ram: env.ram,
    guest: env.guest,
    hash,
    services: {
      symbolize: (address, form) => `${form}<0x${address.toString(16)}>`,
      warnOnce: (_, message) => warnings.push(message),
    },
  };
  let next = env.ram.addressOf(0x500000 / 4);
  /** Puts bytes into guest memory. */
  const place = (bytes: Uint8Array): Vaddr => {
    const address = next;
    writeBytes(env, address, bytes);
    next += Math.ceil(bytes.length / 16) * 16;
    return address;
  };
  const print = (format: string | Uint8Array, ...args: CArgument[]): string => {
    const kept = next;
    layOut(env, AREA, args, place);
    const bytes = typeof format === 'string' ? encodeUtf8(format) : format;
    const text = decodeUtf8(vsprintf(context, bytes, new VaList(env, AREA)));
    next = kept;
    return text;
  };
  return { env, hash, context, place, print, warnings };
}
