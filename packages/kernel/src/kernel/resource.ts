// SPDX-License-Identifier: MIT
/**
 * Who uses which physical addresses and ports: a tree of `struct resource` below iomem_resource and ioport_resource.
 *
 *     iomem_resource 0-3fffffffffff          siblings by address, none overlapping
 *      ├─ 00100000-03ffffff : System RAM     a child lies within its parent
 *      │   └─ 00100000-0014cfff : Kernel data
 *      └─ fed00000-fed003ff : my timer       request_mem_region()
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { CallC } from '../lib/c_call.js';
import { type Env, KERN_WARNING } from '../lib/env.js';
import { EBUSY, EINVAL } from '../lib/errno.js';
import { type GuestAccess, readCString, readS64, writeInteger } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { Resource } from '../lib/vsprintf_objects.js';
import type { Handle, Paddr, Vaddr } from '../machine/layout.js';

const R = Resource.o;
type Link = 'parent' | 'sibling' | 'child';

const IORESOURCE_IO = 0x100;
const IORESOURCE_MEM = 0x200;
const IORESOURCE_TYPE_BITS = 0x1f00;
const IORESOURCE_EXT_TYPE_BITS = 0x01000000;
const IORESOURCE_SYSRAM = 0x01000000;
const IORESOURCE_BUSY = 0x80000000;
const IO_SPACE_LIMIT = 0xffff;
/** Physical addresses have 46 bits. */
const LAST_ADDRESS = 2 ** 46 - 1;
/** /proc/iomem shows so many levels. */
const MAX_IORES_LEVEL = 5;
/** A longer list of siblings has been tied into a knot. */
const SIBLINGS_MAX = 100000;
const ROOT_NAMES = { iomem: 'PCI mem', ioport: 'PCI IO' } as const;
const NAME_BYTES = 16;
/** Room for the machine's own resources and their names. */
const BOOT_RESOURCES = 8;

const hexWide = (n: number) => `0x${n.toString(16).padStart(16, '0')}`;

/** What the machine's memory holds from power-on. */
export interface BootRegion {
  readonly start: Paddr;
  readonly bytes: number;
  readonly name: string;
}

export interface ResourceDeps {
  readonly env: Env;
  readonly callC: CallC;
  kmalloc(bytes: number): Vaddr;
  kfree(address: Vaddr): void;
}

export class Resources {
  private readonly roots: { readonly iomem: Handle; readonly ioport: Handle };
  private readonly bootResources: Handle;
  private readonly names: Handle;
  private readonly mem: GuestAccess;

  constructor(private readonly deps: ResourceDeps) {
    const { data, ram, guest } = deps.env;
    this.mem = { ram, guest };
    this.roots = {
      ioport: data.declareObject('ioport_resource', Resource.size),
      iomem: data.declareObject('iomem_resource', Resource.size),
    };
    this.bootResources = data.declare('boot_resources', BOOT_RESOURCES * Resource.size);
    this.names = data.declare('boot_resource_names', (BOOT_RESOURCES + 2) * NAME_BYTES);
  }

  get iomem(): Vaddr {
    return this.mem.ram.addressOf(this.roots.iomem);
  }

  get ioport(): Vaddr {
    return this.mem.ram.addressOf(this.roots.ioport);
  }

  /** @param regions outer ones before those inside them. @linux arch/x86/kernel/e820.c:e820__reserve_resources full */
  boot(regions: readonly BootRegion[]): void {
    const { ram } = this.mem;
    this.describe(this.roots.iomem, 0, 0, LAST_ADDRESS, ROOT_NAMES.iomem, IORESOURCE_MEM);
    this.describe(this.roots.ioport, 1, 0, IO_SPACE_LIMIT, ROOT_NAMES.ioport, IORESOURCE_IO);
    regions.slice(0, BOOT_RESOURCES).forEach(({ start, bytes, name }, i) => {
      const at = this.bootResources + (i * Resource.size) / 4;
      const flags = IORESOURCE_MEM | IORESOURCE_BUSY | (name === 'Reserved' ? 0 : IORESOURCE_SYSRAM);
      this.describe(at, i + 2, start, start + bytes - 1, name, flags >>> 0);
      this.insert(this.iomem, ram.addressOf(at));
    });
  }

