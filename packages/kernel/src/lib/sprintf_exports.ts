// SPDX-License-Identifier: MIT
/** sprintf and its kin, as C calls them. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { ByteOutput } from './byte_output.js';
import { bytesToPageEnd, physical, readCString, writeBytes } from './guest_access.js';
import { VaList } from './valist.js';
import { type FormatContext, formatInto } from './vsprintf.js';

const INT_MAX = 2 ** 31 - 1;
const NUL = Uint8Array.of(0);

/** Allocates memory for a string: its address, or 0. */
export type StringAllocator = (bytes: number, gfp: number) => Vaddr;

/** Output of more bytes than this is measured before it is made. */
const LARGE = 1 << 16;

/** How long the formatted text will be. */
function length(context: FormatContext, format: Uint8Array, area: Vaddr): number {
  const out = new ByteOutput(0);
  formatInto(context, out, format, new VaList(context, area));
  return out.length;
}

/** Faults now where a long write would fault, before anything is made to be written. */
function probe(context: FormatContext, buffer: Vaddr, bytes: number): void {
  if (bytes > LARGE)
    for (let at = buffer; at < buffer + bytes; at += bytesToPageEnd(at)) physical(context, at, true);
}

/**
 * Formats into a buffer of `size` bytes; the text is cut to fit and always ends with a NUL.
 * @returns the length that the whole text has
 * @linux lib/vsprintf.c:snprintf full
 */
export function snprintf(
  context: FormatContext,
  buffer: Vaddr,
  size: number,
  fmt: Vaddr,
  area: Vaddr,
): number {
  if (size > INT_MAX) {
    context.services.warnOnce?.('size', `vsnprintf: size ${size} is more than INT_MAX`);
    return 0;
  }
  const format = readCString(context, fmt);
  if (size > LARGE) probe(context, buffer, Math.min(size - 1, length(context, format, area)));
  const out = new ByteOutput(Math.max(0, size - 1));
  formatInto(context, out, format, new VaList(context, area));
  if (size > 0) {
    const kept = out.kept();
    writeBytes(context, buffer, kept);
    writeBytes(context, buffer + kept.length, NUL);
  }
  return out.length;
}

/** As snprintf, but returns what was written. @linux lib/vsprintf.c:scnprintf full */
export function scnprintf(
  context: FormatContext,
  buffer: Vaddr,
  size: number,
  fmt: Vaddr,
  area: Vaddr,
): number {
  return size === 0 ? 0 : Math.min(snprintf(context, buffer, size, fmt, area), size - 1);
}

/** Formats into memory that it allocates: the address, or 0. */
export function kvasprintf(
  context: FormatContext,
  allocate: StringAllocator,
  gfp: number,
  fmt: Vaddr,
  area: Vaddr,
): Vaddr {
  const size = length(context, readCString(context, fmt), area) + 1;
  const address = allocate(size, gfp);
  if (address !== 0) snprintf(context, address, size, fmt, area);
  return address;
}

export function sprintfExports(context: FormatContext, allocate: StringAllocator): KernelExports {
  const print = (buffer: Vaddr, fmt: Vaddr, area: Vaddr) => snprintf(context, buffer, INT_MAX, fmt, area);
  const printSize = (buffer: Vaddr, size: number, fmt: Vaddr, area: Vaddr) =>
    snprintf(context, buffer, size, fmt, area);
  const printCut = (buffer: Vaddr, size: number, fmt: Vaddr, area: Vaddr) =>
    scnprintf(context, buffer, size, fmt, area);
  const printNew = (gfp: number, fmt: Vaddr, area: Vaddr) => kvasprintf(context, allocate, gfp, fmt, area);
  return {
    sprintf: ['i:pp…', print],
    vsprintf: ['i:ppp', print],
    snprintf: ['i:pzp…', printSize],
    vsnprintf: ['i:pzpp', printSize],
    scnprintf: ['i:pzp…', printCut],
    vscnprintf: ['i:pzpp', printCut],
    kasprintf: ['p:up…', printNew],
    kvasprintf: ['p:upp', printNew],
    kvasprintf_const: ['p:upp', printNew],
  };
}
