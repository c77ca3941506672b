// SPDX-License-Identifier: MIT
/** Names of vm_flags, as %pGv prints them. */

import { formatFlags } from './gfp.js';

/** In the order in which they are printed. */
const VMA_FLAG_NAMES: readonly (readonly [mask: number, name: string])[] = [
  [0x1, 'read'],
  [0x2, 'write'],
  [0x4, 'exec'],
  [0x8, 'shared'],
  [0x10, 'mayread'],
  [0x20, 'maywrite'],
  [0x40, 'mayexec'],
  [0x80, 'mayshare'],
  [0x100, 'growsdown'],
  [0x200, 'uffd_missing'],
  [0x400, 'pfnmap'],
  [0x1000, 'uffd_wp'],
  [0x2000, 'locked'],
  [0x4000, 'io'],
  [0x8000, 'seqread'],
  [0x10000, 'randread'],
  [0x20000, 'dontcopy'],
  [0x40000, 'dontexpand'],
  [0x80000, 'lockonfault'],
  [0x100000, 'account'],
  [0x200000, 'noreserve'],
  [0x400000, 'hugetlb'],
  [0x800000, 'sync'],
  [0x1000000, 'pat'],
  [0x2000000, 'wipeonfork'],
  [0x4000000, 'dontdump'],
  [0x8000000, 'softdirty'],
  [0x10000000, 'mixedmap'],
  [0x20000000, 'hugepage'],
  [0x40000000, 'nohugepage'],
  [0x80000000, 'mergeable'],
];

/** `read|write|mayread`; bits without a name as a number behind them. */
export function formatVmaFlags(hi: number, lo: number): string {
  const named = VMA_FLAG_NAMES.reduce((mask, [bit]) => mask | bit, 0);
  const rest = ((hi >>> 0) * 2 ** 32 + ((lo & ~named) >>> 0)).toString(16);
  const names = formatFlags(lo & named, VMA_FLAG_NAMES);
  return [names, rest === '0' ? '' : `0x${rest}`].filter((part) => part !== '').join('|');
}