  private describe(at: Handle, slot: number, start: number, end: number, name: string, flags: number): void {
    const { ram } = this.mem;
    const text = this.names + (slot * NAME_BYTES) / 4;
    ram.u8.set(encodeUtf8(`${name}\0`).subarray(0, NAME_BYTES), text * 4);
    this.fill(ram.addressOf(at), start, end, ram.addressOf(text), flags);
  }

  // ---------------------------------------------------------------- fields

  private fill(res: Vaddr, start: number, end: number, name: Vaddr, flags: number): void {
    const values = [start, end, name, flags, 0, 0, 0, 0];
    values.forEach((value, i) => {
      writeInteger(this.mem, res + 8 * i, value, 8);
    });
  }

  private start(res: Vaddr): number {
    return readS64(this.mem, res + R.start);
  }

  /** The last address: all ones count as the highest there is. */
  private end(res: Vaddr): number {
    const end = readS64(this.mem, res + R.end);
    return end === -1 && this.start(res) >= 0 ? Number.MAX_SAFE_INTEGER : end;
  }

  private flags(res: Vaddr): number {
    return readS64(this.mem, res + R.flags);
  }

  private isBusy(res: Vaddr): boolean {
    return (this.flags(res) & IORESOURCE_BUSY) !== 0;
  }

  private link(res: Vaddr, name: Link): Vaddr {
    return readS64(this.mem, res + R[name]);
  }

  private setLink(res: Vaddr, name: Link, to: Vaddr): void {
    writeInteger(this.mem, res + R[name], to, 8);
  }

  /** Children in order of their addresses. */
  private *children(parent: Vaddr): Generator<Vaddr> {
    let child = this.link(parent, 'child');
    for (let n = 0; child !== 0 && n < SIBLINGS_MAX; n++) {
      const next = this.link(child, 'sibling');
      yield child;
      child = next;
    }
  }

  private nameOf(res: Vaddr): string {
    const name = readS64(this.mem, res + R.name);
    return name === 0 ? '<BAD>' : decodeUtf8(readCString(this.mem, name, 127));
  }

  // ---------------------------------------------------------------- the tree

  /** Puts a resource into a free place below a root: 0, or what is in the way. @linux kernel/resource.c:__request_resource full */
  private request(root: Vaddr, res: Vaddr): Vaddr {
    const [start, end] = [this.start(res), this.end(res)];
    if (end < start || start < this.start(root) || end > this.end(root)) return root;
    let before = 0;
    for (const child of this.children(root)) {
      if (this.start(child) > end) break;
      if (this.end(child) >= start) return child;
      before = child;
    }
    this.insertAfter(root, before, res);
    return 0;
  }

  private insertAfter(parent: Vaddr, before: Vaddr, res: Vaddr): void {
    const [owner, field] = before === 0 ? ([parent, 'child'] as const) : ([before, 'sibling'] as const);
    this.setLink(res, 'sibling', this.link(owner, field));
    this.setLink(owner, field, res);
    this.setLink(res, 'parent', parent);
  }

  /** Takes a resource out, with what is below it. @linux kernel/resource.c:__release_resource full */
  private release(res: Vaddr): number {
    const parent = this.link(res, 'parent');
    if (parent === 0) return -EINVAL;
    let before = 0;
    for (const child of this.children(parent)) {
      if (child === res) {
        this.unlinkAfter(parent, before, res);
        return 0;
      }
      before = child;
    }
    return -EINVAL;
  }

  private unlinkAfter(parent: Vaddr, before: Vaddr, res: Vaddr): void {
    const next = this.link(res, 'sibling');
    if (before === 0) this.setLink(parent, 'child', next);
    else this.setLink(before, 'sibling', next);
    this.setLink(res, 'parent', 0);
  }

  /** Puts a resource where it belongs, around what it contains: 0, or what it would cut. @linux kernel/resource.c:__insert_resource full */
  private insert(root: Vaddr, res: Vaddr): Vaddr {
    const [start, end] = [this.start(res), this.end(res)];
    let parent = root;
    for (;;) {
      const first = this.request(parent, res);
      if (first === 0 || first === parent || first === res) return first;
      const contains = this.start(first) <= start && this.end(first) >= end;
      if (!contains || (this.start(first) === start && this.end(first) === end))
        return this.wrap(parent, first, res);
      parent = first;
    }
  }

