// SPDX-License-Identifier: MIT
/**
 * Checks all of vmalloc's invariants in RAM, slowly and obviously: for tests.
 *
 * - busy, resting and free areas together cover the address space, each byte once;
 * - each set's list and tree hold the same areas in the same order; the tree is red-black; sizes kept are true;
 * - neighbours in the free set and in the resting set do not touch: they would be one;
 * - a mapped page of an area is the page its array names; guards, and what rests or is free, have no mapping;
 * - nr_vmalloc_pages and vmap_lazy_nr count what is there.
 */

import { rbFirst, rbIsBlack, rbLeft, rbNext, rbRight } from '../lib/rbtree_augmented.js';
import { type Handle, PAGE_SIZE, type Vaddr, VMALLOC_START } from '../machine/layout.js';
import type { Vmalloc } from './vmalloc.js';
import { VM_ALLOC, VM_IOREMAP, VM_MAP, VmapArea } from './vmalloc_types.js';
import type { VmapAreas } from './vmap_area.js';

const NODE = VmapArea.w.rb_node;
/** Unmapped stretches are walked no further than this: free space has 32 TiB. */
const WALK_LIMIT = 64 * PAGE_SIZE;

type Report = (problem: string) => void;

/** What is wrong, in words; nothing if all is well. */
export function validateVmalloc(vmalloc: Vmalloc): string[] {
  const problems: string[] = [];
  const report: Report = (problem) => problems.push(problem);
  const { areas } = vmalloc;
  for (const name of ['busy', 'free', 'purge'] as const) checkSet(vmalloc, name, report);
  checkCover(areas, report);
  let pages = 0;
  for (const area of areas.areas(areas.busy)) pages += checkBusy(vmalloc, area, report);
  if (pages !== vmalloc.nrPages) report(`nr_vmalloc_pages is ${vmalloc.nrPages}, areas have ${pages}`);
  let lazy = 0;
  for (const set of [areas.purge, areas.free])
    for (const area of areas.areas(set)) {
      if (set === areas.purge) lazy += (areas.end(area) - areas.start(area)) / PAGE_SIZE;
      checkUnmapped(vmalloc, areas.start(area), areas.end(area), report);
    }
  if (lazy !== areas.lazyPages) report(`vmap_lazy_nr is ${areas.lazyPages}, areas have ${lazy}`);
  return problems;
}

function checkSet({ env, areas }: Vmalloc, name: 'busy' | 'free' | 'purge', report: Report): void {
  const { ram } = env;
  const { root } = areas[name];
  const byList = [...areas.areas(areas[name])];
  const byTree: Handle[] = [];
  for (let node = rbFirst(ram, root); node !== 0; node = rbNext(ram, node)) byTree.push(node - NODE);
  if (byList.join() !== byTree.join()) report(`${name}: list and tree differ`);
  byList.forEach((area, i) => {
    if (areas.start(area) >= areas.end(area)) report(`${name}: empty area`);
    const gap = i === 0 ? 1 : areas.start(area) - areas.end(byList[i - 1]);
    if (gap < 0 || (gap === 0 && name !== 'busy')) report(`${name}: areas touch or overlap`);
  });
  if (!rbIsBlack(ram, ram.ptr(root))) report(`${name}: red root`);
  checkSubtree(areas, ram.ptr(root), name, report);
}

/** Black nodes on every way down, and the size of the largest area. */
interface Subtree {
  readonly black: number;
  readonly max: number;
}

function checkSubtree(areas: VmapAreas, node: Handle, name: string, report: Report): Subtree {
  if (node === 0) return { black: 0, max: 0 };
  const { ram } = areas;
  const [l, r] = [rbLeft(ram, node), rbRight(ram, node)];
  if (!rbIsBlack(ram, node) && !(rbIsBlack(ram, l) && rbIsBlack(ram, r))) report(`${name}: red under red`);
  const left = checkSubtree(areas, l, name, report);
  const right = checkSubtree(areas, r, name, report);
  if (left.black !== right.black) report(`${name}: black heights differ`);
  const area = node - NODE;
  const max = Math.max(left.max, right.max, areas.end(area) - areas.start(area));
  if (name === 'free' && ram.s64(area + VmapArea.w.subtree_max_size) !== max) report('free: wrong maximum');
  return { black: left.black + (rbIsBlack(ram, node) ? 1 : 0), max };
}

function checkCover(areas: VmapAreas, report: Report): void {
  const all = [areas.busy, areas.purge, areas.free]
    .flatMap((set) => [...areas.areas(set)])
    .map((area) => ({ start: areas.start(area), end: areas.end(area) }))
    .sort((a, b) => a.start - b.start);
  let at = VMALLOC_START;
  for (const { start, end } of all) {
    if (start !== at) report(`address space: ${at} to ${start} is nobody's, or somebody's twice`);
    at = end;
  }
  if (at !== -PAGE_SIZE) report('address space: the end is missing');
}

/** Checks an area in use; returns the pages it has of its own. */
function checkBusy(vmalloc: Vmalloc, area: Handle, report: Report): number {
  const { areas, mapping } = vmalloc;
  const vm = areas.vm(area);
  if (vm === 0) return 0;
  const v = vmalloc.vm(vm);
  if (v.addr !== areas.start(area) || v.addr + v.size !== areas.end(area))
    report('vm_struct and vmap_area differ');
  const end = v.addr + vmalloc.usableBytes(vm);
  checkUnmapped(vmalloc, end, areas.end(area), report);
  for (let at = v.addr; at < end && v.flags & (VM_ALLOC | VM_MAP); at += PAGE_SIZE)
    if (!mapping.isMapped(at)) report(`no page at ${at}`);
  if ((v.flags & VM_ALLOC) === 0) return 0;
  let at = v.addr;
  mapping.eachPointer(v.pages, v.nr_pages, (page) => {
    if (mapping.toPage(at) !== page) report(`another page than the array's at ${at}`);
    at += PAGE_SIZE;
  });
  if (at !== end) report('the array names too few pages');
  return v.flags & VM_IOREMAP ? 0 : v.nr_pages;
}

function checkUnmapped({ mapping }: Vmalloc, start: Vaddr, end: Vaddr, report: Report): void {
  const last = Math.min(end, start + WALK_LIMIT);
  for (let at = start; at < last; at += PAGE_SIZE)
    if (mapping.isMapped(at)) report(`${at} is mapped and should not be`);
}
