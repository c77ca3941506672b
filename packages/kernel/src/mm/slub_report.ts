// SPDX-License-Identifier: MIT
/** What SLUB prints when it finds an object or a slab damaged: the reports of Linux 6.1, line for line. */

import { KERN_ERR, KERN_WARNING } from '../lib/env.js';
import { StackDepot } from '../lib/stackdepot.js';
import { NSEC_PER_TICK } from '../machine/clock.js';
import { type Handle, PAGE_OFFSET, PAGE_SIZE, type Paddr, type Vaddr } from '../machine/layout.js';
import { __GFP_NOWARN, formatFlags, GFP_NOWAIT } from './gfp.js';
import { NR_PAGEFLAGS, PAGE_FLAG_NAMES } from './page.js';
import {
  C_FLAGS_W,
  C_INUSE_W,
  C_OBJECT_SIZE_W,
  C_OFFSET_W,
  C_RED_LEFT_PAD_W,
  C_SIZE_W,
  SLAB_FREELIST_W,
  SLAB_KMALLOC,
  SLAB_RED_ZONE,
  SLAB_STORE_USER,
  TRACK_ALLOC,
  TRACK_FREE,
  Track,
} from './slab.js';
import { ONCE_LOCKDEP, type SlabCore } from './slab_core.js';

const LINE = 16;

/** 64 bits of two words as 16 hexadecimal digits. */
const hexWords = (hi: number, lo: number): string =>
  (hi >>> 0).toString(16).padStart(8, '0') + (lo >>> 0).toString(16).padStart(8, '0');

/** An address as 16 hexadecimal digits. */
export const hexAddress = (address: Vaddr): string =>
  hexWords(Math.floor(address / 4294967296) | 0, address | 0);

export const hexObject = (p: Paddr): string => hexAddress(PAGE_OFFSET + p);

// ----------------------------------------------------------------------------------- where things are

/** Where metadata begins behind an object. @linux mm/slub.c:get_info_end full */
export function infoEnd(core: SlabCore, cache: Handle): number {
  const offset = core.i32[cache + C_OFFSET_W];
  const inuse = core.i32[cache + C_INUSE_W];
  return offset >= inuse ? inuse + 8 : inuse;
}

/** First byte of one of an object's two tracks. @linux mm/slub.c:get_track full */
export const trackOf = (core: SlabCore, cache: Handle, p: Paddr, which: number): Paddr =>
  p + infoEnd(core, cache) + which * Track.size;

/** True if the size that kmalloc was asked for is kept. @linux mm/slub.c:slub_debug_orig_size full */
export const keepsOrigSize = (core: SlabCore, cache: Handle): boolean =>
  (core.i32[cache + C_FLAGS_W] & (SLAB_STORE_USER | SLAB_KMALLOC)) === (SLAB_STORE_USER | SLAB_KMALLOC);

/** Offset of what is only padding. */
export function paddingStart(core: SlabCore, cache: Handle): number {
  let offset = infoEnd(core, cache);
  if (core.i32[cache + C_FLAGS_W] & SLAB_STORE_USER) offset += 2 * Track.size;
  if (keepsOrigSize(core, cache)) offset += 4;
  return offset;
}

/** Bytes from an object's start to the next one's left red zone. @linux mm/slub.c:size_from_object full */
export const sizeFromObject = (core: SlabCore, cache: Handle): number =>
  core.i32[cache + C_SIZE_W] -
  (core.i32[cache + C_FLAGS_W] & SLAB_RED_ZONE ? core.i32[cache + C_RED_LEFT_PAD_W] : 0);

export const stackDepot = (core: SlabCore): StackDepot =>
  new StackDepot(core.ram, core.roots.stack_depot, () => {
    const page = core.pages.allocPages(GFP_NOWAIT | __GFP_NOWARN, 0);
    return page === 0 ? 0 : core.ram.handleOf(core.pages.pageAddress(page));
  });

// ---------------------------------------------------------------------------------------- the reports

/** @linux mm/slub.c:slab_bug full */
export function slabBug(core: SlabCore, cache: Handle, text: string): void {
  const { log, reports } = core.env;
  log.log(KERN_ERR, '='.repeat(77));
  log.log(KERN_ERR, `BUG ${core.cacheName(cache)} (${reports.tainted?.() ?? 'Not tainted'}): ${text}`);
  log.log(KERN_ERR, '-'.repeat(77));
  log.log(KERN_ERR, '');
}

/** @linux mm/slub.c:slab_fix full */
export function slabFix(core: SlabCore, cache: Handle, text: string): void {
  core.env.log.log(KERN_ERR, `FIX ${core.cacheName(cache)}: ${text}`);
}

function taintBadPage(core: SlabCore): void {
  core.env.reports.taint('B');
  if (core.once(ONCE_LOCKDEP)) core.env.log.log(KERN_WARNING, 'Disabling lock debugging due to kernel taint');
}

/**
 * Reports an object.
 * @param frames kernel functions to name in the trace, innermost first
 * @linux mm/slub.c:object_err full
 */
export function objectErr(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  reason: string,
  frames: readonly string[],
): void {
  slabBug(core, cache, reason);
  printTrailer(core, cache, slab, p, ['object_err', ...frames]);
  taintBadPage(core);
}

/** Reports a slab. @linux mm/slub.c:slab_err full */
export function slabErr(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  message: string,
  frames: readonly string[],
): void {
  slabBug(core, cache, message);
  printSlabInfo(core, slab);
  core.env.reports.dumpStack(['slab_err', ...frames]);
  taintBadPage(core);
}