  /** Makes a resource the parent of all siblings, from the first, that lie within it. */
  private wrap(parent: Vaddr, first: Vaddr, res: Vaddr): Vaddr {
    const [start, end] = [this.start(res), this.end(res)];
    const inside: Vaddr[] = [];
    let before = 0;
    for (const child of this.children(parent)) {
      if (inside.length === 0 && child !== first) {
        before = child;
        continue;
      }
      if (this.start(child) > end) break;
      if (this.start(child) < start || this.end(child) > end) return child;
      inside.push(child);
    }
    const last = inside[inside.length - 1];
    const after = this.link(last, 'sibling');
    if (before === 0) this.setLink(parent, 'child', res);
    else this.setLink(before, 'sibling', res);
    this.setLink(res, 'parent', parent);
    this.setLink(res, 'sibling', after);
    this.setLink(res, 'child', first);
    this.setLink(last, 'sibling', 0);
    for (const child of inside) this.setLink(child, 'parent', res);
    return 0;
  }

  /** Takes a resource out; its children go to its parent. @linux kernel/resource.c:remove_resource full */
  private remove(res: Vaddr): number {
    const parent = this.link(res, 'parent');
    const children = [...this.children(res)];
    if (parent === 0) return -EINVAL;
    let before = 0;
    for (const child of this.children(parent)) {
      if (child === res) break;
      before = child;
    }
    const failed = this.release(res);
    if (failed !== 0) return failed;
    this.setLink(res, 'child', 0);
    for (const child of children) {
      this.insertAfter(parent, before, child);
      before = child;
    }
    return 0;
  }

  // ---------------------------------------------------------------- regions

  /**
   * request_region() and its kin: a busy resource of its own.
   * @returns the resource, or 0 if somebody has any of it
   * @linux kernel/resource.c:__request_region partial: nobody waits for a muxed region
   */
  requestRegion(root: Vaddr, start: number, n: number, name: Vaddr, flags: number): Vaddr {
    const res = this.deps.kmalloc(Resource.size);
    if (res === 0) return 0;
    let parent = root;
    for (;;) {
      const inherited = this.flags(parent) & (IORESOURCE_TYPE_BITS | IORESOURCE_EXT_TYPE_BITS);
      this.fill(res, start, start + n - 1, name, (inherited | IORESOURCE_BUSY | flags) >>> 0);
      const conflict = this.request(parent, res);
      if (conflict === 0) return res;
      if (conflict !== parent && !this.isBusy(conflict)) {
        parent = conflict;
        continue;
      }
      this.deps.kfree(res);
      return 0;
    }
  }

  /** @linux kernel/resource.c:__release_region full */
  releaseRegion(root: Vaddr, start: number, n: number): void {
    const end = start + n - 1;
    let parent = root;
    for (let found = true; found; ) {
      found = false;
      for (const child of this.children(parent)) {
        if (this.start(child) > start || this.end(child) < end) continue;
        if (!this.isBusy(child)) {
          parent = child;
          found = true;
          break;
        }
        if (this.start(child) !== start || this.end(child) !== end) break;
        this.release(child);
        this.deps.kfree(child);
        return;
      }
    }
    const range = `<${hexWide(start)}-${hexWide(end)}>`;
    this.deps.env.log.log(KERN_WARNING, `resource: Trying to free nonexistent resource ${range}`);
  }

