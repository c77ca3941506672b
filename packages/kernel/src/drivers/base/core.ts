// SPDX-License-Identifier: MIT
/** Devices: an object in sysfs, a link in its class, a node in /dev, and the memory that goes with it. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { MAJOR, MINOR } from '../../fs/char_dev.js';
import { S_IFCHR, S_IFDIR } from '../../fs/file_modes.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { type Kernfs, NODE_STATIC, NODE_SYSFS } from '../../fs/kernfs/kernfs.js';
import type { Sysfs } from '../../fs/sysfs/sysfs.js';
import { EINVAL, ENOMEM } from '../../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger } from '../../lib/guest_access.js';
import { GuestList } from '../../lib/guest_list.js';
import type { Kobjects } from '../../lib/kobject.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { Class, Device } from './device_types.js';
import type { Devtmpfs } from './devtmpfs.js';
import type { DriverModel } from './driver_model.js';

const D = Device.o;
/** `struct device_type`: its name, groups, devnode and release. */
const TYPE_GROUPS = 8;
const TYPE_RELEASE = 24;

export class Devices {
  private readonly list: GuestList;

  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly kobjects: Kobjects,
    private readonly sysfs: Sysfs,
    private readonly devtmpfs: Devtmpfs,
  ) {
    this.list = new GuestList(deps);
  }

  private get(dev: Vaddr, field: keyof typeof D): Vaddr {
    return readS64(this.deps, dev + D[field]);
  }

  private set(dev: Vaddr, field: keyof typeof D, value: Vaddr): void {
    writeInteger(this.deps, dev + D[field], value, 8);
  }

  private devt(dev: Vaddr): number {
    return readUnsigned(this.deps, dev + D.devt, 4);
  }

  private string(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 255));
  }

  /** Buses and managed resources; devices of the kernel's own are made before there are any. */
  model: DriverModel | undefined;

  nameOf(dev: Vaddr): string {
    const init = this.get(dev, 'init_name');
    return init !== 0 ? this.string(init) : this.kobjects.nameOf(dev);
  }

  private classField(cls: Vaddr, field: keyof typeof Class.o): Vaddr {
    return cls === 0 ? 0 : readS64(this.deps, cls + Class.o[field]);
  }

  initialize(dev: Vaddr): void {
    this.kobjects.init(dev, this.deps.symbol('device_ktype'));
    this.list.init(dev + D.devres_head);
    this.list.init(dev + D.mutex + 16);
  }

  // ---------------------------------------------------------------- adding

  /** The folder in which a device's own is made: its parent's, or /sys/devices/virtual, and in that one of its class. */
  private home(dev: Vaddr): Handle {
    const parent = this.get(dev, 'parent');
    const cls = this.get(dev, 'class');
    if (cls === 0) return parent === 0 ? this.tree.folder('sys/devices') : this.sysfs.dirOf(parent);
    const base = parent === 0 ? this.tree.folder('sys/devices/virtual') : this.sysfs.dirOf(parent);
    if (parent !== 0 && this.get(parent, 'class') !== 0) return base;
    const name = this.string(this.classField(cls, 'name'));
    const glue = this.tree.find(base, name);
    if (glue !== 0) return glue;
    return this.tree.create(base, name, { mode: S_IFDIR | 0o755, flags: NODE_SYSFS });
  }

  /** Removes the folder of a class among devices, when it has become empty. */
  private cleanHome(home: Handle, dev: Vaddr): void {
    const { flags } = this.tree.at(home);
    const made = this.get(dev, 'class') !== 0 && !(flags & NODE_STATIC) && this.tree.at(home).priv === 0;
    if (made && this.tree.children(home).length === 0) this.tree.remove(home);
  }

  add(dev: Vaddr): number {
    if (dev === 0) return -EINVAL;
    const init = this.get(dev, 'init_name');
    if (init !== 0) {
      this.kobjects.setName(dev, this.string(init));
      this.set(dev, 'init_name', 0);
    }
    if (this.kobjects.get(dev, 'name') === 0) return -EINVAL;
    this.kobjects.getRef(dev);
    const parent = this.get(dev, 'parent');
    this.kobjects.set(dev, 'parent', parent || this.sysfs.kernelKobject('devices_kobj'));
    const home = this.home(dev);
    this.nextHome = home;
    const error = home === 0 ? -ENOMEM : this.kobjects.addInternal(dev);
    this.nextHome = 0;
    if (error !== 0) {
      if (home !== 0) this.cleanHome(home, dev);
      this.kobjects.putRef(dev);
      return error;
    }
    const failed = this.addFiles(dev) || (this.model?.buses.addDevice(dev) ?? 0);
    if (failed !== 0) this.del(dev);
    if (failed !== 0) this.kobjects.putRef(dev);
    return failed;
  }

  /** Where the folder of the kobject that is being added goes; 0: where its parent's is. */
  nextHome: Handle = 0;

  private addFiles(dev: Vaddr): number {
    const { sysfs } = this;
    const dir = sysfs.dirOf(dev);
    const cls = this.get(dev, 'class');
    const error = sysfs.createFile(dev, this.deps.symbol('dev_attr_uevent'));
    if (error !== 0) return error;
    if (cls !== 0) {
      const classDir = sysfs.dirOf(this.classField(cls, 'p'));
      sysfs.createLink(dir, classDir, 'subsystem');
      sysfs.createLink(classDir, dir, this.nameOf(dev), dev);
    }
    const type = this.get(dev, 'type');
    for (const groups of [
      this.classField(cls, 'dev_groups'),
      type === 0 ? 0 : readS64(this.deps, type + TYPE_GROUPS),
      this.get(dev, 'groups'),
    ]) {
      const bad = sysfs.createGroups(dev, groups);
      if (bad !== 0) return bad;
    }
    return this.devt(dev) === 0 ? 0 : this.addNode(dev, dir, cls);
  }

  /** The number of a device, in sysfs and in /dev. */
  private addNode(dev: Vaddr, dir: Handle, cls: Vaddr): number {
    const { sysfs, tree } = this;
    const error = sysfs.createFile(dev, this.deps.symbol('dev_attr_dev'));
    if (error !== 0) return error;
    const devt = this.devt(dev);
    sysfs.createLink(tree.folder('sys/dev/char'), dir, `${MAJOR(devt)}:${MINOR(devt)}`);
    const { name, mode } = this.nodeName(dev, cls);
    return this.devtmpfs.createNode(name, S_IFCHR | mode, devt, dev);
  }

  /** What a device is called in /dev, and with which permissions: its class may say. */
  private nodeName(dev: Vaddr, cls: Vaddr): { name: string; mode: number } {
    const { deps } = this;
    const devnode = this.classField(cls, 'devnode');
    let mode = 0;
    let name = '';
    if (devnode !== 0) {
      const place = deps.kmalloc(8);
      if (place !== 0) {
        writeInteger(deps, place, 0, 8);
        const text = deps.callC(devnode, 'p:pp', dev, place);
        mode = readUnsigned(deps, place, 2);
        name = this.string(text);
        if (text !== 0) deps.kfree(text);
        deps.kfree(place);
      }
    }
    return { name: name || this.nameOf(dev).replaceAll('!', '/'), mode: mode === 0 ? 0o600 : mode & 0o777 };
  }

  // ---------------------------------------------------------------- removing

  del(dev: Vaddr): void {
    const { tree, sysfs } = this;
    if (dev === 0) return;
    const cls = this.get(dev, 'class');
    const dir = sysfs.dirOf(dev);
    const home = dir === 0 ? 0 : tree.at(dir).parent;
    this.model?.buses.removeDevice(dev);
    const devt = this.devt(dev);
    if (devt !== 0) this.devtmpfs.deleteNode(this.nodeName(dev, cls).name, dev);
    if (devt !== 0) this.removeLink(tree.folder('sys/dev/char'), `${MAJOR(devt)}:${MINOR(devt)}`);
    if (cls !== 0) this.removeLink(sysfs.dirOf(this.classField(cls, 'p')), this.nameOf(dev));
    this.model?.devres.releaseAll(dev);
    this.kobjects.del(dev);
    if (home !== 0) this.cleanHome(home, dev);
  }

  private removeLink(dir: Handle, name: string): void {
    const link = dir === 0 ? 0 : this.tree.find(dir, name);
    if (link !== 0) this.tree.remove(link);
  }

  unregister(dev: Vaddr): void {
    if (dev === 0) return;
    this.del(dev);
    this.kobjects.putRef(dev); // what add() took
    this.kobjects.putRef(dev);
  }

  /** The last reference is gone. */
  private release(dev: Vaddr): void {
    this.model?.devres.releaseAll(dev);
    const type = this.get(dev, 'type');
    const cls = this.get(dev, 'class');
    const release =
      this.get(dev, 'release') ||
      (type === 0 ? 0 : readS64(this.deps, type + TYPE_RELEASE)) ||
      this.classField(cls, 'dev_release');
    if (release !== 0) {
      this.deps.callC(release, 'v:p', dev);
      return;
    }
    const message = `Device '${this.nameOf(dev)}' does not have a release() function, it is broken and must be fixed. See Documentation/core-api/kobject.rst.`;
    this.deps.env.reports.warn('drivers/base/core.c', 2332, 'device_release', message);
  }

  // ---------------------------------------------------------------- device_create and its kin

  create(cls: Vaddr, parent: Vaddr, devt: number, drvdata: Vaddr, groups: Vaddr, name: string): Vaddr {
    if (cls === 0 || cls >= -4095) return -EINVAL;
    const dev = this.kobjects.allocate(Device.size);
    if (dev === 0) return -ENOMEM;
    this.initialize(dev);
    writeInteger(this.deps, dev + D.devt, devt, 4);
    this.set(dev, 'class', cls);
    this.set(dev, 'parent', parent);
    this.set(dev, 'groups', groups);
    this.set(dev, 'release', this.deps.symbol('device_create_release'));
    this.set(dev, 'driver_data', drvdata);
    const error = this.kobjects.setName(dev, name) || this.add(dev);
    if (error === 0) return dev;
    this.kobjects.putRef(dev);
    return error;
  }

  private destroy(cls: Vaddr, devt: number): void {
    const dir = cls === 0 ? 0 : this.sysfs.dirOf(this.classField(cls, 'p'));
    if (dir === 0) return;
    for (const link of this.tree.children(dir)) {
      const dev = this.tree.at(link).priv;
      if (dev !== 0 && this.devt(dev) === devt) return this.unregister(dev);
    }
  }

  // ---------------------------------------------------------------- what C sees

  exports(): KernelExports {
    const { deps } = this;
    const text = (fmt: Vaddr, args: Vaddr) => decodeUtf8(deps.format(fmt, args));
    return {
      dev_set_name: [
        'i:pp…',
        (dev: Vaddr, fmt: Vaddr, args: Vaddr) => this.kobjects.setName(dev, text(fmt, args)),
      ],
      device_initialize: ['v:p', (dev: Vaddr) => this.initialize(dev)],
      device_add: ['i:p', (dev: Vaddr) => this.add(dev)],
      device_del: ['v:p', (dev: Vaddr): void => this.delAndPut(dev)],
      device_register: [
        'i:p',
        (dev: Vaddr) => {
          this.initialize(dev);
          return this.add(dev);
        },
      ],
      device_unregister: ['v:p', (dev: Vaddr) => this.unregister(dev)],
      get_device: ['p:p', (dev: Vaddr) => this.kobjects.getRef(dev)],
      put_device: ['v:p', (dev: Vaddr) => this.kobjects.putRef(dev)],
      device_create: [
        'p:ppupp…',
        (cls: Vaddr, parent: Vaddr, devt: number, data: Vaddr, fmt: Vaddr, args: Vaddr) =>
          this.create(cls, parent, devt, data, 0, text(fmt, args)),
      ],
      device_create_with_groups: [
        'p:ppuppp…',
        (cls: Vaddr, parent: Vaddr, devt: number, data: Vaddr, groups: Vaddr, fmt: Vaddr, args: Vaddr) =>
          this.create(cls, parent, devt, data, groups, text(fmt, args)),
      ],
      device_destroy: ['v:pu', (cls: Vaddr, devt: number) => this.destroy(cls, devt)],
      device_create_file: [
        'i:pp',
        (dev: Vaddr, attr: Vaddr) => (dev === 0 ? 0 : this.sysfs.createFile(dev, attr)),
      ],
      device_remove_file: ['v:pp', (dev: Vaddr, attr: Vaddr) => this.sysfs.removeFile(dev, attr)],
      root_device_register: [
        'p:p',
        (name: Vaddr) => {
          const dev = this.kobjects.allocate(Device.size);
          if (dev === 0) return -ENOMEM;
          this.initialize(dev);
          this.set(dev, 'release', deps.symbol('device_create_release'));
          const error = this.kobjects.setName(dev, this.string(name)) || this.add(dev);
          if (error === 0) return dev;
          this.kobjects.putRef(dev);
          return error;
        },
      ],
      root_device_unregister: ['v:p', (dev: Vaddr) => this.unregister(dev)],
      device_release: ['v:p', (dev: Vaddr) => this.release(dev)],
      device_create_release: ['v:p', (dev: Vaddr) => deps.kfree(dev)],
      dev_show: ['l:ppp', (dev: Vaddr, _attr: Vaddr, buf: Vaddr) => this.show(buf, this.numberText(dev))],
      uevent_show: ['l:ppp', (dev: Vaddr, _attr: Vaddr, buf: Vaddr) => this.show(buf, this.ueventText(dev))],
      uevent_store: ['l:pppz', (_dev: Vaddr, _attr: Vaddr, _buf: Vaddr, count: number) => count],
    };
  }

  private delAndPut(dev: Vaddr): void {
    this.del(dev);
    this.kobjects.putRef(dev);
  }

  private show(buf: Vaddr, text: string): number {
    const bytes = encodeUtf8(text).subarray(0, PAGE_SIZE - 1);
    this.deps.guest.write(buf, Uint8Array.of(...bytes, 0));
    return bytes.length;
  }

  private numberText(dev: Vaddr): string {
    const devt = this.devt(dev);
    return `${MAJOR(devt)}:${MINOR(devt)}\n`;
  }

  private ueventText(dev: Vaddr): string {
    const devt = this.devt(dev);
    if (devt === 0) return '';
    const { name, mode } = this.nodeName(dev, this.get(dev, 'class'));
    const modeLine = mode === 0o600 ? '' : `DEVMODE=0${mode.toString(8)}\n`;
    return `MAJOR=${MAJOR(devt)}\nMINOR=${MINOR(devt)}\nDEVNAME=${name}\n${modeLine}`;
  }

  /** `class device`, as messages about a device begin. */
  prefix(dev: Vaddr): string {
    if (dev === 0) return '(NULL device *)';
    const [driver, bus, cls] = [this.get(dev, 'driver'), this.get(dev, 'bus'), this.get(dev, 'class')];
    const owner = this.string(
      driver || bus ? readS64(this.deps, driver || bus) : this.classField(cls, 'name'),
    );
    return `${owner} ${this.nameOf(dev)}`;
  }
}
