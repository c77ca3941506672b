// SPDX-License-Identifier: MIT
/** Devices as drivers see them: `struct class`, `device`, `cdev`, `miscdevice`. */

import { Kobject } from '../../lib/kobject_types.js';
import { ListHead } from '../../lib/list.js';
import { Mutex, spinlock } from '../../lib/lock_types.js';
import { addr, fn, int, struct, type Type, u16, u32, u64, uint } from '../../lib/struct.js';

const named = <V>(type: Type<V>, c: string): Type<V> => ({ ...type, declare: (name) => `${c} ${name}` });
const dev = named(u32, 'dev_t');
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
  init_name: addr('const char'),
  type: addr('const struct device_type'),
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
