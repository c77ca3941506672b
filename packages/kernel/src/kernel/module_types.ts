// SPDX-License-Identifier: MIT
/** What a module's image and the kernel's module list look like in memory: the structs that C and the loader share. */

import { named } from '../lib/c_types.js';
import { ListHead } from '../lib/list.js';
import {
  addr,
  bool,
  chars,
  fn,
  int,
  ptr,
  s8,
  struct,
  u8,
  u16,
  uint,
  ulong,
  union,
  vaddr,
} from '../lib/struct.js';

/** enum module_state. */
export const MODULE_STATE_LIVE = 0;
export const MODULE_STATE_COMING = 1;
export const MODULE_STATE_GOING = 2;
export const MODULE_STATE_UNFORMED = 3;

export const MODULE_NAME_LEN = 64 - 8;

/** An integer whose C type has a name of its own. */

/** One exported symbol: an entry of `__ksymtab` or `__ksymtab_gpl`. */
export const KernelSymbol = struct('kernel_symbol', {
  value: vaddr,
  name: addr('const char'),
  namespace: addr('const char'),
});

/** How a parameter's text becomes its value, and back. */
export const KernelParamOps = struct('kernel_param_ops', {
  /** KERNEL_PARAM_OPS_FL_NOARG = 1: the parameter may stand without a value. */
  flags: uint,
  set: fn('int', 'const char *val, const struct kernel_param *kp'),
  get: fn('int', 'char *buffer, const struct kernel_param *kp'),
  free: fn('void', 'void *arg'),
});

/** One `module_param`: an entry of `__param`. */
export const KernelParam = struct('kernel_param', {
  name: addr('const char'),
  mod: addr('struct module'),
  ops: addr('const struct kernel_param_ops'),
  perm: named(u16, 'const u16'),
  level: s8,
  /** KERNEL_PARAM_FL_UNSAFE = 1, KERNEL_PARAM_FL_HWPARAM = 2. */
  flags: u8,
  value: union({
    arg: { arg: addr() },
    str: { str: addr('const struct kparam_string') },
    arr: { arr: addr('const struct kparam_array') },
  }),
});

/** `module_param_string`: a buffer and its size. */
export const KparamString = struct('kparam_string', { maxlen: uint, string: addr('char') });

/** `module_param_array`. */
export const KparamArray = struct('kparam_array', {
  max: uint,
  elemsize: uint,
  /** Where the number of elements given is stored; may be NULL. */
  num: addr('unsigned int'),
  ops: addr('const struct kernel_param_ops'),
  elem: addr(),
});

/** Where one part of a module's image lies. */
export const ModuleLayout = struct('module_layout', {
  base: addr(),
  size: uint,
  /** End of the part mapped executable, of what is read-only, and of what becomes read-only after init. */
  text_size: uint,
  ro_size: uint,
  ro_after_init_size: uint,
});

/** `struct module`, as far as C has reason to look. */
export const Module = struct('module', {
  state: named(uint, 'enum module_state'),
  list: ListHead,
  name: chars(MODULE_NAME_LEN),
  version: addr('const char'),
  srcversion: addr('const char'),
  syms: addr('const struct kernel_symbol'),
  num_syms: uint,
  num_gpl_syms: uint,
  gpl_syms: addr('const struct kernel_symbol'),
  kp: addr('struct kernel_param'),
  num_kp: uint,
  using_gplonly_symbols: bool,
  async_probe_requested: bool,
  init: fn('int', 'void'),
  exit: fn('void', 'void'),
  core_layout: ModuleLayout,
  init_layout: ModuleLayout,
  /** Bits by TAINT_*. */
  taints: ulong,
  args: addr('char'),
  /** CPU 0's copy of its per-CPU variables, and their bytes. */
  percpu: addr('void'),
  percpu_size: uint,
  /** Modules that use this one, and those that this one uses. */
  source_list: ListHead,
  target_list: ListHead,
  refcnt: named(int, 'atomic_t'),
});

/** One module's use of another: on `source_list` of the used, `target_list` of the user. */
export const ModuleUse = struct('module_use', {
  source_list: ListHead,
  target_list: ListHead,
  source: ptr('struct module'),
  target: ptr('struct module'),
});
