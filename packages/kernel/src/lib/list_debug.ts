// SPDX-License-Identifier: MIT
/** Checks of list pointers before they are changed: what headers call when CONFIG_DEBUG_LIST is set. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import { KERN_ERR, type Log, type Reports } from './env.js';
import { type GuestAccess, readS64, readUnsigned } from './guest_access.js';

/** LIST_POISON1 and LIST_POISON2: no canonical addresses, so no number holds them exactly. */
const POISON_HIGH = 0xdead0000;
const POISON_NEXT = 0x100;
const POISON_PREV = 0x122;
const PREV = 8;

const hex = (hi: number, lo: number) => hi.toString(16).padStart(8, '0') + lo.toString(16).padStart(8, '0');
/** An address as %px prints it. */
const px = (address: Vaddr) => hex(Math.floor(address / 4294967296) >>> 0, address >>> 0);

export function listDebugExports(mem: GuestAccess, log: Log, reports: Reports): KernelExports {
  const next = (node: Vaddr) => readS64(mem, node);
  const prev = (node: Vaddr) => readS64(mem, node + PREV);
  /** Says what is wrong and ends the task, as with CONFIG_BUG_ON_DATA_CORRUPTION. */
  const corrupt = (symbol: string, line: number, text: string): never => {
    log.log(KERN_ERR, text);
    return reports.bug('lib/list_debug.c', line, symbol);
  };
  /** What lies at an address, as %px prints it. */
  const pxAt = (field: Vaddr) => hex(readUnsigned(mem, field + 4, 4), readUnsigned(mem, field, 4));
  const poisoned = (field: Vaddr, low: number) =>
    readUnsigned(mem, field + 4, 4) === POISON_HIGH && readUnsigned(mem, field, 4) === low;
  /** @linux lib/list_debug.c:__list_add_valid full */
  const addValid = (node: Vaddr, before: Vaddr, after: Vaddr): boolean => {
    const say = (line: number, text: string) => corrupt('__list_add_valid', line, `list_add ${text}`);
    if (before === 0) return say(23, 'corruption. prev is NULL.');
    if (after === 0) return say(25, 'corruption. next is NULL.');
    const found = (what: string, should: Vaddr, field: Vaddr, where: string) =>
      `corruption. ${what} (${px(should)}), but was ${pxAt(field)}. (${where}).`;
    if (prev(after) !== before)
      return say(27, found('next->prev should be prev', before, after + PREV, `next=${px(after)}`));
    if (next(before) !== after)
      return say(30, found('prev->next should be next', after, before, `prev=${px(before)}`));
    if (node === before || node === after)
      return say(33, `double add: new=${px(node)}, prev=${px(before)}, next=${px(after)}.`);
    return true;
  };
  /** @linux lib/list_debug.c:__list_del_entry_valid full */
  const delValid = (node: Vaddr): boolean => {
    const say = (line: number, text: string) =>
      corrupt('__list_del_entry_valid', line, `list_del corruption${text}`);
    const [before, after] = [prev(node), next(node)];
    if (after === 0) return say(49, `, ${px(node)}->next is NULL`);
    if (before === 0) return say(51, `, ${px(node)}->prev is NULL`);
    if (poisoned(node, POISON_NEXT))
      return say(53, `, ${px(node)}->next is LIST_POISON1 (${hex(POISON_HIGH, POISON_NEXT)})`);
    if (poisoned(node + PREV, POISON_PREV))
      return say(56, `, ${px(node)}->prev is LIST_POISON2 (${hex(POISON_HIGH, POISON_PREV)})`);
    const found = (what: string, field: Vaddr, where: string) =>
      `. ${what} should be ${px(node)}, but was ${pxAt(field)}. (${where})`;
    if (next(before) !== node) return say(59, found('prev->next', before, `prev=${px(before)}`));
    if (prev(after) !== node) return say(62, found('next->prev', after + PREV, `next=${px(after)}`));
    return true;
  };
  return { __list_add_valid: ['b:ppp', addValid], __list_del_entry_valid: ['b:p', delValid] };
}
