// SPDX-License-Identifier: MIT
/** What every printer of a %p conversion is given, and which pointers it must not follow. */

import type { Vaddr } from '../machine/layout.js';
import type { ByteOutput } from './byte_output.js';
import type { VaList } from './valist.js';
import type { FormatContext } from './vsprintf.js';
import type { Spec } from './vsprintf_spec.js';

const MAX_ERRNO = 4095;

/** True for the error codes -4095 to -1 in pointer's clothing. */
export const isErr = (address: Vaddr): boolean => address < 0 && address >= -MAX_ERRNO;

/**
 * Why a pointer cannot be followed, as printed, or '' if it may be.
 * @linux lib/vsprintf.c:check_pointer_msg full
 */
export function badPointer(address: Vaddr): string {
  if (address === 0) return '(null)';
  return (address > 0 && address < 4096) || isErr(address) ? '(efault)' : '';
}

/** One %p conversion. */
export interface PointerConversion {
  readonly context: FormatContext;
  readonly out: ByteOutput;
  readonly address: Vaddr;
  /** The letters and digits after %p; all of them are part of the conversion. */
  readonly letters: string;
  readonly spec: Spec;
  /** Formats into the same output, for %pV; false if too deep. */
  nested(format: Uint8Array, args: VaList): boolean;
}
export type PointerPrinter = (conversion: PointerConversion) => void;
