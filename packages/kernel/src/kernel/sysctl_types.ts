// SPDX-License-Identifier: MIT
/** Tables of kernel settings as modules write them: struct ctl_table, and the kernel's record of a registered one. */

import { HlistHead } from '../lib/list.js';
import { addr, int, ptr, struct, type Type, u16 } from '../lib/struct.js';

const mode: Type<number> = { ...u16, declare: (name) => `umode_t ${name}` };

export const CtlTable = struct('ctl_table', {
  /** Text of the name in /proc/sys; NULL in the entry that ends a table. */
  procname: addr('const char'),
  data: addr(),
  /** Bytes at `data`. */
  maxlen: int,
  mode,
  /** A folder's entries, in tables of register_sysctl_table(). */
  child: addr('struct ctl_table'),
  proc_handler: addr('proc_handler'),
  poll: addr('struct ctl_table_poll'),
  extra1: addr(),
  extra2: addr(),
});

export const CtlTableHeader = struct('ctl_table_header', {
  /** The entries; NULL for an empty folder made by register_sysctl_mount_point(). */
  ctl_table: addr('struct ctl_table'),
  used: int,
  count: int,
  nreg: int,
  unregistering: addr('struct completion'),
  ctl_table_arg: addr('struct ctl_table'),
  root: addr('struct ctl_table_root'),
  set: addr('struct ctl_table_set'),
  parent: addr('struct ctl_dir'),
  node: addr('struct ctl_node'),
  inodes: HlistHead,
  /** Pagewalk's own: the next registered one, newest first. */
  next_header: ptr('struct ctl_table_header'),
  /** The first of the headers that one register_sysctl_table() made. */
  group: ptr('struct ctl_table_header'),
  /** The folder, without slashes at its ends; it lies behind the header. */
  path: addr('char'),
});

/** What `sysctl_vals` holds: limits that tables point to, by SYSCTL_*. */
export const SYSCTL_VALS = [0, 1, 2, 3, 4, 100, 200, 1000, 3000, 0x7fffffff, 65535, -1] as const;
