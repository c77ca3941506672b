// SPDX-License-Identifier: MIT
/** The kernel's answers to what printf formats ask: symbols, flags, and warnings given once. */

import { dentryNames, fileNames } from '../../fs/dentry_names.js';
import type { BootParameters, Reports } from '../../lib/env.js';
import type { GuestAccess } from '../../lib/guest_access.js';
import { PointerHash } from '../../lib/pointer_hash.js';
import type { StaticData } from '../../lib/static_data.js';
import type { FormatContext, FormatServices, FormatWarning } from '../../lib/vsprintf.js';
import type { Vaddr } from '../../machine/layout.js';

const WARNINGS: readonly FormatWarning[] = ['conversion', 'width', 'precision', 'size'];
const WARNING_SITES: { readonly [kind in FormatWarning]: readonly [line: number, symbol: string] } = {
  conversion: [2642, 'format_decode'],
  width: [2658, 'set_field_width'],
  precision: [2668, 'set_precision'],
  size: [2733, 'vsnprintf'],
};

export interface FormatContextDeps extends GuestAccess {
  readonly data: StaticData;
  readonly parameters: BootParameters;
  readonly reports: Reports;
  /** What the rest of the kernel adds: names of dentries, of flags; symbols by other forms than %pS. */
  readonly services?: Partial<FormatServices>;
}

/** What %pB shows: the symbol that the call before a return address belongs to. @linux kernel/kallsyms.c:sprint_backtrace full */
function symbolOfCall(reports: Reports, address: Vaddr): string {
  const symbol = reports.symbolize(address - 1);
  const offset = /\+0x([0-9a-f]+)\//.exec(symbol);
  if (!offset) return reports.symbolize(address);
  return symbol.replace(offset[0], `+0x${(Number.parseInt(offset[1], 16) + 1).toString(16)}/`);
}

/** Without its offset: `name [module]`. */
const withoutOffset = (symbol: string) => symbol.replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/, '');

/** Makes the context for all formatting; its hash still wants `boot(random)`. */
export function makeFormatContext(deps: FormatContextDeps): FormatContext {
  const { ram, guest, data, parameters, reports } = deps;
  const warned = data.declare('vsprintf_warned', 4);
  const kptrRestrict = data.declare('kptr_restrict', 4);
  return {
    ram,
    guest,
    hash: new PointerHash(ram, data, parameters),
    services: {
      symbolize: (address, form) => {
        if (form === 'B') return symbolOfCall(reports, address);
        return form === 's' ? withoutOffset(reports.symbolize(address)) : reports.symbolize(address);
      },
      kptrRestrict: () => ram.i32[kptrRestrict],
      warnOnce(kind, message) {
        const bit = 1 << WARNINGS.indexOf(kind);
        if (ram.i32[warned] & bit) return;
        ram.i32[warned] |= bit;
        const [line, symbol] = WARNING_SITES[kind];
        reports.warn('lib/vsprintf.c', line, symbol, message);
      },
      dentryName: (dentry, depth) => dentryNames(deps, dentry, depth),
      fileName: (file, depth) => fileNames(deps, file, depth),
      ...deps.services,
    },
  };
}
