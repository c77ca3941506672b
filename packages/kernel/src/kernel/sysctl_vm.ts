// SPDX-License-Identifier: MIT
/** vm.*: what the page allocator can be told. */

import { EINVAL } from '../lib/errno.js';
import type { Handle } from '../machine/layout.js';
import type { Ram } from '../machine/ram.js';
import { MAX_NR_ZONES } from '../mm/mmzone.js';
import type { VmSettings } from '../mm/vm_settings.js';
import { type SysctlEntry, type WordOptions, wordEntry } from './sysctl_entry.js';
import { ULONG_CODEC } from './sysctl_text.js';

const MAX_SCALE_FACTOR = 3000;
const MIN_PERCPU_PAGELIST_HIGH_FRACTION = 8;

export interface VmSysctlDeps {
  readonly ram: Ram;
  readonly settings: VmSettings;
  /** Where a variable of the kernel lies. */
  variable(name: string): Handle;
}

export function vmSysctls({ ram, settings, variable }: VmSysctlDeps): SysctlEntry[] {
  const word = (name: string, symbol: string, options: WordOptions) =>
    wordEntry(`vm/${name}`, ram, variable(symbol), options);
  const recompute = () => settings.setupReserves();
  const fraction = variable('percpu_pagelist_high_fraction');
  const ratio = variable('sysctl_overcommit_ratio');
  const kbytes = variable('sysctl_overcommit_kbytes');
  return [
    word('min_free_kbytes', 'min_free_kbytes', { min: 0, changed: recompute }),
    word('watermark_scale_factor', 'watermark_scale_factor', {
      min: 1,
      max: MAX_SCALE_FACTOR,
      changed: recompute,
    }),
    word('watermark_boost_factor', 'watermark_boost_factor', { min: 0 }),
    word('lowmem_reserve_ratio', 'sysctl_lowmem_reserve_ratio', {
      length: MAX_NR_ZONES,
      changed: () => {
        settings.lowmemReserveRatio = settings.lowmemReserveRatio.map((value) => Math.max(value, 0));
      },
    }),
    percpuFraction(ram, fraction, settings),
    word('overcommit_ratio', 'sysctl_overcommit_ratio', {
      changed: () => {
        ram.set64(kbytes, 0);
      },
    }),
    word('overcommit_kbytes', 'sysctl_overcommit_kbytes', {
      codec: ULONG_CODEC,
      changed: () => {
        ram.i32[ratio] = 0;
      },
    }),
  ];
}

/** A fraction that is too large a share is taken back. @linux mm/page_alloc.c:percpu_pagelist_high_fraction_sysctl_handler full */
function percpuFraction(ram: Ram, at: Handle, settings: VmSettings): SysctlEntry {
  let before = 0;
  const entry = wordEntry('vm/percpu_pagelist_high_fraction', ram, at, {
    min: 0,
    judge: () => {
      const fraction = ram.i32[at];
      const refused = fraction !== 0 && fraction < MIN_PERCPU_PAGELIST_HIGH_FRACTION;
      settings.percpuPagelistHighFraction = refused ? before : fraction;
      return refused ? -EINVAL : 0;
    },
  });
  const write = (text: Uint8Array) => {
    before = ram.i32[at];
    return entry.write!(text);
  };
  return { ...entry, write };
}
