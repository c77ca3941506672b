// SPDX-License-Identifier: MIT
/**
 * Character devices: which numbers are whose, and which `struct cdev` answers for a number.
 *
 * Two lists, as in Linux: regions (who has reserved which numbers: /proc/devices) and cdevs (who answers).
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { Cdev, Device } from '../drivers/base/device_types.js';
import { EBUSY, EINVAL, ENOMEM, ENXIO } from '../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger } from '../lib/guest_access.js';
import { GuestList } from '../lib/guest_list.js';
import type { Kobjects } from '../lib/kobject.js';
import { initListHead, ListHead, listAddTail, listDel, listEntries } from '../lib/list.js';
import type { StaticData } from '../lib/static_data.js';
import { addr, chars, struct, uint } from '../lib/struct.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import type { FsDeps } from './fs_context.js';
import { File, FileOperations, Inode } from './fs_types.js';

export const MINORBITS = 20;
const MINORMASK = 2 ** MINORBITS - 1;
export const MAJOR = (dev: number): number => dev >>> MINORBITS;
export const MINOR = (dev: number): number => dev & MINORMASK;
export const MKDEV = (major: number, minor: number): number => ((major << MINORBITS) | minor) >>> 0;
const CHRDEV_MAJOR_MAX = 512;
const MISC_MAJOR = 10;
/** Majors are given out from these downwards. */
const DYN_END = 234;
const DYN_EXT_START = 511;
const DYN_EXT_END = 384;
const NAME_MAX = 63;

const CharDeviceStruct = struct('char_device_struct', {
  list: ListHead,
  major: uint,
  baseminor: uint,
  minorct: uint,
  name: chars(NAME_MAX + 1),
  cdev: addr('struct cdev'),
});
const Probe = struct('probe', { list: ListHead, dev: uint, range: uint, cdev: addr('struct cdev') });

export class CharDevices {
  private readonly regions: Handle;
  private readonly map: Handle;
  private readonly list: GuestList;

  constructor(
    private readonly deps: FsDeps,
    private readonly kobjects: Kobjects,
    data: StaticData,
  ) {
    this.regions = data.declare('chrdevs', 16);
    this.map = data.declare('cdev_map', 16);
    this.list = new GuestList(deps);
  }

  boot(): void {
    initListHead(this.deps.ram, this.regions);
    initListHead(this.deps.ram, this.map);
    this.addRegion(MISC_MAJOR, 0, 2 ** MINORBITS, 'misc');
  }

  // ---------------------------------------------------------------- numbers

  private region(node: Handle) {
    return CharDeviceStruct.at(this.deps.ram, node);
  }

  private allRegions(): Handle[] {
    return [...listEntries(this.deps.ram, this.regions)];
  }

  private nameOf(node: Handle): string {
    const { name } = this.region(node);
    return decodeUtf8(name.subarray(0, name.indexOf(0)));
  }

  /** Numbers as /proc/devices shows them. */
  devices(): { major: number; name: string }[] {
    const seen = new Set<string>();
    return this.allRegions()
      .map((node) => ({ major: this.region(node).major, name: this.nameOf(node) }))
      .filter(({ major, name }) => !seen.has(`${major} ${name}`) && seen.add(`${major} ${name}`))
      .sort((a, b) => a.major - b.major);
  }

  /** @linux fs/char_dev.c:find_dynamic_major full */
  private dynamicMajor(): number {
    const used = new Set(this.allRegions().map((node) => this.region(node).major));
    for (let major = 254; major >= DYN_END; major--) if (!used.has(major)) return major;
    for (let major = DYN_EXT_START; major >= DYN_EXT_END; major--) if (!used.has(major)) return major;
    return -EBUSY;
  }

