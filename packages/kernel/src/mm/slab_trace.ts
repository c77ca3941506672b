// SPDX-License-Identifier: MIT
/** The slab allocator's tracepoints: `kmem:kmalloc` and kin, with Linux's fields and text. */

import type { Env } from '../lib/env.js';
import { Tracepoint } from '../trace/tracepoint.js';
import { __GFP_ACCOUNT, formatGfp } from './gfp.js';
import { hexAddress } from './slub_report.js';

export type AllocFields = {
  call_site: number;
  ptr: number;
  bytes_req: number;
  bytes_alloc: number;
  gfp_flags: number;
  node: number;
};

export class SlabTrace {
  readonly kmalloc: Tracepoint<AllocFields>;
  readonly kmemCacheAlloc: Tracepoint<AllocFields>;
  readonly kfree: Tracepoint<{ call_site: number; ptr: number }>;
  readonly kmemCacheFree: Tracepoint<{ call_site: number; ptr: number; name: string }>;

  constructor(env: Env) {
    const context = () => ({ ns: env.clock.ns, ...env.current() });
    const site = (address: number) => `call_site=${env.reports.symbolize(address)}`;
    const alloc = (f: AllocFields) =>
      `${site(f.call_site)} ptr=${hexAddress(f.ptr)} bytes_req=${f.bytes_req} bytes_alloc=${f.bytes_alloc} ` +
      `gfp_flags=${f.gfp_flags === 0 ? 'none' : formatGfp(f.gfp_flags)} node=${f.node} ` +
      `accounted=${f.gfp_flags & __GFP_ACCOUNT ? 'true' : 'false'}`;
    this.kmalloc = new Tracepoint('kmem:kmalloc', context, alloc);
    this.kmemCacheAlloc = new Tracepoint('kmem:kmem_cache_alloc', context, alloc);
    this.kfree = new Tracepoint(
      'kmem:kfree',
      context,
      (f) => `${site(f.call_site)} ptr=${hexAddress(f.ptr)}`,
    );
    this.kmemCacheFree = new Tracepoint(
      'kmem:kmem_cache_free',
      context,
      (f) => `${site(f.call_site)} ptr=${hexAddress(f.ptr)} name=${f.name}`,
    );
  }
}
