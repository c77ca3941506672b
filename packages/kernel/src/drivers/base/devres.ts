// SPDX-License-Identifier: MIT
/**
 * Managed resources: what a driver takes for a device and need not give back, because it goes when the device is
 * unbound or released, last taken first.
 *
 *     devres_head ⇄ { entry, release = devm_kmalloc_release, … } ⇄ { entry, release = devm_region_release, … }
 *                     └─ data follows: what devm_kmalloc() returned        └─ data: the region
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import type { Resources } from '../../kernel/resource.js';
import { EBUSY, EINVAL, ENOENT, ENOMEM } from '../../lib/errno.js';
import { readCString, readS64, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import { Resource } from '../../lib/vsprintf_objects.js';
import type { Vaddr } from '../../machine/layout.js';
import { __GFP_ZERO, GFP_KERNEL } from '../../mm/gfp.js';
import { Device } from './device_types.js';

/** `struct devres_node`: entry, release, name, size; the data is right behind it. */
const RELEASE = 16;
const NAME = 24;
const SIZE = 32;
const HEADER = 40;
/** What an allocation of no bytes is: ZERO_SIZE_PTR. */
const ZERO_SIZE_PTR = 16;
const GFP_ZEROED = GFP_KERNEL | __GFP_ZERO;

/** A resource's data fits, or not: `match(dev, data, match_data)` of C, or the kernel's own question. */
type Match = (data: Vaddr) => boolean;

export class Devres {
  private readonly list: GuestList;

  constructor(
    private readonly deps: FsDeps,
    private readonly resources: () => Resources,
    /** free_irq(), which may sleep. */
    private readonly freeIrq: (irq: number, id: Vaddr) => unknown,
  ) {
    this.list = new GuestList(deps);
  }

  private head(dev: Vaddr): Vaddr {
    return dev + Device.o.devres_head;
  }

  // ---------------------------------------------------------------- taking and giving back

  /** Room for a resource's data; it belongs to no device yet. @linux drivers/base/devres.c:__devres_alloc_node full */
  alloc(release: Vaddr, bytes: number, gfp: number, name: Vaddr = 0): Vaddr {
    const node = this.deps.kmalloc(HEADER + bytes, gfp | __GFP_ZERO);
    if (node === 0) return 0;
    this.list.init(node);
    for (const [offset, value] of [
      [RELEASE, release],
      [NAME, name],
      [SIZE, bytes],
    ] as const)
      writeInteger(this.deps, node + offset, value, 8);
    return node + HEADER;
  }

  /** @linux drivers/base/devres.c:devres_add full */
  add(dev: Vaddr, data: Vaddr): void {
    this.list.addTail(data - HEADER, this.head(dev));
  }

  private free(data: Vaddr): void {
    if (data !== 0) this.deps.kfree(data - HEADER);
  }

  /** A resource by its release function, the newest that fits; 0 if there is none. @linux drivers/base/devres.c:find_dr full */
  private find(dev: Vaddr, release: Vaddr, match: Match = () => true): Vaddr {
    const nodes = [...this.list.nodes(this.head(dev))].reverse();
    const found = nodes.find(
      (node) => readS64(this.deps, node + RELEASE) === release && match(node + HEADER),
    );
    return found === undefined ? 0 : found + HEADER;
  }

  /** Takes a resource off its device without releasing it. */
  private remove(dev: Vaddr, release: Vaddr, match?: Match): Vaddr {
    const data = this.find(dev, release, match);
    if (data !== 0) this.list.delInit(data - HEADER);
    return data;
  }

  private releaseOne(dev: Vaddr, data: Vaddr): void {
    this.deps.callC(readS64(this.deps, data - HEADER + RELEASE), 'v:pp', dev, data);
    this.free(data);
  }

  /** @linux drivers/base/devres.c:devres_release full */
  private releaseFound(dev: Vaddr, release: Vaddr, match?: Match): number {
    const data = this.remove(dev, release, match);
    if (data === 0) return -ENOENT;
    this.releaseOne(dev, data);
    return 0;
  }

