// SPDX-License-Identifier: MIT
/**
 * Pages that are not as they should be: what is asked of a page when it is freed or handed out, and the
 * "BUG: Bad page state" report with the page's dump.
 */

import { type Env, KERN_ALERT, KERN_WARNING } from '../lib/env.js';
import type { PointerHash } from '../lib/pointer_hash.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { formatFlags } from './gfp.js';
import type { MemMap } from './memmap.js';
import {
  compoundHead,
  compoundOrder,
  PAGE_BUDDY_MAPCOUNT,
  PAGE_FLAG_NAMES,
  PAGE_FLAGS_CHECK_AT_FREE,
  PAGE_FLAGS_CHECK_AT_PREP,
  PAGE_WORDS,
  Page,
  PG_head,
  POISON_HI,
  pageFlag,
  pageToVmemmap,
  TAIL_MAPPING_LO,
  zoneOfFlagsHi,
} from './page.js';

const MAPCOUNT = Page.w._mapcount;
const REFCOUNT = Page.w._refcount;
const MAPPING = Page.w.mapping;
const MEMCG = Page.w.memcg_data;
const COMPOUND_HEAD = Page.w.compound_head;
/** After so many reports in a minute the rest are counted only. */
const REPORTS_PER_MINUTE = 60;
const MINUTE_NS = 60e9;

export const hex = (value: number, digits = 0): string => value.toString(16).padStart(digits, '0');

export class PageCheck {
  /** The secret behind %p, once there is one. */
  hash: PointerHash | null = null;
  /** Prints "Modules linked in: …". */
  printModules: () => void = () => {};
  /** Adds what page_owner knows to a dump. */
  dumpOwner: ((page: Handle) => void) | null = null;
  /** { end of the minute in ns: u64, reports in it, suppressed }. */
  private readonly rate: Handle;

  constructor(
    private readonly env: Env,
    private readonly map: MemMap,
  ) {
    this.rate = env.data.declare('bad_page_state', 16);
  }

  /** True if a page that nobody uses looks like one. @linux mm/page_alloc.c:page_expected_state full */
  expected(page: Handle, forbiddenFlags: number): boolean {
    const { i32 } = this.map;
    return (
      ((i32[page + MAPCOUNT] ^ -1) |
        i32[page + REFCOUNT] |
        i32[page + MAPPING] |
        i32[page + MAPPING + 1] |
        i32[page + MEMCG] |
        i32[page + MEMCG + 1] |
        (i32[page] & forbiddenFlags)) ===
      0
    );
  }

  /** @linux mm/page_alloc.c:page_bad_reason full */
  private badReason(page: Handle, forbiddenFlags: number): string {
    const { i32 } = this.map;
    let reason = '';
    if (i32[page + MAPCOUNT] !== -1) reason = 'nonzero mapcount';
    if ((i32[page + MAPPING] | i32[page + MAPPING + 1]) !== 0) reason = 'non-NULL mapping';
    if (i32[page + REFCOUNT] !== 0) reason = 'nonzero _refcount';
    if (i32[page] & forbiddenFlags)
      reason = `PAGE_FLAGS_CHECK_AT_${forbiddenFlags === PAGE_FLAGS_CHECK_AT_PREP ? 'PREP' : 'FREE'} flag(s) set`;
    if ((i32[page + MEMCG] | i32[page + MEMCG + 1]) !== 0) reason = 'page still charged to cgroup';
    return reason;
  }

  /** True and a report if a page about to be freed is still somebody's. @linux mm/page_alloc.c:free_page_is_bad full */
  freePageIsBad(page: Handle): boolean {
    if (this.expected(page, PAGE_FLAGS_CHECK_AT_FREE)) return false;
    this.badPage(page, this.badReason(page, PAGE_FLAGS_CHECK_AT_FREE));
    return true;
  }

  /** True and a report if a page about to be handed out was changed while free. @linux mm/page_alloc.c:check_new_page full */
  newPageIsBad(page: Handle): boolean {
    if (this.expected(page, PAGE_FLAGS_CHECK_AT_PREP)) return false;
    this.badPage(page, this.badReason(page, PAGE_FLAGS_CHECK_AT_PREP));
    return true;
  }

  /** The same for each page of a block. @linux mm/page_alloc.c:check_new_pages full */
  newBlockIsBad(page: Handle, order: number): boolean {
    for (let p = page, end = page + (PAGE_WORDS << order); p < end; p += PAGE_WORDS)
      if (this.newPageIsBad(p)) return true;
    return false;
  }

  /** Checks and cleans all pages but the first of a block that is to be free; true if one is bad. */
  tailsAreBad(head: Handle, order: number): boolean {
    const { i32 } = this.map;
    const compound = (i32[head] & (1 << PG_head)) !== 0;
    let bad = false;
    for (let p = head + PAGE_WORDS, end = head + (PAGE_WORDS << order); p < end; p += PAGE_WORDS) {
      if (compound && this.tailIsBad(head, p)) bad = true;
      if (this.freePageIsBad(p)) bad = true;
      else i32[p] &= ~PAGE_FLAGS_CHECK_AT_PREP;
    }
    return bad;
  }

  /**
   * Checks a tail page of a compound page that is freed, and makes it an ordinary page.
   * @linux mm/page_alloc.c:free_tail_pages_check full
   */
  private tailIsBad(head: Handle, page: Handle): boolean {
    const { i32 } = this.map;
    const reason = this.tailBadReason(head, page);
    if (reason !== '') this.badPage(page, reason);
    i32[page + MAPPING] = i32[page + MAPPING + 1] = 0;
    i32[page + COMPOUND_HEAD] = i32[page + COMPOUND_HEAD + 1] = 0;
    return reason !== '';
  }

