// SPDX-License-Identifier: MIT
/**
 * The platform bus: devices that nobody can ask what they are, known by name.
 *
 * What makes, adds and binds them is C in <linux/platform_device.h>; here are the bus itself, which driver fits which
 * device, and where /sys/devices/platform begins.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { readCString, readS64, writeInteger } from '../../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { Buses } from './bus.js';
import type { Devices } from './core.js';
import { BusType, Device, PlatformDevice, PlatformDriver } from './device_types.js';

const NAME = 'platform';
/** `struct platform_device_id`: a name, and a word of the driver's. */
const ID_NAME_BYTES = 24;
const ID_BYTES = 32;
/** A longer table has no end. */
const IDS_MAX = 10000;

export class Platform {
  private readonly bus: Handle;
  private readonly root: Handle;
  private readonly name: Handle;
  private readonly nextId: Handle;

  constructor(
    private readonly deps: FsDeps,
    private readonly buses: Buses,
    private readonly devices: Devices,
  ) {
    const { data } = deps.env;
    this.bus = data.declareObject('platform_bus_type', BusType.size);
    this.root = data.declareObject('platform_bus', Device.size);
    this.name = data.declare('platform_bus_name', 16);
    this.nextId = data.declare('platform_next_id', 4);
  }

  /** @linux drivers/base/platform.c:platform_bus_init full */
  boot(): void {
    const { ram, symbol } = this.deps;
    ram.u8.set(encodeUtf8(NAME), this.name * 4);
    const bus = BusType.at(ram, this.bus);
    bus.name = ram.addressOf(this.name);
    bus.match = symbol('platform_match');
    this.buses.register(ram.addressOf(this.bus));
    const root = ram.addressOf(this.root);
    Device.at(ram, this.root).init_name = ram.addressOf(this.name);
    this.devices.initialize(root);
    this.devices.add(root);
  }

  private text(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 255));
  }

  /** The entry of a table that names a device; 0 if none does. @linux drivers/base/platform.c:platform_match_id full */
  private entryFor(table: Vaddr, name: string): Vaddr {
    for (let i = 0; i < IDS_MAX; i++) {
      const at = table + i * ID_BYTES;
      const entry = decodeUtf8(readCString(this.deps, at, ID_NAME_BYTES));
      if (entry === '') return 0;
      if (entry === name) return at;
    }
    return 0;
  }

  /** Whether a driver is for a device: by its table of names, else by its own. @linux drivers/base/platform.c:platform_match partial: no device tree, no ACPI */
  private match(dev: Vaddr, drv: Vaddr): number {
    const get = (at: Vaddr) => readS64(this.deps, at);
    const pdev = dev - PlatformDevice.o.dev;
    const pdrv = drv - PlatformDriver.o.driver;
    const driverName = this.text(get(drv));
    const override = get(pdev + PlatformDevice.o.driver_override);
    if (override !== 0) return Number(this.text(override) === driverName);
    const name = this.text(get(pdev + PlatformDevice.o.name));
    const table = get(pdrv + PlatformDriver.o.id_table);
    if (table === 0) return Number(name === driverName);
    const entry = this.entryFor(table, name);
    if (entry !== 0) writeInteger(this.deps, pdev + PlatformDevice.o.id_entry, entry, 8);
    return Number(entry !== 0);
  }

  exports(): KernelExports {
    const { ram } = this.deps;
    return {
      platform_match: ['i:pp', (dev: Vaddr, drv: Vaddr) => this.match(dev, drv)],
      __pagewalk_platform_id: ['i:', () => ram.i32[this.nextId]++],
    };
  }
}
