// SPDX-License-Identifier: MIT
/** Devices of major 10: each has a minor number and a table of functions of its own, and no class to make. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { MKDEV } from '../../fs/char_dev.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { FileOperations } from '../../fs/fs_types.js';
import { EBUSY, EINVAL, ENODEV } from '../../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import type { StaticData } from '../../lib/static_data.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Classes } from '../base/class.js';
import type { Devices } from '../base/core.js';
import { Class, Device, Miscdevice } from '../base/device_types.js';

export const MISC_MAJOR = 10;
const MISC_DYNAMIC_MINOR = 255;
/** Dynamic minors go from 127 down to 64, then from 256 up. */
const DYNAMIC_MINORS = 128;
const M = Miscdevice.o;
const DRIVER_DATA = Device.o.driver_data;

export class MiscDevices {
  private readonly head: Handle;
  private readonly cls: Handle;
  private readonly list: GuestList;

  constructor(
    private readonly deps: FsDeps,
    private readonly devices: Devices,
    private readonly classes: Classes,
    data: StaticData,
    /** The kobject of /sys/class/misc. */
    private readonly folder: () => Vaddr,
  ) {
    this.head = data.declare('misc_list', 16);
    this.cls = data.declare('misc_class', Class.size + 8);
    this.list = new GuestList(deps);
  }

  boot(): void {
    const { ram } = this.deps;
    this.list.init(ram.addressOf(this.head));
    const cls = ram.addressOf(this.cls);
    const name = cls + Class.size;
    this.classes.adopt(cls, 'misc', name);
    writeInteger(this.deps, cls + Class.o.p, this.folder(), 8);
    writeInteger(this.deps, cls + Class.o.devnode, this.deps.symbol('misc_devnode'), 8);
  }

  private get(misc: Vaddr, field: keyof typeof M): Vaddr {
    return readS64(this.deps, misc + M[field]);
  }

  private minor(misc: Vaddr): number {
    return readUnsigned(this.deps, misc + M.minor, 4);
  }

  private string(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 255));
  }

  /** The registered devices, newest first. */
  private *all(): Generator<Vaddr> {
    for (const node of this.list.nodes(this.deps.ram.addressOf(this.head))) yield node - M.list;
  }

  private byMinor(minor: number): Vaddr {
    for (const misc of this.all()) if (this.minor(misc) === minor) return misc;
    return 0;
  }

  private freeMinor(): number {
    const used = new Set([...this.all()].map((misc) => this.minor(misc)));
    for (let minor = DYNAMIC_MINORS - 1; minor >= 0; minor--) if (!used.has(minor)) return minor;
    for (let minor = 256; minor < 2 ** 20; minor++) if (!used.has(minor)) return minor;
    return -EBUSY;
  }

  /** @linux drivers/char/misc.c:misc_register full */
  register(misc: Vaddr): number {
    const { deps } = this;
    this.list.init(misc + M.list);
    const dynamic = this.minor(misc) === MISC_DYNAMIC_MINOR;
    const minor = dynamic ? this.freeMinor() : this.minor(misc);
    if (minor < 0 || (!dynamic && this.byMinor(minor) !== 0)) return -EBUSY;
    writeInteger(deps, misc + M.minor, minor, 4);
    const name = this.string(this.get(misc, 'name'));
    if (name === '') return -EINVAL;
    const cls = deps.ram.addressOf(this.cls);
    const dev = this.devices.create(
      cls,
      this.get(misc, 'parent'),
      MKDEV(MISC_MAJOR, minor),
      misc,
      this.get(misc, 'groups'),
      name,
    );
    if (dev < 0 && dev >= -4095) {
      if (dynamic) writeInteger(deps, misc + M.minor, MISC_DYNAMIC_MINOR, 4);
      return dev;
    }
    writeInteger(deps, misc + M.this_device, dev, 8);
    this.list.add(misc + M.list, deps.ram.addressOf(this.head));
    return 0;
  }

  /** @linux drivers/char/misc.c:misc_deregister full */
  deregister(misc: Vaddr): void {
    if (this.list.empty(misc + M.list)) {
      this.deps.env.reports.warn('drivers/char/misc.c', 258, 'misc_deregister');
      return;
    }
    this.list.delInit(misc + M.list);
    const dev = this.get(misc, 'this_device');
    if (dev !== 0) this.devices.unregister(dev);
  }

  /**
   * The functions of a minor number, and where its device goes in file->private_data.
   * @linux drivers/char/misc.c:misc_open partial: no module is asked for
   */
  open(minor: number): { fops: Vaddr; misc: Vaddr } | number {
    const misc = this.byMinor(minor);
    if (misc === 0) return -ENODEV;
    const fops = this.get(misc, 'fops');
    const owner = fops === 0 ? 0 : readS64(this.deps, fops + FileOperations.o.owner);
    if (owner !== 0 && !this.deps.modules().tryGet(this.deps.guest.translate(owner) / 4)) return -ENODEV;
    return fops === 0 ? -ENODEV : { fops, misc };
  }

  /** /proc/misc. */
  text(): string {
    return [...this.all()]
      .map(
        (misc) =>
          `${String(this.minor(misc)).padStart(3)} ${this.string(this.get(misc, 'name')) || '(null)'}\n`,
      )
      .join('');
  }

  /** What the device of a class is called in /dev: miscdevice.nodename and .mode. */
  private devnode(dev: Vaddr, mode: Vaddr): Vaddr {
    const { deps } = this;
    const misc = readS64(deps, dev + DRIVER_DATA);
    const bits = readUnsigned(deps, misc + M.mode, 2);
    if (mode !== 0 && bits !== 0) writeInteger(deps, mode, bits, 2);
    const name = this.get(misc, 'nodename');
    if (name === 0) return 0;
    const bytes = encodeUtf8(`${this.string(name)}\0`);
    const copy = deps.kmalloc(bytes.length);
    if (copy !== 0) deps.guest.write(copy, bytes);
    return copy;
  }

  exports(): KernelExports {
    return {
      misc_register: ['i:p', (misc: Vaddr) => this.register(misc)],
      misc_deregister: ['v:p', (misc: Vaddr) => this.deregister(misc)],
      misc_devnode: ['p:pp', (dev: Vaddr, mode: Vaddr) => this.devnode(dev, mode)],
    };
  }
}