  /** Finds room of a size. @linux kernel/resource.c:allocate_resource partial: no movable resources */
  private allocate(
    root: Vaddr,
    res: Vaddr,
    size: number,
    range: { readonly min: number; readonly max: number; readonly align: number },
    alignf: { readonly fn: Vaddr; readonly data: Vaddr },
  ): number {
    const align = Math.max(1, range.align);
    const up = (n: number) => Math.ceil(n / align) * align;
    const bounds = [...this.children(root)].map((r) => [this.start(r), this.end(r)] as const);
    let from = this.start(root);
    for (const [start, end] of [...bounds, [this.end(root) + 1, Number.POSITIVE_INFINITY] as const]) {
      let at = up(Math.max(from, range.min));
      if (alignf.fn !== 0 && at + size <= start) {
        this.setRange(res, at, size);
        at = this.deps.callC(alignf.fn, 'z:ppzz', alignf.data, res, size, align);
      }
      if (at + size <= start && at + size - 1 <= range.max) {
        this.setRange(res, at, size);
        return this.request(root, res) === 0 ? 0 : -EBUSY;
      }
      from = end + 1;
    }
    return -EBUSY;
  }

  private setRange(res: Vaddr, start: number, size: number): void {
    writeInteger(this.mem, res + R.start, start, 8);
    writeInteger(this.mem, res + R.end, start + size - 1, 8);
  }

  /** Moves the ends of a resource. @linux kernel/resource.c:__adjust_resource full */
  private adjust(res: Vaddr, start: number, size: number): number {
    const end = start + size - 1;
    const parent = this.link(res, 'parent');
    const kids = [...this.children(res)];
    const fits = kids.every((kid) => this.start(kid) >= start && this.end(kid) <= end);
    if (parent !== 0) {
      if (start < this.start(parent) || end > this.end(parent)) return -EBUSY;
      for (const child of this.children(parent))
        if (child !== res && this.start(child) <= end && this.end(child) >= start) return -EBUSY;
    }
    if (!fits) return -EBUSY;
    this.setRange(res, start, size);
    return 0;
  }

  // ---------------------------------------------------------------- what is shown

  /** /proc/iomem or /proc/ioports. @linux kernel/resource.c:r_show full */
  text(which: 'iomem' | 'ioport'): string {
    const root = this[which];
    const width = this.end(root) < 0x10000 ? 4 : 8;
    const hex = (n: number) => n.toString(16).padStart(width, '0');
    const lines: string[] = [];
    const show = (res: Vaddr, depth: number): void => {
      const range = `${hex(this.start(res))}-${hex(this.end(res))}`;
      lines.push(`${' '.repeat(2 * Math.min(depth, MAX_IORES_LEVEL - 1))}${range} : ${this.nameOf(res)}\n`);
      if (depth < SIBLINGS_MAX) for (const child of this.children(res)) show(child, depth + 1);
    };
    for (const child of this.children(root)) show(child, 0);
    return lines.join('');
  }

  exports(): KernelExports {
    const error = (conflict: Vaddr) => (conflict === 0 ? 0 : -EBUSY);
    return {
      __request_region: [
        'p:pzzpi',
        (root: Vaddr, start: number, n: number, name: Vaddr, flags: number) =>
          this.requestRegion(root, start, n, name, flags),
      ],
      __release_region: [
        'v:pzz',
        (root: Vaddr, start: number, n: number) => this.releaseRegion(root, start, n),
      ],
      request_resource: ['i:pp', (root: Vaddr, res: Vaddr) => error(this.request(root, res))],
      request_resource_conflict: ['p:pp', (root: Vaddr, res: Vaddr) => this.request(root, res)],
      insert_resource: ['i:pp', (root: Vaddr, res: Vaddr) => error(this.insert(root, res))],
      insert_resource_conflict: ['p:pp', (root: Vaddr, res: Vaddr) => this.insert(root, res)],
      remove_resource: ['i:p', (res: Vaddr) => this.remove(res)],
      release_resource: ['i:p', (res: Vaddr) => this.release(res)],
      adjust_resource: ['i:pzz', (res: Vaddr, start: number, size: number) => this.adjust(res, start, size)],
      allocate_resource: [
        'i:ppzzzzpp',
        (
          root: Vaddr,
          res: Vaddr,
          size: number,
          min: number,
          max: number,
          align: number,
          fn: Vaddr,
          data: Vaddr,
        ) => this.allocate(root, res, size, { min, max, align }, { fn, data }),
      ],
      lookup_resource: [
        'p:pz',
        (root: Vaddr, start: number) =>
          [...this.children(root)].find((child) => this.start(child) === start) ?? 0,
      ],
    };
  }
}