  /** @linux fs/char_dev.c:__register_chrdev_region full */
  private addRegion(wanted: number, baseminor: number, count: number, name: string): Handle | number {
    const { deps } = this;
    const major = wanted === 0 ? this.dynamicMajor() : wanted;
    if (major < 0) return major;
    if (major >= CHRDEV_MAJOR_MAX || count < 1 || count > MINORMASK + 1 - baseminor) return -EINVAL;
    const overlaps = this.allRegions().some((node) => {
      const r = this.region(node);
      return r.major === major && baseminor < r.baseminor + r.minorct && r.baseminor < baseminor + count;
    });
    if (overlaps) return -EBUSY;
    const address = deps.kmalloc(CharDeviceStruct.size);
    if (address === 0) return -ENOMEM;
    const node = deps.ram.handleOf(address);
    deps.ram.fill(node * 4, CharDeviceStruct.size, 0);
    const r = this.region(node);
    r.major = major;
    r.baseminor = baseminor;
    r.minorct = count;
    r.name.set(encodeUtf8(name).subarray(0, NAME_MAX));
    listAddTail(deps.ram, node, this.regions);
    return node;
  }

  /** The region that begins at a number; taken off the list. */
  private takeRegion(major: number, baseminor: number, count: number): Handle {
    const node = this.allRegions().find((at) => {
      const r = this.region(at);
      return r.major === major && r.baseminor === baseminor && r.minorct === count;
    });
    if (node === undefined) return 0;
    listDel(this.deps.ram, node);
    return node;
  }

  private free(node: Handle): void {
    if (node !== 0) this.deps.kfree(this.deps.ram.addressOf(node));
  }

  /** @linux fs/char_dev.c:register_chrdev_region full */
  registerRegion(from: number, count: number, name: string): number {
    const done: [number, number, number][] = [];
    for (let at = from; at < from + count; ) {
      const n = Math.min(from + count, MKDEV(MAJOR(at) + 1, 0)) - at;
      const added = this.addRegion(MAJOR(at), MINOR(at), n, name);
      if (added <= 0) {
        for (const region of done) this.free(this.takeRegion(...region));
        return added;
      }
      done.push([MAJOR(at), MINOR(at), n]);
      at += n;
    }
    return 0;
  }

  /** @linux fs/char_dev.c:unregister_chrdev_region full */
  unregisterRegion(from: number, count: number): void {
    for (let at = from; at < from + count; ) {
      const n = Math.min(from + count, MKDEV(MAJOR(at) + 1, 0)) - at;
      this.free(this.takeRegion(MAJOR(at), MINOR(at), n));
      at += n;
    }
  }

  private allocRegion(dev: Vaddr, baseminor: number, count: number, name: string): number {
    const node = this.addRegion(0, baseminor, count, name);
    if (node <= 0) return node;
    writeInteger(this.deps, dev, MKDEV(this.region(node).major, baseminor), 4);
    return 0;
  }

  /** @linux fs/char_dev.c:__register_chrdev full */
  register(major: number, baseminor: number, count: number, name: string, fops: Vaddr): number {
    const node = this.addRegion(major, baseminor, count, name);
    if (node <= 0) return node;
    const cdev = this.alloc();
    if (cdev === 0) {
      listDel(this.deps.ram, node);
      this.free(node);
      return -ENOMEM;
    }
    writeInteger(this.deps, cdev + Cdev.o.owner, readS64(this.deps, fops + FileOperations.o.owner), 8);
    writeInteger(this.deps, cdev + Cdev.o.ops, fops, 8);
    this.kobjects.setName(cdev, name);
    const r = this.region(node);
    const error = this.add(cdev, MKDEV(r.major, baseminor), count);
    if (error !== 0) {
      this.kobjects.putRef(cdev);
      listDel(this.deps.ram, node);
      this.free(node);
      return error;
    }
    r.cdev = cdev;
    return major === 0 ? r.major : 0;
  }

  /** @linux fs/char_dev.c:__unregister_chrdev full */
  private unregister(major: number, baseminor: number, count: number): void {
    const node = this.takeRegion(major, baseminor, count);
    if (node === 0) return;
    const { cdev } = this.region(node);
    if (cdev !== 0) this.del(cdev);
    this.free(node);
  }

  // ---------------------------------------------------------------- cdevs

