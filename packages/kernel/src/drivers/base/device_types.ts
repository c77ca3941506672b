// SPDX-License-Identifier: MIT
/** Devices as drivers see them: `struct class`, `device`, `cdev`, `miscdevice`. */

import { dev, named } from '../../lib/c_types.js';
import { Kobject } from '../../lib/kobject_types.js';
import { ListHead } from '../../lib/list.js';
import { Mutex, spinlock } from '../../lib/lock_types.js';
import { addr, bool, fn, int, struct, u16, u32, u64, uint } from '../../lib/struct.js';

const GROUPS = 'const struct attribute_group *';

export const Class = struct('class', {
  name: addr('const char'),
  owner: addr('struct module'),
  class_groups: addr(GROUPS),
  dev_groups: addr(GROUPS),
  dev_uevent: fn('int', 'struct device *dev, struct kobj_uevent_env *env'),
  devnode: fn('char *', 'struct device *dev, umode_t *mode'),
  class_release: fn('void', 'struct class *class'),
  dev_release: fn('void', 'struct device *dev'),
  /** The kobject that is the class's folder. */
  p: addr(),
});

export const Device = struct('device', {
  kobj: Kobject,
  parent: addr('struct device'),
  /** What its bus keeps of it. */
  p: addr('struct device_private'),
  init_name: addr('const char'),
  type: addr('const struct device_type'),
  bus: addr('struct bus_type'),
  driver: addr('struct device_driver'),
  platform_data: addr(),
  driver_data: addr(),
  mutex: Mutex,
  dma_mask: addr('u64'),
  coherent_dma_mask: u64,
  of_node: addr('struct device_node'),
  devt: dev,
  id: u32,
  devres_lock: spinlock,
  devres_head: ListHead,
  class: addr('struct class'),
  groups: addr(GROUPS),
  release: fn('void', 'struct device *dev'),
});

export const BusType = struct('bus_type', {
  name: addr('const char'),
  dev_name: addr('const char'),
  dev_root: addr('struct device'),
  bus_groups: addr(GROUPS),
  dev_groups: addr(GROUPS),
  drv_groups: addr(GROUPS),
  /** More than 0: the driver is for the device. */
  match: fn('int', 'struct device *dev, struct device_driver *drv'),
  uevent: fn('int', 'struct device *dev, struct kobj_uevent_env *env'),
  probe: fn('int', 'struct device *dev'),
  sync_state: fn('void', 'struct device *dev'),
  remove: fn('void', 'struct device *dev'),
  shutdown: fn('void', 'struct device *dev'),
  pm: addr('const struct dev_pm_ops'),
  p: addr('struct subsys_private'),
  need_parent_lock: bool,
});

export const DeviceDriver = struct('device_driver', {
  name: addr('const char'),
  bus: addr('struct bus_type'),
  owner: addr('struct module'),
  mod_name: addr('const char'),
  suppress_bind_attrs: bool,
  probe_type: int,
  of_match_table: addr('const struct of_device_id'),
  acpi_match_table: addr('const struct acpi_device_id'),
  probe: fn('int', 'struct device *dev'),
  sync_state: fn('void', 'struct device *dev'),
  remove: fn('int', 'struct device *dev'),
  shutdown: fn('void', 'struct device *dev'),
  groups: addr(GROUPS),
  dev_groups: addr(GROUPS),
  pm: addr('const struct dev_pm_ops'),
  p: addr('struct driver_private'),
});

export const PlatformDevice = struct('platform_device', {
  name: addr('const char'),
  id: int,
  id_auto: bool,
  dev: Device,
  platform_dma_mask: u64,
  num_resources: u32,
  resource: addr('struct resource'),
  id_entry: addr('const struct platform_device_id'),
  driver_override: addr('const char'),
});

export const PlatformDriver = struct('platform_driver', {
  probe: fn('int', 'struct platform_device *dev'),
  remove: fn('int', 'struct platform_device *dev'),
  shutdown: fn('void', 'struct platform_device *dev'),
  driver: DeviceDriver,
  id_table: addr('const struct platform_device_id'),
  prevent_deferred_probe: bool,
});

export const Cdev = struct('cdev', {
  kobj: Kobject,
  owner: addr('struct module'),
  ops: addr('const struct file_operations'),
  list: ListHead,
  dev,
  count: uint,
});

export const Miscdevice = struct('miscdevice', {
  minor: int,
  name: addr('const char'),
  fops: addr('const struct file_operations'),
  list: ListHead,
  parent: addr('struct device'),
  this_device: addr('struct device'),
  groups: addr(GROUPS),
  nodename: addr('const char'),
  mode: named(u16, 'umode_t'),
});