  /** Takes the newest resource off a device; 0 if there is none. */
  private pop(dev: Vaddr): Vaddr {
    const head = this.head(dev);
    const last = this.list.prev(head);
    if (last === head || last === 0) return 0;
    this.list.delInit(last);
    return last + HEADER;
  }

  /** Gives all of a device's resources back, the newest first. @linux drivers/base/devres.c:devres_release_all full */
  releaseAll(dev: Vaddr): void {
    for (let data = this.pop(dev); data !== 0; data = this.pop(dev)) this.releaseOne(dev, data);
  }

  // ---------------------------------------------------------------- memory

  /** @linux drivers/base/devres.c:devm_kmalloc full */
  kmalloc(dev: Vaddr, bytes: number, gfp: number): Vaddr {
    if (bytes === 0) return ZERO_SIZE_PTR;
    const node = this.deps.kmalloc(HEADER + bytes, gfp);
    if (node === 0) return 0;
    writeInteger(this.deps, node + RELEASE, this.deps.symbol('devm_kmalloc_release'), 8);
    writeInteger(this.deps, node + NAME, 0, 8);
    writeInteger(this.deps, node + SIZE, bytes, 8);
    this.add(dev, node + HEADER);
    return node + HEADER;
  }

  /** @linux drivers/base/devres.c:devm_kfree full */
  private kfree(dev: Vaddr, object: Vaddr): void {
    if (object === 0 || object === ZERO_SIZE_PTR) return;
    const release = this.deps.symbol('devm_kmalloc_release');
    const data = this.remove(dev, release, (at) => at === object);
    if (data !== 0) this.free(data);
    else this.deps.env.reports.warn('drivers/base/devres.c', 1091, 'devm_kfree');
  }

  private copy(dev: Vaddr, bytes: Uint8Array, gfp: number): Vaddr {
    const copy = this.kmalloc(dev, bytes.length, gfp);
    if (copy !== 0 && copy !== ZERO_SIZE_PTR) this.deps.guest.write(copy, bytes);
    return copy;
  }

  // ---------------------------------------------------------------- actions and regions

  /** Keeps what a release function of the kernel's own needs. */
  private keep(dev: Vaddr, release: string, words: readonly number[]): boolean {
    const data = this.alloc(this.deps.symbol(release), 8 * words.length, GFP_ZEROED);
    if (data === 0) return false;
    words.forEach((word, i) => {
      writeInteger(this.deps, data + 8 * i, word, 8);
    });
    this.add(dev, data);
    return true;
  }

  private word(data: Vaddr, i: number): number {
    return readS64(this.deps, data + 8 * i);
  }

  private matches(words: readonly number[]): Match {
    return (data) => words.every((word, i) => this.word(data, i) === word);
  }

  /** @linux kernel/resource.c:__devm_request_region full */
  requestRegion(dev: Vaddr, parent: Vaddr, start: number, n: number, name: Vaddr): Vaddr {
    const res = this.resources().requestRegion(parent, start, n, name, 0);
    if (res === 0) return 0;
    if (this.keep(dev, 'devm_region_release', [parent, start, n])) return res;
    this.resources().releaseRegion(parent, start, n);
    return 0;
  }

  private ioremap(dev: Vaddr, start: number, size: number): Vaddr {
    const address = this.deps.callC(this.deps.symbol('ioremap'), 'p:zz', start, size);
    if (address === 0 || this.keep(dev, 'devm_ioremap_release', [address])) return address;
    this.deps.callC(this.deps.symbol('iounmap'), 'v:p', address);
    return 0;
  }

