// SPDX-License-Identifier: MIT
/** The page cache's tracepoints: `filemap:mm_filemap_*`, with Linux's fields and text. */

import type { Env } from '../lib/env.js';
import { Tracepoint } from '../trace/tracepoint.js';

const MINOR_BITS = 20;

/** A page comes into the cache or leaves it. */
export type FilemapEvent = {
  readonly pfn: number;
  readonly i_ino: number;
  /** The page's index in the file. */
  readonly index: number;
  readonly s_dev: number;
  readonly order: number;
};

export class FilemapTrace {
  readonly addToPageCache: Tracepoint<FilemapEvent>;
  readonly deleteFromPageCache: Tracepoint<FilemapEvent>;

  constructor(env: Env) {
    const context = () => ({ ns: env.clock.ns, ...env.current() });
    const text = ({ pfn, i_ino, index, s_dev, order }: FilemapEvent) =>
      `dev ${s_dev >>> MINOR_BITS}:${s_dev & ((1 << MINOR_BITS) - 1)} ino 0x${i_ino.toString(16)} ` +
      `pfn=0x${pfn.toString(16)} ofs=${index * 4096} order=${order}`;
    this.addToPageCache = new Tracepoint('filemap:mm_filemap_add_to_page_cache', context, text);
    this.deleteFromPageCache = new Tracepoint('filemap:mm_filemap_delete_from_page_cache', context, text);
  }
}
