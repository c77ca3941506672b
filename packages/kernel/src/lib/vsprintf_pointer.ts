// SPDX-License-Identifier: MIT
/** `%p` and the letters that may follow it. */

import { errname } from './errname.js';
import { readCString, readS64 } from './guest_access.js';
import { badPointer, isErr, type PointerConversion, type PointerPrinter } from './pointer_conversion.js';
import { encodeUtf8 } from './utf8.js';
import { VaList } from './valist.js';
import { ipAddress, macAddress, uuid } from './vsprintf_network.js';
import {
  addressValue,
  bitmap,
  dentryName,
  escaped,
  flagsString,
  fourcc,
  hexString,
  netdevBits,
  resourceString,
  timeAndDate,
} from './vsprintf_objects.js';
import {
  putError,
  putInteger,
  putNumber,
  putString,
  putText,
  SIGN,
  SMALL,
  type Spec,
  ZEROPAD,
} from './vsprintf_spec.js';

const TWO32 = 4294967296;
/**
 * Prints a pointer argument.
 * @linux lib/vsprintf.c:pointer partial: no %pg, %pC, %pO, %pf (there are no clocks or firmware nodes here)
 */
export function putPointer(conversion: PointerConversion): void {
  (PRINTERS[conversion.letters[0]] ?? defaultPointer)(conversion);
}

/** The address itself: 16 digits, or as the width asks. @linux lib/vsprintf.c:pointer_string full */
function pointerString({ out, address, spec: s }: PointerConversion): void {
  const shape: Spec = { ...s, base: 16, flags: s.flags | SMALL };
  if (s.width === -1) {
    shape.width = 16;
    shape.flags |= ZEROPAD;
  }
  putNumber(out, Math.floor(address / TWO32) | 0, address | 0, shape);
}

/** `%p`: the hashed address; NULL and errors are no secret. @linux lib/vsprintf.c:default_pointer full */
function defaultPointer(conversion: PointerConversion): void {
  const { context, out, address, spec: s } = conversion;
  if (context.hash.disabled || address === 0 || isErr(address)) {
    pointerString(conversion);
    return;
  }
  const id = context.hash.id(address);
  if (id < 0) putError(out, '(____ptrval____)', { ...s, width: 16 });
  else pointerString({ ...conversion, address: id });
}

/** `%pS`, `%ps`, `%pB`. @linux lib/vsprintf.c:symbol_string partial: no build identifiers */
function symbolString({ context, out, address, letters, spec: s }: PointerConversion): void {
  putString(out, encodeUtf8(context.services.symbolize(address, letters[0] as 'S' | 's' | 'B')), s);
}

/** `%pK`. Whoever reads the log here has CAP_SYSLOG. @linux lib/vsprintf.c:restricted_pointer partial: the reader is always privileged */
function restrictedPointer(conversion: PointerConversion): void {
  const { services } = conversion.context;
  const restrict = services.kptrRestrict?.() ?? 0;
  if (restrict === 0) defaultPointer(conversion);
  else if (restrict !== 1) pointerString({ ...conversion, address: 0 });
  else if (services.inInterrupt?.()) {
    // Nobody reads here of whom one could ask what he may see.
    const { out, spec: s } = conversion;
    putError(out, 'pK-error', s.width === -1 ? { ...s, width: 16 } : s);
  } else pointerString(conversion);
}

/** `%pe`: the name of an error. @linux lib/vsprintf.c:err_ptr full */
function errorPointer(conversion: PointerConversion): void {
  const { out, address, spec: s } = conversion;
  if (!isErr(address)) {
    defaultPointer(conversion);
    return;
  }
  const name = errname(address);
  if (name) putText(out, name, s);
  else putInteger(out, address, { ...s, flags: s.flags | SIGN });
}

/** `%pV`: a format and its arguments from a struct va_format. @linux lib/vsprintf.c:va_format full */
function vaFormat({ context, out, address, spec: s, nested }: PointerConversion): void {
  const bad = badPointer(address);
  if (bad) {
    putError(out, bad, s);
    return;
  }
  const format = readCString(context, readS64(context, address));
  const area = readS64(context, readS64(context, address + 8));
  if (!nested(format, new VaList(context, area))) putError(out, '(efault)', s);
}

/** What Linux too prints for objects that this machine does not have. */
function unsupported({ out, letters, spec: s }: PointerConversion): void {
  putError(out, `(%p${letters.slice(0, 2)}?)`, s);
}

const PRINTERS: { readonly [letter: string]: PointerPrinter | undefined } = {
  '4': fourcc,
  a: addressValue,
  b: bitmap,
  C: unsupported,
  D: dentryName,
  d: dentryName,
  E: escaped,
  f: unsupported,
  G: flagsString,
  g: unsupported,
  h: hexString,
  I: ipAddress,
  i: ipAddress,
  M: macAddress,
  m: macAddress,
  N: netdevBits,
  O: unsupported,
  R: resourceString,
  r: resourceString,
  t: timeAndDate,
  U: uuid,
  x: pointerString,
  S: symbolString,
  s: symbolString,
  B: symbolString,
  K: restrictedPointer,
  e: errorPointer,
  V: vaFormat,
};