  /** Takes a resource's addresses and maps them. @linux lib/devres.c:__devm_ioremap_resource full */
  ioremapResource(dev: Vaddr, res: Vaddr): Vaddr {
    const IORESOURCE_MEM = 0x200;
    if (res === 0 || !(readS64(this.deps, res + Resource.o.flags) & IORESOURCE_MEM)) return -EINVAL;
    const start = readS64(this.deps, res + Resource.o.start);
    const size = readS64(this.deps, res + Resource.o.end) - start + 1;
    const name = readS64(this.deps, res + Resource.o.name);
    const { iomem } = this.resources();
    if (this.requestRegion(dev, iomem, start, size, name) === 0) return -EBUSY;
    const address = this.ioremap(dev, start, size);
    return address === 0 ? -ENOMEM : address;
  }

  private actionExports(): KernelExports {
    const { deps } = this;
    const add = (dev: Vaddr, action: Vaddr, data: Vaddr): number =>
      this.keep(dev, 'devm_action_release', [data, action]) ? 0 : -ENOMEM;
    const release = () => deps.symbol('devm_action_release');
    return {
      devm_add_action: ['i:ppp', add],
      devm_add_action_or_reset: [
        'i:ppp',
        (dev: Vaddr, action: Vaddr, data: Vaddr) => {
          const failed = add(dev, action, data);
          if (failed !== 0) deps.callC(action, 'v:p', data);
          return failed;
        },
      ],
      devm_remove_action: [
        'v:ppp',
        (dev: Vaddr, action: Vaddr, data: Vaddr) =>
          this.free(this.remove(dev, release(), this.matches([data, action]))),
      ],
      devm_release_action: [
        'v:ppp',
        (dev: Vaddr, action: Vaddr, data: Vaddr) =>
          void this.releaseFound(dev, release(), this.matches([data, action])),
      ],
      devm_action_release: [
        'v:pp',
        (_dev: Vaddr, data: Vaddr) => void deps.callC(this.word(data, 1), 'v:p', this.word(data, 0)),
      ],
    };
  }

  private regionExports(): KernelExports {
    const { deps } = this;
    return {
      __devm_request_region: [
        'p:ppzzp',
        (dev: Vaddr, parent: Vaddr, start: number, n: number, name: Vaddr) =>
          this.requestRegion(dev, parent, start, n, name),
      ],
      __devm_release_region: [
        'v:ppzz',
        (dev: Vaddr, parent: Vaddr, start: number, n: number) => {
          const release = deps.symbol('devm_region_release');
          this.releaseFound(dev, release, this.matches([parent, start, n]));
        },
      ],
      devm_region_release: [
        'v:pp',
        (_dev: Vaddr, data: Vaddr) =>
          this.resources().releaseRegion(this.word(data, 0), this.word(data, 1), this.word(data, 2)),
      ],
      devm_ioremap: ['p:pzz', (dev: Vaddr, start: number, size: number) => this.ioremap(dev, start, size)],
      devm_ioremap_release: [
        'v:pp',
        (_dev: Vaddr, data: Vaddr) => void deps.callC(deps.symbol('iounmap'), 'v:p', this.word(data, 0)),
      ],
      devm_iounmap: [
        'v:pp',
        (dev: Vaddr, address: Vaddr) =>
          void this.releaseFound(dev, deps.symbol('devm_ioremap_release'), this.matches([address])),
      ],
      devm_ioremap_resource: ['p:pp', (dev: Vaddr, res: Vaddr) => this.ioremapResource(dev, res)],
    };
  }

  private interruptExports(): KernelExports {
    const { deps } = this;
    return {
      devm_request_threaded_irq: [
        'i:pupppzp',
        (dev: Vaddr, irq: number, fn: Vaddr, thread: Vaddr, name: Vaddr, flags: number, id: Vaddr) => {
          const request = deps.symbol('request_threaded_irq');
          const named = name === 0 ? readS64(deps, dev) : name;
          const failed = deps.callC(request, 'i:uppzpp', irq, fn, thread, flags, named, id);
          if (failed < 0 || this.keep(dev, 'devm_irq_release', [irq, id])) return failed;
          this.freeIrq(irq, id);
          return -ENOMEM;
        },
      ],
      devm_free_irq: [
        'v:pup',
        (dev: Vaddr, irq: number, id: Vaddr) =>
          void this.releaseFound(dev, deps.symbol('devm_irq_release'), this.matches([irq, id])),
      ],
      dmam_alloc_coherent: [
        'p:pzpu',
        (dev: Vaddr, size: number, handle: Vaddr, gfp: number) => {
          const alloc = deps.symbol('dma_alloc_coherent');
          const address = deps.callC(alloc, 'p:pzpu', dev, size, handle, gfp);
          if (address !== 0) this.keep(dev, 'dmam_release', [address, size, readS64(deps, handle)]);
          return address;
        },
      ],
      dmam_release: [
        'v:pp',
        (dev: Vaddr, data: Vaddr) => {
          const [address, size, handle] = [0, 1, 2].map((i) => this.word(data, i));
          deps.callC(deps.symbol('dma_free_coherent'), 'v:pzpz', dev, size, address, handle);
        },
      ],
    };
  }

