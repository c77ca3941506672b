// SPDX-License-Identifier: MIT
/** %p conversions of byte strings with a form of their own: MAC and IP addresses, UUIDs. */

import { readBytes } from './guest_access.js';
import { badPointer, type PointerConversion } from './pointer_conversion.js';
import { putError, putText } from './vsprintf_spec.js';

const hex2 = (byte: number) => byte.toString(16).padStart(2, '0');

/** The bytes that the pointer points to, or undefined after printing why there are none. */
function pointee(conversion: PointerConversion, bytes: number): Uint8Array | undefined {
  const bad = badPointer(conversion.address);
  if (!bad) return readBytes(conversion.context, conversion.address, bytes);
  putError(conversion.out, bad, conversion.spec);
  return undefined;
}

/** `%pM` 00:01:…, `%pMF` with dashes, `%pMR` reversed, `%pm` and `%pmR` bare. @linux lib/vsprintf.c:mac_address_string full */
export function macAddress(conversion: PointerConversion): void {
  const bytes = pointee(conversion, 6);
  if (!bytes) return;
  const [kind, form] = conversion.letters;
  if (form === 'R') bytes.reverse();
  const separator = kind === 'm' ? '' : form === 'F' ? '-' : ':';
  putText(conversion.out, Array.from(bytes, hex2).join(separator), conversion.spec);
}

/** @linux lib/vsprintf.c:ip4_string full */
function ip4(bytes: Uint8Array, leadingZeros: boolean): string {
  return Array.from(bytes, (b) => String(b).padStart(leadingZeros ? 3 : 1, '0')).join('.');
}

const words = (bytes: Uint8Array) =>
  Array.from({ length: 8 }, (_, i) => bytes[2 * i] * 256 + bytes[2 * i + 1]);

/** True for ::ffff:a.b.c.d and for ISATAP interface identifiers, whose last half is shown as IPv4. */
const endsInIp4 = (w: readonly number[]) =>
  (w.slice(0, 5).every((x) => x === 0) && w[5] === 0xffff) || ((w[4] | 0x0200) === 0x0200 && w[5] === 0x5efe);

/**
 * RFC 5952: the first of the longest runs of two or more zero words becomes `::`.
 * @linux lib/vsprintf.c:ip6_compressed_string full
 */
function ip6Compressed(bytes: Uint8Array): string {
  const w = words(bytes);
  const useIp4 = endsInIp4(w);
  const count = useIp4 ? 6 : 8;
  let start = -1;
  let longest = 1;
  for (let i = 0; i < count; i++) {
    let end = i;
    while (end < count && w[end] === 0) end++;
    if (end - i > longest) {
      start = i;
      longest = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const part = (from: number, to: number) =>
    w
      .slice(from, to)
      .map((x) => x.toString(16))
      .join(':');
  const tail = useIp4 ? ip4(bytes.subarray(12), false) : '';
  const join = (...parts: string[]) => parts.filter((p) => p !== '').join(':');
  if (start < 0) return join(part(0, count), tail);
  return `${part(0, start)}::${join(part(start + longest, count), tail)}`;
}

/** `%pI6`, `%pi6`, `%pI6c`. */
function ip6(bytes: Uint8Array, letters: string): string {
  if (letters[0] === 'I' && letters[2] === 'c') return ip6Compressed(bytes);
  return words(bytes)
    .map((x) => x.toString(16).padStart(4, '0'))
    .join(letters[0] === 'I' ? ':' : '');
}

const AF_INET = 2;
const AF_INET6 = 10;

/** `%pIS`: a struct sockaddr, its address and, by letter, p port, f flow, s scope. */
function socketAddress(conversion: PointerConversion): void {
  const head = pointee(conversion, 28);
  if (!head) return;
  const { letters, out, spec } = conversion;
  const options = letters.slice(2);
  const family = head[0] | (head[1] << 8);
  const port = options.includes('p') ? `:${head[2] * 256 + head[3]}` : '';
  if (family === AF_INET) {
    const bytes = head.slice(4, 8);
    if (/[hl]/.test(options)) bytes.reverse();
    putText(out, ip4(bytes, letters[0] === 'i') + port, spec);
  } else if (family === AF_INET6) {
    const view = new DataView(head.buffer);
    const compressed = letters[0] === 'I' && options.includes('c');
    const text = compressed ? ip6Compressed(head.slice(8, 24)) : ip6(head.slice(8, 24), letters[0]);
    const flow = options.includes('f') ? `/${view.getUint32(4) & 0xfffff}` : '';
    const scope = options.includes('s') ? `%${view.getUint32(24, true)}` : '';
    const bracketed = port + flow + scope === '' ? text : `[${text}]`;
    putText(out, bracketed + port + flow + scope, spec);
  } else putError(out, '(einval)', spec);
}

/** `%pI4`, `%pi4` (leading zeros), `%pI6`, `%pIS`. @linux lib/vsprintf.c:ip_addr_string full */
export function ipAddress(conversion: PointerConversion): void {
  const { letters, out, spec } = conversion;
  if (letters[1] === 'S') {
    socketAddress(conversion);
    return;
  }
  if (letters[1] !== '4' && letters[1] !== '6') {
    putError(out, `(%p${letters[0]}?)`, spec);
    return;
  }
  const bytes = pointee(conversion, letters[1] === '4' ? 4 : 16);
  if (!bytes) return;
  if (letters[1] === '6') {
    putText(out, ip6(bytes, letters), spec);
    return;
  }
  // h and l: the number is in this machine's order, which is little-endian.
  if (letters[2] === 'h' || letters[2] === 'l') bytes.reverse();
  putText(out, ip4(bytes, letters[0] === 'i'), spec);
}

const LITTLE_ENDIAN = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

/** `%pUb`, `%pUB` (upper case), `%pUl`, `%pUL` (little-endian fields). @linux lib/vsprintf.c:uuid_string full */
export function uuid(conversion: PointerConversion): void {
  const bytes = pointee(conversion, 16);
  if (!bytes) return;
  const form = conversion.letters[1] ?? '';
  let text = '';
  for (let i = 0; i < 16; i++) {
    text += hex2(bytes[form.toLowerCase() === 'l' ? LITTLE_ENDIAN[i] : i]);
    if (i === 3 || i === 5 || i === 7 || i === 9) text += '-';
  }
  putText(conversion.out, form === 'B' || form === 'L' ? text.toUpperCase() : text, conversion.spec);
}
