// SPDX-License-Identifier: MIT
/** `page_poison=1`: free pages are filled with a pattern, which is checked when they are handed out. */

import { type Env, KERN_ERR } from '../lib/env.js';
import { type Handle, PAGE_OFFSET, PAGE_SIZE } from '../machine/layout.js';
import { PAGE_WORDS } from './page.js';
import type { PageAllocator } from './page_alloc.js';

export const PAGE_POISON = 0xaa;

const byteHex = (byte: number) => byte.toString(16).padStart(2, '0');
const isPrintable = (byte: number) => byte >= 0x20 && byte < 0x7f;

export class PagePoison {
  constructor(
    private readonly env: Env,
    private readonly mm: PageAllocator,
  ) {}

  /** @linux mm/page_poison.c:__kernel_poison_pages full */
  poisonPages(page: Handle, nrPages: number): void {
    this.env.ram.fill(this.mm.pageToPfn(page) * PAGE_SIZE, nrPages * PAGE_SIZE, PAGE_POISON);
  }

  /** @linux mm/page_poison.c:__kernel_unpoison_pages full */
  unpoisonPages(page: Handle, nrPages: number): void {
    for (let i = 0; i < nrPages; i++) this.checkPoison(page + i * PAGE_WORDS);
  }

  /** @linux mm/page_poison.c:check_poison_mem differs: every corrupted page is reported */
  private checkPoison(page: Handle): void {
    const { env, mm } = this;
    const base = mm.pageToPfn(page) * PAGE_SIZE;
    const bytes = env.ram.u8.subarray(base, base + PAGE_SIZE);
    const start = bytes.findIndex((byte) => byte !== PAGE_POISON);
    if (start < 0) return;
    let end = PAGE_SIZE - 1;
    while (bytes[end] === PAGE_POISON) end--;
    const flipped = bytes[start] ^ PAGE_POISON;
    const singleBit = start === end && (flipped & (flipped - 1)) === 0;
    env.log.log(KERN_ERR, singleBit ? 'pagealloc: single bit error' : 'pagealloc: memory corruption');
    this.hexDump(bytes.subarray(start, end + 1), PAGE_OFFSET + base + start);
    env.reports.dumpStack(['__kernel_unpoison_pages', 'post_alloc_hook', 'get_page_from_freelist']);
    mm.check.dumpPage(page, 'pagealloc: corrupted page details');
  }

  private hexDump(bytes: Uint8Array, address: number): void {
    for (let at = 0; at < bytes.length; at += 16) {
      const row = Array.from(bytes.subarray(at, at + 16));
      const text = row.map((byte) => (isPrintable(byte) ? String.fromCharCode(byte) : '.')).join('');
      const prefix = this.mm.check.formatPointer(address + at);
      this.env.log.log(KERN_ERR, `${prefix}: ${row.map(byteHex).join(' ').padEnd(47)}  ${text}`);
    }
  }
}
