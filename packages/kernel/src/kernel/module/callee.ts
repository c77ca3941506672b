// SPDX-License-Identifier: MIT
/** Which kernel function a call instruction of a module calls: read from the instruction itself. */

import { OP } from '../../arch/wasm64/assembler.js';
import { Reader } from '../../arch/wasm64/binary.js';
import type { Vaddr } from '../../machine/layout.js';
import { codeOffsetOf } from './image.js';
import { type LoadedModule, presentBases } from './link.js';

/** Address of the imported function that the instruction at `site` calls directly, if it is such a call. */
export function calleeAt(m: LoadedModule, site: Vaddr): Vaddr | undefined {
  const offset = codeOffsetOf(m.layout, presentBases(m), site);
  if (offset === undefined) return undefined;
  const r = new Reader(m.object.code, offset);
  return r.u8() === OP.call ? m.importAddresses[r.uleb()] : undefined;
}
