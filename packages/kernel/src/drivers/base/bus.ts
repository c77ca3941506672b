// SPDX-License-Identifier: MIT
/**
 * Buses: which devices and drivers there are on one, which belong together, and what sysfs shows of it.
 *
 *     bus->p   { kobject bus/NAME, its folders devices and drivers, lists of both }
 *     dev->p   { its link on the bus, whether its probe was put off }
 *     drv->p   { kobject bus/NAME/drivers/DRIVER, its link on the bus }
 *
 * probe() and remove() of drivers may sleep, so it is C that calls them, in <linux/device/driver.h>; here are the steps
 * before, between and after those calls.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import type { Sysfs } from '../../fs/sysfs/sysfs.js';
import { KERN_CRIT, KERN_ERR, KERN_WARNING } from '../../lib/env.js';
import { EBUSY, EINVAL, EIO, ENODEV, ENOMEM, ENXIO } from '../../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import type { Kobjects } from '../../lib/kobject.js';
import { Kobject, KobjType, SysfsOps } from '../../lib/kobject_types.js';
import { ListHead } from '../../lib/list.js';
import { addr, struct, uint } from '../../lib/struct.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Devices } from './core.js';
import { BusType, Device, DeviceDriver } from './device_types.js';
import type { Devres } from './devres.js';

const EPROBE_DEFER = 517;
/** Where show() and store() lie in `struct driver_attribute` and `struct bus_attribute`. */
const SHOW = 16;
const STORE = 24;

const SubsysPrivate = struct('subsys_private', {
  kobj: Kobject,
  devices_kobj: addr('struct kobject'),
  drivers_kobj: addr('struct kobject'),
  bus: addr('struct bus_type'),
  devices: ListHead,
  drivers: ListHead,
});
const DevicePrivate = struct('device_private', {
  node: ListHead,
  device: addr('struct device'),
  deferred: uint,
});
const DriverPrivate = struct('driver_private', {
  kobj: Kobject,
  node: ListHead,
  driver: addr('struct device_driver'),
});

/** Values of device_private.deferred. */
const DEFERRED = 1;
const RETRY = 2;

const B = BusType.o;
const V = DeviceDriver.o;
const D = Device.o;
const S = SubsysPrivate.o;

export class Buses {
  private readonly list: GuestList;
  private readonly busKobj: Handle;
  private readonly tables: { readonly [name: string]: Handle };

  constructor(
    private readonly deps: FsDeps,
    private readonly kobjects: Kobjects,
    private readonly sysfs: Sysfs,
    private readonly devices: Devices,
    private readonly devres: Devres,
  ) {
    const { data } = deps.env;
    this.list = new GuestList(deps);
    this.busKobj = data.declareObject('bus_kobj', Kobject.size);
    this.tables = {
      bus: data.declare('bus_ktype', KobjType.size),
      driver: data.declare('driver_ktype', KobjType.size),
      busOps: data.declare('bus_sysfs_ops', SysfsOps.size),
      driverOps: data.declare('driver_sysfs_ops', SysfsOps.size),
    };
  }

  /** @param folder the node of /sys/bus */
  boot(folder: Handle): void {
    const { ram, symbol } = this.deps;
    const k = Kobject.at(ram, this.busKobj);
    k.sd = ram.addressOf(folder);
    k.kref = 1 << 20; // the kernel's own: nobody takes the last reference
    k.state = 3;
    k.ktype = symbol('dynamic_kobj_ktype');
    for (const [kind, release] of [
      ['bus', 'bus_release'],
      ['driver', 'driver_release'],
    ] as const) {
      const ops = SysfsOps.at(ram, this.tables[`${kind}Ops`]);
      ops.show = symbol(`${kind}_attr_show`);
      ops.store = symbol(`${kind}_attr_store`);
      const type = KobjType.at(ram, this.tables[kind]);
      type.release = symbol(release);
      type.sysfs_ops = symbol(`${kind}_sysfs_ops`);
    }
  }

  // ---------------------------------------------------------------- fields

  private get(at: Vaddr, offset: number): Vaddr {
    return readS64(this.deps, at + offset);
  }

  private set(at: Vaddr, offset: number, value: Vaddr): void {
    writeInteger(this.deps, at + offset, value, 8);
  }