/** Reports bytes that are not what they were filled with. Offsets in RAM, `last` included. */
export function bytesErr(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  what: string,
  fault: Paddr,
  last: Paddr,
  expected: number,
  frames: readonly string[],
): void {
  slabBug(core, cache, `${what} overwritten`);
  core.env.log.log(
    KERN_ERR,
    `0x${hexObject(fault)}-0x${hexObject(last)} @offset=${fault - core.slabStart(slab)}. ` +
      `First byte 0x${core.u8[fault].toString(16)} instead of 0x${expected.toString(16)}`,
  );
  printTrailer(core, cache, slab, p, ['check_bytes_and_report', ...frames]);
  taintBadPage(core);
}

/**
 * The slab of an object, the object and everything around it, and the stack.
 * @linux mm/slub.c:print_trailer full
 */
function printTrailer(
  core: SlabCore,
  cache: Handle,
  slab: Handle,
  p: Paddr,
  frames: readonly string[],
): void {
  const { i32 } = core;
  const start = core.slabStart(slab);
  const flags = i32[cache + C_FLAGS_W];
  const objectSize = i32[cache + C_OBJECT_SIZE_W];
  printTracking(core, cache, p);
  printSlabInfo(core, slab);
  const at = p + i32[cache + C_OFFSET_W];
  const fp = hexWords(core.freepointerHi(cache, at), core.freepointerLo(cache, at));
  core.env.log.log(KERN_ERR, `Object 0x${hexObject(p)} @offset=${p - start} fp=0x${fp}`);
  core.env.log.log(KERN_ERR, '');
  if (flags & SLAB_RED_ZONE) {
    const pad = i32[cache + C_RED_LEFT_PAD_W];
    printSection(core, 'Redzone  ', p - pad, pad);
  } else if (p > start + 16) printSection(core, 'Bytes b4 ', p - 16, 16);
  printSection(core, 'Object   ', p, Math.min(objectSize, PAGE_SIZE));
  if (flags & SLAB_RED_ZONE)
    printSection(core, 'Redzone  ', p + objectSize, i32[cache + C_INUSE_W] - objectSize);
  const padding = paddingStart(core, cache);
  if (padding !== sizeFromObject(core, cache))
    printSection(core, 'Padding  ', p + padding, sizeFromObject(core, cache) - padding);
  core.env.reports.dumpStack(frames);
}

/** @linux mm/slub.c:print_slab_info full */
export function printSlabInfo(core: SlabCore, slab: Handle): void {
  const { i32 } = core;
  const fp = hexWords(i32[slab + SLAB_FREELIST_W + 1], i32[slab + SLAB_FREELIST_W]);
  core.env.log.log(
    KERN_ERR,
    `Slab 0x${hexAddress(core.slabVmemmap(slab))} objects=${core.objects(slab)} used=${core.inuse(slab)} ` +
      `fp=0x${fp} flags=${formatPageFlags(i32[slab], i32[slab + 1])}`,
  );
}

/** `0xfffffc0000200(slab|node=0|zone=1|lastcpupid=0x1fffff)`: the %pGp conversion. */
export function formatPageFlags(lo: number, hi: number): string {
  const value = hexWords(hi, lo).replace(/^0+(?=.)/, '');
  const names = formatFlags(lo & ((1 << NR_PAGEFLAGS) - 1), PAGE_FLAG_NAMES);
  const lastCpuPid = ((lo >>> 30) | ((hi & 0x7ffff) << 2)).toString(16);
  const place = `node=${hi >>> 22}|zone=${(hi >>> 19) & 7}|lastcpupid=0x${lastCpuPid}`;
  return `0x${value}(${names === '' ? '' : `${names}|`}${place})`;
}

/** A hex dump, sixteen bytes a line, with addresses. @linux mm/slub.c:print_section full */
export function printSection(core: SlabCore, title: string, start: Paddr, length: number): void {
  for (let at = start; at < start + length; at += LINE) {
    const bytes = [...core.u8.subarray(at, Math.min(at + LINE, start + length))];
    const hex = bytes.map((b) => b.toString(16).padStart(2, '0')).join(' ');
    const text = bytes.map((b) => (b >= 0x20 && b < 0x7f ? String.fromCharCode(b) : '.')).join('');
    core.env.log.log(KERN_ERR, `${title}${hexObject(at)}: ${hex.padEnd(3 * LINE - 1)}  ${text}`);
  }
}

/** Who allocated an object and who freed it. @linux mm/slub.c:print_tracking full */
export function printTracking(core: SlabCore, cache: Handle, p: Paddr): void {
  if ((core.i32[cache + C_FLAGS_W] & SLAB_STORE_USER) === 0) return;
  printTrack(core, 'Allocated', trackOf(core, cache, p, TRACK_ALLOC));
  printTrack(core, 'Freed', trackOf(core, cache, p, TRACK_FREE));
}

/** @linux mm/slub.c:print_track full */
function printTrack(core: SlabCore, what: string, at: Paddr): void {
  const { addr, handle, cpu, pid, when } = Track.at(core.ram, at / 4);
  if (addr === 0) return;
  const { reports, log, clock } = core.env;
  const age = Math.floor(clock.ns / NSEC_PER_TICK) - when;
  log.log(KERN_ERR, `${what} in ${reports.symbolize(addr)} age=${age} cpu=${cpu} pid=${pid}`);
  for (const entry of stackDepot(core).fetch(handle)) log.log(KERN_ERR, ` ${reports.symbolize(entry)}`);
}