  private tailBadReason(head: Handle, page: Handle): string {
    const { i32 } = this.map;
    const n = (page - head) / PAGE_WORDS;
    if (n === 1 && i32[page + Page.w.compound_mapcount] !== -1) return 'nonzero compound_mapcount';
    if (n === 1 && i32[page + Page.w.compound_pincount] !== 0) return 'nonzero compound_pincount';
    if (n > 2 && (i32[page + MAPPING] !== TAIL_MAPPING_LO || i32[page + MAPPING + 1] !== POISON_HI))
      return 'corrupted mapping in tail page';
    if ((i32[page + COMPOUND_HEAD] & 1) === 0) return 'PageTail not set';
    if (compoundHead(this.map.ram, this.map.base, page) !== head) return 'compound_head not consistent';
    return '';
  }

  /** @linux mm/page_alloc.c:bad_page full */
  badPage(page: Handle, reason: string): void {
    const { env, map } = this;
    if (!this.mayReport()) return;
    env.log.log(
      KERN_ALERT,
      `BUG: Bad page state in process ${env.current().comm}  pfn:${hex(map.pageToPfn(page), 5)}`,
    );
    this.dumpPage(page, reason);
    this.printModules();
    env.reports.dumpStack(['bad_page']);
    if (map.i32[page + MAPCOUNT] !== PAGE_BUDDY_MAPCOUNT) map.i32[page + MAPCOUNT] = -1;
    env.reports.taint('B');
  }

  /** An address as %p prints it. */
  formatPointer(address: Vaddr): string {
    const id = this.hash === null ? -1 : this.hash.id(address);
    if (this.hash?.disabled) return BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0');
    return id < 0 ? '(____ptrval____)' : hex(id, 16);
  }

  /** At most 60 reports a minute. */
  private mayReport(): boolean {
    const { ram } = this.map;
    const now = this.env.clock.ns;
    if (now >= ram.u64(this.rate)) {
      const suppressed = ram.i32[this.rate + 3];
      if (suppressed > 0)
        this.env.log.log(KERN_ALERT, `BUG: Bad page state: ${suppressed} messages suppressed`);
      ram.set64(this.rate, now + MINUTE_NS);
      ram.i32[this.rate + 2] = ram.i32[this.rate + 3] = 0;
    }
    if (ram.i32[this.rate + 2] === REPORTS_PER_MINUTE) {
      ram.i32[this.rate + 3]++;
      return false;
    }
    ram.i32[this.rate + 2]++;
    return true;
  }

  /** A check of CONFIG_DEBUG_VM failed: dumps the page and ends the task. */
  vmBugOnPage(page: Handle, condition: string, file: string, line: number, symbol: string): never {
    this.dumpPage(page, `VM_BUG_ON_PAGE(${condition})`);
    return this.env.reports.bug(file, line, symbol);
  }

  /** @linux mm/debug.c:dump_page partial: names no file system */
  dumpPage(page: Handle, reason: string): void {
    const { env, map } = this;
    const { ram } = map;
    const head = compoundHead(ram, map.base, page);
    const isCompound = pageFlag(ram, head, PG_head);
    const view = Page.at(ram, page);
    const pointer = (p: Handle) => this.formatPointer(pageToVmemmap(map.base, p));
    const word = (w: Handle) => `${hex(ram.u32[w + 1], 8)}${hex(ram.u32[w], 8)}`;
    const mapcount = view._mapcount < -1 ? 0 : view._mapcount + 1;
    const lines = [
      `page:${pointer(page)} refcount:${ram.i32[head + REFCOUNT]} mapcount:${mapcount} mapping:` +
        `${this.formatMapping(page)} index:0x${hex(view.index)} pfn:0x${hex(map.pageToPfn(page))}`,
    ];
    if (isCompound) {
      const tail = Page.at(ram, head + PAGE_WORDS);
      lines.push(
        `head:${pointer(head)} order:${compoundOrder(ram, head)} compound_mapcount:${tail.compound_mapcount + 1} ` +
          `compound_pincount:${tail.compound_pincount}`,
      );
    }
    if (view.memcg_data !== 0) lines.push(`memcg:${word(page + MEMCG)}`);
    lines.push(`flags: ${this.formatPageFlags(head)}`);
    const raw = (prefix: string, p: Handle) => {
      for (const half of [p, p + 8])
        lines.push(`${prefix}: ${[0, 2, 4, 6].map((w) => word(half + w)).join(' ')}`);
    };
    raw('raw', page);
    if (isCompound) raw('head', head);
    if (reason) lines.push(`page dumped because: ${reason}`);
    env.log.log(KERN_WARNING, lines.join('\n'));
    this.dumpOwner?.(page);
  }

  private formatMapping(page: Handle): string {
    const mapping = Page.at(this.map.ram, page).mapping;
    return mapping === 0 ? '0000000000000000' : this.formatPointer(mapping);
  }

  /** `0xfffffc0010200(slab|head|node=0|zone=1|lastcpupid=0x1fffff)`: the %pGp conversion. */
  formatPageFlags(page: Handle): string {
    const { i32, u32 } = this.map;
    const hi = u32[page + 1];
    const whole = hi === 0 ? hex(u32[page]) : `${hex(hi)}${hex(u32[page], 8)}`;
    const names = formatFlags(i32[page] & ((1 << 27) - 1), PAGE_FLAG_NAMES);
    const lastcpupid = ((hi & 0x7ffff) << 2) | (u32[page] >>> 30);
    const fields = [`node=${hi >>> 22}`, `zone=${zoneOfFlagsHi(hi)}`, `lastcpupid=0x${hex(lastcpupid)}`];
    return `0x${whole}(${[...(names ? [names] : []), ...fields].join('|')})`;
  }
}
