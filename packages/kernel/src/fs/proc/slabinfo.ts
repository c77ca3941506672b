// SPDX-License-Identifier: MIT
/** /proc/slabinfo, version 2.1. */

import type { Handle } from '../../machine/layout.js';
import { C_OO_W, C_SIZE_W, NODE_NR_SLABS_W, NODE_TOTAL_OBJECTS_W, OO_MASK, OO_SHIFT } from '../../mm/slab.js';
import type { Slub } from '../../mm/slub.js';
import { countFreeOnPartial } from '../../mm/slub_lists.js';

const HEADER =
  'slabinfo - version: 2.1\n' +
  '# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>' +
  ' : tunables <limit> <batchcount> <sharedfactor>' +
  ' : slabdata <active_slabs> <num_slabs> <sharedavail>\n';

export interface SlabInfo {
  readonly name: string;
  /** Objects that are in use, or that a CPU holds ready. */
  readonly activeObjs: number;
  readonly numObjs: number;
  readonly objSize: number;
  readonly objPerSlab: number;
  readonly pagesPerSlab: number;
  readonly numSlabs: number;
}

/**
 * The numbers of one cache.
 * @linux mm/slub.c:get_slabinfo full
 */
export function slabInfo(slub: Slub, cache: Handle): SlabInfo {
  const { core } = slub;
  const { i32 } = core;
  const node = core.node(cache);
  const numObjs = i32[node + NODE_TOTAL_OBJECTS_W];
  return {
    name: core.cacheName(cache),
    activeObjs: numObjs - countFreeOnPartial(core, node),
    numObjs,
    objSize: i32[cache + C_SIZE_W],
    objPerSlab: i32[cache + C_OO_W] & OO_MASK,
    pagesPerSlab: 1 << (i32[cache + C_OO_W] >>> OO_SHIFT),
    numSlabs: i32[node + NODE_NR_SLABS_W],
  };
}

/** @linux mm/slab_common.c:cache_show full */
function row(info: SlabInfo): string {
  const left = (n: number, width: number) => String(n).padStart(width);
  return (
    `${info.name.padEnd(17)} ${left(info.activeObjs, 6)} ${left(info.numObjs, 6)} ${left(info.objSize, 6)}` +
    ` ${left(info.objPerSlab, 4)} ${left(info.pagesPerSlab, 4)} : tunables    0    0    0` +
    ` : slabdata ${left(info.numSlabs, 6)} ${left(info.numSlabs, 6)}      0\n`
  );
}

/** The file's text. @linux mm/slab_common.c:slab_show full */
export function slabinfoText(slub: Slub): string {
  return HEADER + [...slub.caches()].map((cache) => row(slabInfo(slub, cache))).join('');
}