  private init(cdev: Vaddr, fops: Vaddr): void {
    this.deps.guest.write(cdev, new Uint8Array(Cdev.size));
    this.list.init(cdev + Cdev.o.list);
    this.kobjects.init(cdev, this.deps.symbol('ktype_cdev_default'));
    writeInteger(this.deps, cdev + Cdev.o.ops, fops, 8);
  }

  /** @linux fs/char_dev.c:cdev_alloc full */
  private alloc(): Vaddr {
    const cdev = this.kobjects.allocate(Cdev.size);
    if (cdev === 0) return 0;
    this.list.init(cdev + Cdev.o.list);
    this.kobjects.init(cdev, this.deps.symbol('ktype_cdev_dynamic'));
    return cdev;
  }

  /** @linux fs/char_dev.c:cdev_add full */
  add(cdev: Vaddr, dev: number, count: number): number {
    const { deps } = this;
    writeInteger(deps, cdev + Cdev.o.dev, dev, 4);
    writeInteger(deps, cdev + Cdev.o.count, count, 4);
    if (dev === 0) {
      deps.env.reports.warn('fs/char_dev.c', 489, 'cdev_add');
      return -EBUSY;
    }
    const address = deps.kmalloc(Probe.size);
    if (address === 0) return -ENOMEM;
    const probe = Probe.at(deps.ram, deps.ram.handleOf(address));
    probe.dev = dev;
    probe.range = count;
    probe.cdev = cdev;
    listAddTail(deps.ram, probe.h, this.map);
    this.kobjects.getRef(this.kobjects.get(cdev, 'parent'));
    return 0;
  }

  /** @linux fs/char_dev.c:cdev_del full */
  private del(cdev: Vaddr): void {
    const { ram } = this.deps;
    for (const node of [...listEntries(ram, this.map)]) {
      if (Probe.at(ram, node).cdev !== cdev) continue;
      listDel(ram, node);
      this.free(node);
    }
    this.kobjects.putRef(cdev);
  }

  /** The cdev of a number, the one of the narrowest range; 0 if there is none. */
  private find(dev: number): Vaddr {
    const { ram } = this.deps;
    let best: { range: number; cdev: Vaddr } | undefined;
    for (const node of listEntries(ram, this.map)) {
      const { dev: first, range, cdev } = Probe.at(ram, node);
      if (dev >= first && dev < first + range && (!best || range < best.range)) best = { range, cdev };
    }
    return best?.cdev ?? 0;
  }

  private ownerOf(at: Vaddr): Handle {
    const owner = readS64(this.deps, at);
    return owner === 0 ? 0 : this.deps.guest.translate(owner) / 4;
  }

  /**
   * Gives a file of a device node the functions of its driver.
   * @returns 0 or a negative errno
   * @linux fs/char_dev.c:chrdev_open partial: the driver's own open is called by the caller
   */
  open(file: Handle, inode: Handle): number {
    const { ram } = this.deps;
    const i = Inode.at(ram, inode);
    if (MAJOR(i.i_rdev) === MISC_MAJOR) return this.openMisc(file, MINOR(i.i_rdev));
    const cdev = this.find(i.i_rdev);
    if (cdev === 0 || !this.getCdev(cdev)) return -ENXIO;
    const fops = readS64(this.deps, cdev + Cdev.o.ops);
    if (fops === 0 || !this.deps.modules().tryGet(this.ownerOf(fops + FileOperations.o.owner))) {
      this.putCdev(cdev);
      return -ENXIO;
    }
    i.i_cdev = cdev;
    File.at(ram, file).f_op = fops;
    return 0;
  }

  /** The table of functions of a misc device, and its address for private_data. */
  misc: (minor: number) => { fops: Vaddr; misc: Vaddr } | number = () => -ENXIO;

  private openMisc(file: Handle, minor: number): number {
    const found = this.misc(minor);
    if (typeof found === 'number') return found;
    const f = File.at(this.deps.ram, file);
    f.f_op = found.fops;
    f.private_data = found.misc;
    return 0;
  }

