// SPDX-License-Identifier: MIT
/** What drivers need beside devices: resources, managed memory, buses. Made and wired in one place. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import type { Sysfs } from '../../fs/sysfs/sysfs.js';
import { type BootRegion, Resources } from '../../kernel/resource.js';
import type { Kobjects } from '../../lib/kobject.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { Buses } from './bus.js';
import type { Devices } from './core.js';
import { Devres } from './devres.js';
import { Platform } from './platform.js';

export interface DriverModelParts {
  readonly kobjects: Kobjects;
  readonly sysfs: Sysfs;
  readonly devices: Devices;
  freeIrq(irq: number, id: Vaddr): unknown;
}

export class DriverModel {
  readonly resources: Resources;
  readonly devres: Devres;
  readonly buses: Buses;
  private readonly platform: Platform;

  constructor(deps: FsDeps, parts: DriverModelParts) {
    const { kobjects, sysfs, devices } = parts;
    this.resources = new Resources(deps);
    this.devres = new Devres(
      deps,
      () => this.resources,
      (irq, id) => parts.freeIrq(irq, id),
    );
    this.buses = new Buses(deps, kobjects, sysfs, devices, this.devres);
    this.platform = new Platform(deps, this.buses, devices);
    devices.model = this;
  }

  /**
   * @param regions what memory holds from power-on
   * @param busFolder the node of /sys/bus
   */
  boot(regions: readonly BootRegion[], busFolder: Handle): void {
    this.resources.boot(regions);
    this.buses.boot(busFolder);
    this.platform.boot();
  }

  sleepingExports(): KernelExports {
    return this.devres.sleepingExports();
  }

  exports(): KernelExports {
    return {
      ...this.resources.exports(),
      ...this.devres.exports(),
      ...this.buses.exports(),
      ...this.platform.exports(),
    };
  }
}
