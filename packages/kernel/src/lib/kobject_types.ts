// SPDX-License-Identifier: MIT
/** Kernel objects: what sysfs shows as folders. C embeds them in its own structs. */

import { named } from './c_types.js';
import { ListHead } from './list.js';
import { spinlock } from './lock_types.js';
import { addr, fn, int, struct, type Type, u16, uint } from './struct.js';

/** Bits of `state`. */
export const KOBJ_INITIALIZED = 1;
export const KOBJ_IN_SYSFS = 2;

/** The bit-fields of a kobject, in one word. */
const state: Type<number> = {
  ...uint,
  declare: (name) => {
    const bits = ['initialized', 'in_sysfs', 'add_uevent_sent', 'remove_uevent_sent'];
    const fields = [...bits.map((bit) => `state_${bit}`), 'uevent_suppress'];
    return `union {\n\t\tunsigned int ${name};\n\t\tstruct {\n${fields
      .map((field) => `\t\t\tunsigned int ${field} : 1;\n`)
      .join('')}\t\t};\n\t}`;
  },
};

export const Kobject = struct('kobject', {
  name: addr('const char'),
  entry: ListHead,
  parent: addr('struct kobject'),
  kset: addr('struct kset'),
  ktype: addr('const struct kobj_type'),
  sd: addr('struct kernfs_node'),
  kref: named(int, 'struct kref'),
  state,
});

export const KobjType = struct('kobj_type', {
  release: fn('void', 'struct kobject *kobj'),
  sysfs_ops: addr('const struct sysfs_ops'),
  default_groups: addr('const struct attribute_group *'),
  child_ns_type: fn('const struct kobj_ns_type_operations *', 'struct kobject *kobj'),
  namespace: fn('const void *', 'struct kobject *kobj'),
  get_ownership: fn('void', 'struct kobject *kobj, kuid_t *uid, kgid_t *gid'),
});

export const Kset = struct('kset', {
  list: ListHead,
  list_lock: spinlock,
  kobj: Kobject,
  uevent_ops: addr('const struct kset_uevent_ops'),
});

export const Attribute = struct('attribute', { name: addr('const char'), mode: named(u16, 'umode_t') });

export const SysfsOps = struct('sysfs_ops', {
  show: fn('ssize_t', 'struct kobject *kobj, struct attribute *attr, char *buf'),
  store: fn('ssize_t', 'struct kobject *kobj, struct attribute *attr, const char *buf, size_t count'),
});

export const AttributeGroup = struct('attribute_group', {
  name: addr('const char'),
  is_visible: fn('umode_t', 'struct kobject *kobj, struct attribute *attr, int n'),
  is_bin_visible: fn('umode_t', 'struct kobject *kobj, struct bin_attribute *attr, int n'),
  attrs: addr('struct attribute *'),
  bin_attrs: addr('struct bin_attribute *'),
});