  private text(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 255));
  }

  private log(level: number, text: string): void {
    this.deps.env.log.log(level, text);
  }

  busOf(dev: Vaddr): Vaddr {
    return this.get(dev, D.bus);
  }

  private driverOf(dev: Vaddr): Vaddr {
    return this.get(dev, D.driver);
  }

  private driverName(drv: Vaddr): string {
    return this.text(this.get(drv, V.name));
  }

  private devicesOn(bus: Vaddr): Vaddr[] {
    const p = bus === 0 ? 0 : this.get(bus, B.p);
    if (p === 0) return [];
    return [...this.list.nodes(p + S.devices)].map((node) => this.get(node, DevicePrivate.o.device));
  }

  private driversOn(bus: Vaddr): Vaddr[] {
    const p = bus === 0 ? 0 : this.get(bus, B.p);
    if (p === 0) return [];
    const toDriver = DriverPrivate.o.driver - DriverPrivate.o.node;
    return [...this.list.nodes(p + S.drivers)].map((node) => this.get(node, toDriver));
  }

  /** What comes after something in a list; the first for nothing; 0 after the last. */
  private after(all: readonly Vaddr[], previous: Vaddr, wanted: (at: Vaddr) => boolean = () => true): Vaddr {
    const from = previous === 0 ? 0 : all.indexOf(previous) + 1;
    return all.slice(from).find(wanted) ?? 0;
  }

  // ---------------------------------------------------------------- buses

  /** @linux drivers/base/bus.c:bus_register partial: no uevents, no files for probing by hand */
  register(bus: Vaddr): number {
    const p = this.kobjects.allocate(SubsysPrivate.size);
    if (p === 0) return -ENOMEM;
    this.set(p, S.bus, bus);
    this.list.init(p + S.devices);
    this.list.init(p + S.drivers);
    this.kobjects.init(p, this.deps.symbol('bus_ktype'));
    const { ram } = this.deps;
    const failed = this.kobjects.add(p, ram.addressOf(this.busKobj), this.text(this.get(bus, B.name)));
    if (failed !== 0) {
      this.kobjects.putRef(p);
      return failed;
    }
    this.set(bus, B.p, p);
    this.set(p, S.devices_kobj, this.kobjects.createAndAdd('devices', p));
    this.set(p, S.drivers_kobj, this.kobjects.createAndAdd('drivers', p));
    return this.sysfs.createGroups(p, this.get(bus, B.bus_groups));
  }

  private unregister(bus: Vaddr): void {
    const p = this.get(bus, B.p);
    if (p === 0) return;
    this.kobjects.putRef(this.get(p, S.drivers_kobj));
    this.kobjects.putRef(this.get(p, S.devices_kobj));
    this.set(bus, B.p, 0);
    this.kobjects.del(p);
    this.kobjects.putRef(p);
  }

  // ---------------------------------------------------------------- devices

  /** A device that is in sysfs now joins its bus. @linux drivers/base/bus.c:bus_add_device full */
  addDevice(dev: Vaddr): number {
    const bus = this.busOf(dev);
    const p = bus === 0 ? 0 : this.get(bus, B.p);
    if (p === 0) return 0;
    const own = this.kobjects.allocate(DevicePrivate.size);
    if (own === 0) return -ENOMEM;
    this.set(own, DevicePrivate.o.device, dev);
    this.set(dev, D.p, own);
    this.list.addTail(own, p + S.devices);
    const dir = this.sysfs.dirOf(dev);
    const name = this.devices.nameOf(dev);
    this.sysfs.createLink(this.sysfs.dirOf(this.get(p, S.devices_kobj)), dir, name, dev);
    this.sysfs.createLink(dir, this.sysfs.dirOf(p), 'subsystem');
    return this.sysfs.createGroups(dev, this.get(bus, B.dev_groups));
  }

  /** A device that is still in sysfs leaves its bus. @linux drivers/base/bus.c:bus_remove_device full */
  removeDevice(dev: Vaddr): void {
    const own = this.get(dev, D.p);
    const bus = this.busOf(dev);
    if (own === 0 || bus === 0) return;
    const p = this.get(bus, B.p);
    if (this.driverOf(dev) !== 0) this.unlinkDriver(dev, this.driverOf(dev));
    if (p !== 0) this.removeLink(this.get(p, S.devices_kobj), this.devices.nameOf(dev));
    this.list.delInit(own);
    this.set(dev, D.p, 0);
    this.deps.kfree(own);
  }

  private removeLink(kobj: Vaddr, name: string): void {
    this.sysfs.removeLink(this.sysfs.dirOf(kobj), name);
  }

  /** @linux include/linux/device.h:driver_match_device full */
  private matches(dev: Vaddr, drv: Vaddr): boolean {
    const match = this.get(this.get(drv, V.bus), B.match);
    return match === 0 || this.deps.callC(match, 'i:pp', dev, drv) > 0;
  }

  // ---------------------------------------------------------------- drivers

  /** @linux drivers/base/driver.c:driver_register partial: no probing from other threads */
  private addDriver(drv: Vaddr): number {
    const bus = this.get(drv, V.bus);
    const p = bus === 0 ? 0 : this.get(bus, B.p);
    const name = this.driverName(drv);
    if (p === 0) {
      const why = 'because the bus was not initialized.';
      const where = bus === 0 ? '' : this.text(this.get(bus, B.name));
      this.log(KERN_ERR, `Driver '${name}' was unable to register with bus_type '${where}' ${why}`);
      return -EINVAL;
    }
    if (this.driversOn(bus).some((other) => this.driverName(other) === name)) {
      this.log(KERN_ERR, `Error: Driver '${name}' is already registered, aborting...`);
      return -EBUSY;
    }
    const own = this.kobjects.allocate(DriverPrivate.size);
    if (own === 0) return -ENOMEM;
    this.set(own, DriverPrivate.o.driver, drv);
    this.kobjects.init(own, this.deps.symbol('driver_ktype'));
    const failed = this.kobjects.add(own, this.get(p, S.drivers_kobj), name);
    if (failed !== 0) {
      this.kobjects.putRef(own);
      return failed;
    }
    this.set(drv, V.p, own);
    this.list.addTail(own + DriverPrivate.o.node, p + S.drivers);
    return (
      this.sysfs.createGroups(own, this.get(bus, B.drv_groups)) ||
      this.sysfs.createGroups(own, this.get(drv, V.groups))
    );
  }

  private removeDriver(drv: Vaddr): void {
    const own = this.get(drv, V.p);
    if (own === 0) {
      this.deps.env.reports.warn(
        'drivers/base/driver.c',
        270,
        'driver_unregister',
        'Unexpected driver unregister!',
      );
      return;
    }
    this.list.delInit(own + DriverPrivate.o.node);
    this.set(drv, V.p, 0);
    this.kobjects.del(own);
    this.kobjects.putRef(own);
  }

  // ---------------------------------------------------------------- binding

  /** Before a driver's probe(): 0, or why it must not be called. @linux drivers/base/dd.c:really_probe partial: no pins, no power, no DMA */
  private probeBegin(dev: Vaddr, drv: Vaddr): number {
    const head = dev + D.devres_head;
    if (this.list.next(head) !== head) {
      this.log(KERN_CRIT, `${this.devices.prefix(dev)}: Resources present before probing`);
      return -EBUSY;
    }
    this.set(dev, D.driver, drv);
    const dir = this.sysfs.dirOf(dev);
    const home = this.sysfs.dirOf(this.get(drv, V.p));
    this.sysfs.createLink(home, dir, this.devices.nameOf(dev));
    this.sysfs.createLink(dir, home, 'driver');
    return 0;
  }

  private unlinkDriver(dev: Vaddr, drv: Vaddr): void {
    const own = this.get(drv, V.p);
    if (own !== 0) this.removeLink(own, this.devices.nameOf(dev));
    this.removeLink(dev, 'driver');
  }

  /** The device has no driver any more. @linux drivers/base/dd.c:device_unbind_cleanup full */
  private unbound(dev: Vaddr): void {
    this.devres.releaseAll(dev);
    this.set(dev, D.driver, 0);
    this.set(dev, D.driver_data, 0);
  }

  /** After probe(). @returns 0 if the device is bound */
  private probeEnd(dev: Vaddr, drv: Vaddr, result: number): number {
    const own = this.get(dev, D.p);
    if (result === 0) {
      this.sysfs.createGroups(dev, this.get(drv, V.dev_groups));
      this.setDeferred(own, 0);
      this.retryDeferred(this.busOf(dev));
      return 0;
    }
    this.unlinkDriver(dev, drv);
    this.unbound(dev);
    if (result === -EPROBE_DEFER) this.setDeferred(own, DEFERRED);
    else if (result !== -ENODEV && result !== -ENXIO)
      this.log(
        KERN_WARNING,
        `${this.driverName(drv)}: probe of ${this.devices.nameOf(dev)} failed with error ${result}`,
      );
    return result;
  }

  private setDeferred(own: Vaddr, value: number): void {
    if (own !== 0) writeInteger(this.deps, own + DevicePrivate.o.deferred, value, 4);
  }

  private deferred(dev: Vaddr): number {
    const own = this.get(dev, D.p);
    return own === 0 ? 0 : readUnsigned(this.deps, own + DevicePrivate.o.deferred, 4);
  }

  /** A driver has found its device: those that were put off may find theirs now. */
  private retryDeferred(bus: Vaddr): void {
    for (const dev of this.devicesOn(bus))
      if (this.deferred(dev) === DEFERRED) this.setDeferred(this.get(dev, D.p), RETRY);
  }

  /** A device whose probe is to be tried again; 0 if there is none. */
  private nextDeferred(bus: Vaddr): Vaddr {
    const dev = this.devicesOn(bus).find((at) => this.deferred(at) === RETRY) ?? 0;
    if (dev !== 0) this.setDeferred(this.get(dev, D.p), DEFERRED);
    return dev;
  }

  /** Before remove(): the device's driver, 0 if it has none. */
  private removeBegin(dev: Vaddr): Vaddr {
    const drv = this.driverOf(dev);
    if (drv === 0) return 0;
    this.sysfs.removeGroups(dev, this.get(drv, V.dev_groups));
    this.unlinkDriver(dev, drv);
    return drv;
  }

  exports(): KernelExports {
    return { ...this.bindingExports(), ...this.busExports(), ...this.attributeExports() };
  }

  private bindingExports(): KernelExports {
    const isFree = (dev: Vaddr) => this.driverOf(dev) === 0;
    return {
      __pagewalk_driver_add: ['i:p', (drv: Vaddr) => this.addDriver(drv)],
      __pagewalk_driver_del: ['v:p', (drv: Vaddr) => this.removeDriver(drv)],
      __pagewalk_probe_begin: ['i:pp', (dev: Vaddr, drv: Vaddr) => this.probeBegin(dev, drv)],
      __pagewalk_probe_end: [
        'i:ppi',
        (dev: Vaddr, drv: Vaddr, result: number) => this.probeEnd(dev, drv, result),
      ],
      __pagewalk_remove_begin: ['p:p', (dev: Vaddr) => this.removeBegin(dev)],
      __pagewalk_remove_end: ['v:p', (dev: Vaddr) => this.unbound(dev)],
      __pagewalk_next_device: [
        'p:pp',
        (drv: Vaddr, previous: Vaddr) =>
          this.after(
            this.devicesOn(this.get(drv, V.bus)),
            previous,
            (dev) => isFree(dev) && this.matches(dev, drv),
          ),
      ],
      __pagewalk_next_driver: [
        'p:pp',
        (dev: Vaddr, previous: Vaddr) =>
          this.after(this.driversOn(this.busOf(dev)), previous, (drv) => this.matches(dev, drv)),
      ],
      __pagewalk_next_bound: [
        'p:pp',
        (drv: Vaddr, previous: Vaddr) =>
          this.after(this.devicesOn(this.get(drv, V.bus)), previous, (dev) => this.driverOf(dev) === drv),
      ],
      __pagewalk_next_deferred: ['p:p', (bus: Vaddr) => this.nextDeferred(bus)],
    };
  }

  private busExports(): KernelExports {
    return {
      bus_register: ['i:p', (bus: Vaddr) => this.register(bus)],
      bus_unregister: ['v:p', (bus: Vaddr) => this.unregister(bus)],
      __pagewalk_bus_next_dev: [
        'p:pp',
        (bus: Vaddr, previous: Vaddr) => this.after(this.devicesOn(bus), previous),
      ],
      __pagewalk_bus_next_drv: [
        'p:pp',
        (bus: Vaddr, previous: Vaddr) => this.after(this.driversOn(bus), previous),
      ],
      driver_find: [
        'p:pp',
        (name: Vaddr, bus: Vaddr) =>
          this.driversOn(bus).find((drv) => this.driverName(drv) === this.text(name)) ?? 0,
      ],
      bus_create_file: ['i:pp', (bus: Vaddr, attr: Vaddr) => this.sysfs.createFile(this.get(bus, B.p), attr)],
      bus_remove_file: ['v:pp', (bus: Vaddr, attr: Vaddr) => this.sysfs.removeFile(this.get(bus, B.p), attr)],
      driver_create_file: [
        'i:pp',
        (drv: Vaddr, attr: Vaddr) => (drv === 0 ? -EINVAL : this.sysfs.createFile(this.get(drv, V.p), attr)),
      ],
      driver_remove_file: [
        'v:pp',
        (drv: Vaddr, attr: Vaddr) => this.sysfs.removeFile(this.get(drv, V.p), attr),
      ],
      bus_release: ['v:p', (kobj: Vaddr) => this.deps.kfree(kobj)],
      driver_release: ['v:p', (kobj: Vaddr) => this.deps.kfree(kobj)],
    };
  }

  /** Files of buses and drivers: the call goes on to the attribute's own function. */
  private attributeExports(): KernelExports {
    const pass = (owner: number, at: number, signature: string) => {
      return (kobj: Vaddr, attr: Vaddr, buf: Vaddr, ...count: number[]): number => {
        const fn = this.get(attr, at);
        return fn === 0 ? -EIO : this.deps.callC(fn, signature, this.get(kobj, owner), buf, ...count);
      };
    };
    const bus = S.bus;
    const driver = DriverPrivate.o.driver;
    return {
      bus_attr_show: ['l:ppp', pass(bus, SHOW, 'l:pp')],
      bus_attr_store: ['l:pppz', pass(bus, STORE, 'l:ppz')],
      driver_attr_show: ['l:ppp', pass(driver, SHOW, 'l:pp')],
      driver_attr_store: ['l:pppz', pass(driver, STORE, 'l:ppz')],
    };
  }
}