  /** What open took of the cdev. */
  close(inode: Handle): void {
    if (MAJOR(Inode.at(this.deps.ram, inode).i_rdev) === MISC_MAJOR) return;
    this.putCdev(Inode.at(this.deps.ram, inode).i_cdev);
  }

  /** @linux fs/char_dev.c:cdev_get full */
  private getCdev(cdev: Vaddr): boolean {
    const owner = this.ownerOf(cdev + Cdev.o.owner);
    if (!this.deps.modules().tryGet(owner)) return false;
    if (this.kobjects.getUnlessZero(cdev) !== 0) return true;
    this.deps.modules().put(owner);
    return false;
  }

  /** @linux fs/char_dev.c:cdev_put full */
  private putCdev(cdev: Vaddr): void {
    if (cdev === 0) return;
    const owner = this.ownerOf(cdev + Cdev.o.owner);
    this.kobjects.putRef(cdev);
    this.deps.modules().put(owner);
  }

  exports(deviceAdd: (dev: Vaddr) => number, deviceDel: (dev: Vaddr) => void): KernelExports {
    const { deps } = this;
    const string = (at: Vaddr) => decodeUtf8(readCString(deps, at, NAME_MAX));
    const devt = (dev: Vaddr) => readUnsigned(deps, dev + Device.o.devt, 4);
    return {
      alloc_chrdev_region: [
        'i:puup',
        (dev: Vaddr, base: number, n: number, name: Vaddr) => this.allocRegion(dev, base, n, string(name)),
      ],
      register_chrdev_region: [
        'i:uup',
        (from: number, n: number, name: Vaddr) => this.registerRegion(from, n, string(name)),
      ],
      unregister_chrdev_region: ['v:uu', (from: number, n: number) => this.unregisterRegion(from, n)],
      __register_chrdev: [
        'i:uuupp',
        (major: number, base: number, n: number, name: Vaddr, fops: Vaddr) =>
          this.register(major, base, n, string(name), fops),
      ],
      __unregister_chrdev: [
        'v:uuup',
        (major: number, base: number, n: number) => this.unregister(major, base, n),
      ],
      cdev_init: ['v:pp', (cdev: Vaddr, fops: Vaddr) => this.init(cdev, fops)],
      cdev_alloc: ['p:', () => this.alloc()],
      cdev_put: ['v:p', (cdev: Vaddr) => this.putCdev(cdev)],
      cdev_add: ['i:puu', (cdev: Vaddr, dev: number, n: number) => this.add(cdev, dev, n)],
      cdev_set_parent: ['v:pp', (cdev: Vaddr, parent: Vaddr) => this.kobjects.set(cdev, 'parent', parent)],
      cdev_device_add: [
        'i:pp',
        (cdev: Vaddr, dev: Vaddr) => {
          if (devt(dev) !== 0) {
            this.kobjects.set(cdev, 'parent', dev);
            const error = this.add(cdev, devt(dev), 1);
            if (error !== 0) return error;
          }
          const error = deviceAdd(dev);
          if (error !== 0 && devt(dev) !== 0) this.del(cdev);
          return error;
        },
      ],
      cdev_device_del: [
        'v:pp',
        (cdev: Vaddr, dev: Vaddr) => {
          deviceDel(dev);
          if (devt(dev) !== 0) this.del(cdev);
        },
      ],
      cdev_del: ['v:p', (cdev: Vaddr) => this.del(cdev)],
      register_blkdev: ['i:up', (major: number) => (major === 0 ? 259 : 0)],
      unregister_blkdev: ['v:up', () => undefined],
      cdev_default_release: ['v:p', (cdev: Vaddr) => this.released(cdev)],
      cdev_dynamic_release: [
        'v:p',
        (cdev: Vaddr) => {
          this.released(cdev);
          deps.kfree(cdev);
        },
      ],
    };
  }

  /** A cdev's last reference is gone, and with it the one it had of its parent. */
  private released(cdev: Vaddr): void {
    const parent = this.kobjects.get(cdev, 'parent');
    if (parent !== 0) this.kobjects.putRef(parent);
  }
}
