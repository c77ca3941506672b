// SPDX-License-Identifier: MIT
/** The slab allocator's tracepoints: `kmem:kmalloc` and kin, with Linux's fields and text. */

import type { Env } from '../lib/env.js';
import { contextOf, Tracepoint } from '../trace/tracepoint.js';
import { __GFP_ACCOUNT, formatGfp, GFP_PRINT } from './gfp.js';
import { hexAddress } from './slub_report.js';

export type AllocFields = {
  call_site: number;
  ptr: number;
  bytes_req: number;
  bytes_alloc: number;
  gfp_flags: number;
  node: number;
};

const ALLOC_RECORD = [
  'unsigned long call_site',
  'const void * ptr',
  'size_t bytes_req',
  'size_t bytes_alloc',
  'unsigned long gfp_flags',
  'int node',
];
const ALLOC_PRINT =
  '"call_site=%pS ptr=%p bytes_req=%zu bytes_alloc=%zu gfp_flags=%s node=%d accounted=%s", ' +
  '(void *)REC->call_site, REC->ptr, REC->bytes_req, REC->bytes_alloc, ' +
  `${GFP_PRINT}, REC->node`;

export class SlabTrace {
  readonly kmalloc: Tracepoint<AllocFields>;
  readonly kmemCacheAlloc: Tracepoint<AllocFields>;
  readonly kfree: Tracepoint<{ call_site: number; ptr: number }>;
  readonly kmemCacheFree: Tracepoint<{ call_site: number; ptr: number; name: string }>;

  constructor(env: Env) {
    const context = contextOf(env);
    const site = (address: number) => `call_site=${env.reports.symbolize(address)}`;
    const accounted = ({ gfp_flags }: AllocFields) => (gfp_flags & __GFP_ACCOUNT) !== 0;
    const alloc = (f: AllocFields, pointer = hexAddress) =>
      `${site(f.call_site)} ptr=${pointer(f.ptr)} bytes_req=${f.bytes_req} bytes_alloc=${f.bytes_alloc} ` +
      `gfp_flags=${f.gfp_flags === 0 ? 'none' : formatGfp(f.gfp_flags)} node=${f.node} ` +
      `accounted=${accounted(f)}`;
    this.kmalloc = new Tracepoint('kmem:kmalloc', context, alloc, {
      fields: ALLOC_RECORD,
      print: `${ALLOC_PRINT}, ((REC->gfp_flags & 0x${__GFP_ACCOUNT.toString(16)}) ? "true" : "false")`,
    });
    this.kmemCacheAlloc = new Tracepoint('kmem:kmem_cache_alloc', context, alloc, {
      fields: [...ALLOC_RECORD, 'bool accounted'],
      print: `${ALLOC_PRINT}, REC->accounted ? "true" : "false"`,
      more: (f) => ({ accounted: accounted(f) ? 1 : 0 }),
    });
    this.kfree = new Tracepoint(
      'kmem:kfree',
      context,
      (f, pointer = hexAddress) => `${site(f.call_site)} ptr=${pointer(f.ptr)}`,
      {
        fields: ['unsigned long call_site', 'const void * ptr'],
        print: '"call_site=%pS ptr=%p", (void *)REC->call_site, REC->ptr',
      },
    );
    this.kmemCacheFree = new Tracepoint(
      'kmem:kmem_cache_free',
      context,
      (f, pointer = hexAddress) => `${site(f.call_site)} ptr=${pointer(f.ptr)} name=${f.name}`,
      {
        fields: ['unsigned long call_site', 'const void * ptr', '__data_loc char[] name'],
        print: '"call_site=%pS ptr=%p name=%s", (void *)REC->call_site, REC->ptr, __get_str(name)',
      },
    );
  }
}
