// SPDX-License-Identifier: MIT

/** The kernel's configuration as Makefiles see it (include/config/auto.conf). */
export const CONFIG: Readonly<Record<string, string>> = {
  CONFIG_64BIT: 'y',
  CONFIG_MMU: 'y',
  CONFIG_SMP: 'y',
  CONFIG_MODULES: 'y',
  CONFIG_MODULE_UNLOAD: 'y',
  CONFIG_PRINTK: 'y',
  CONFIG_PROC_FS: 'y',
  CONFIG_SYSFS: 'y',
  CONFIG_DEBUG_FS: 'y',
  CONFIG_SLUB: 'y',
};
