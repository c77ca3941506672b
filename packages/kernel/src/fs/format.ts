// SPDX-License-Identifier: MIT
/** Pointers in messages, as %p prints them. */

import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import type { FsDeps } from './fs_context.js';

const FORMAT_BYTES = 8;

/** A pointer without what it tells of the kernel's memory: its hash. */
export function formatPointer(deps: FsDeps, address: Vaddr): string {
  const at = deps.kmalloc(2 * FORMAT_BYTES);
  if (at === 0) return '(____ptrval____)';
  const h = deps.ram.handleOf(at);
  deps.guest.write(at, encodeUtf8('%p\0'));
  deps.ram.set64(h + FORMAT_BYTES / 4, address);
  const text = decodeUtf8(deps.format(at, at + FORMAT_BYTES));
  deps.kfree(at);
  return text;
}