  /** A question of C's about a resource's data; without one any fits. */
  private asked(dev: Vaddr, match: Vaddr, wanted: Vaddr): Match {
    return (data) => match === 0 || this.deps.callC(match, 'i:ppp', dev, data, wanted) !== 0;
  }

  sleepingExports(): KernelExports {
    return {
      devm_irq_release: [
        'v:pp',
        (_dev: Vaddr, data: Vaddr) => void this.freeIrq(this.word(data, 0), this.word(data, 1)),
      ],
    };
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      ...this.actionExports(),
      ...this.regionExports(),
      ...this.interruptExports(),
      __devres_alloc_node: [
        'p:pzuip',
        (release: Vaddr, size: number, gfp: number, _node: number, name: Vaddr) =>
          this.alloc(release, size, gfp, name),
      ],
      __pagewalk_devres_pop: ['p:p', (dev: Vaddr) => this.pop(dev)],
      devres_free: ['v:p', (data: Vaddr) => this.free(data)],
      devres_add: ['v:pp', (dev: Vaddr, data: Vaddr) => this.add(dev, data)],
      devres_find: [
        'p:pppp',
        (dev: Vaddr, release: Vaddr, match: Vaddr, wanted: Vaddr) =>
          this.find(dev, release, this.asked(dev, match, wanted)),
      ],
      devres_remove: [
        'p:pppp',
        (dev: Vaddr, release: Vaddr, match: Vaddr, wanted: Vaddr) =>
          this.remove(dev, release, this.asked(dev, match, wanted)),
      ],
      devres_release: [
        'i:pppp',
        (dev: Vaddr, release: Vaddr, match: Vaddr, wanted: Vaddr) =>
          this.releaseFound(dev, release, this.asked(dev, match, wanted)),
      ],
      devres_destroy: [
        'i:pppp',
        (dev: Vaddr, release: Vaddr, match: Vaddr, wanted: Vaddr) => {
          const data = this.remove(dev, release, this.asked(dev, match, wanted));
          this.free(data);
          return data === 0 ? -ENOENT : 0;
        },
      ],
      devm_kmalloc: ['p:pzu', (dev: Vaddr, bytes: number, gfp: number) => this.kmalloc(dev, bytes, gfp)],
      devm_kmalloc_release: ['v:pp', () => undefined],
      devm_kfree: ['v:pp', (dev: Vaddr, object: Vaddr) => this.kfree(dev, object)],
      devm_kstrdup: [
        'p:ppu',
        (dev: Vaddr, s: Vaddr, gfp: number) =>
          s === 0 ? 0 : this.copy(dev, Uint8Array.of(...readCString(deps, s), 0), gfp),
      ],
      devm_kmemdup: [
        'p:ppzu',
        (dev: Vaddr, from: Vaddr, n: number, gfp: number) => this.copy(dev, deps.guest.read(from, n), gfp),
      ],
      devm_kasprintf: [
        'p:pup…',
        (dev: Vaddr, gfp: number, fmt: Vaddr, args: Vaddr) =>
          this.copy(dev, Uint8Array.of(...deps.format(fmt, args, 4096), 0), gfp),
      ],
    };
  }
}
