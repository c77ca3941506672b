// SPDX-License-Identifier: MIT
/** UTF-8, both ways: the kernel is host-free, so it does not lean on the host's TextEncoder. */

/** Encodes text; a lone surrogate becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  const ascii = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 0x80) return encodeFrom(text, i, ascii);
    ascii[i] = code;
  }
  return ascii;
}

/** Encodes text from its first character on that is not ASCII; what comes before has been encoded. */
function encodeFrom(text: string, start: number, before: Uint8Array): Uint8Array {
  const out = new Uint8Array(start + (text.length - start) * 3);
  out.set(before.subarray(0, start));
  let at = start;
  for (let i = start; i < text.length; i++) {
    let code = text.charCodeAt(i);
    if (code < 0x80) {
      out[at++] = code;
      continue;
    }
    if (code >= 0xd800 && code <= 0xdfff) {
      code = text.codePointAt(i)!;
      if (code > 0xffff) i++;
      else code = 0xfffd;
    }
    if (code > 0xffff) {
      out[at++] = 0xf0 | (code >> 18);
      out[at++] = 0x80 | ((code >> 12) & 63);
    } else if (code > 0x7ff) out[at++] = 0xe0 | (code >> 12);
    else {
      out[at++] = 0xc0 | (code >> 6);
      out[at++] = 0x80 | (code & 63);
      continue;
    }
    out[at++] = 0x80 | ((code >> 6) & 63);
    out[at++] = 0x80 | (code & 63);
  }
  return out.slice(0, at);
}

/** Bytes with a NUL behind them. */
export function endedByNul(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length + 1);
  out.set(bytes);
  return out;
}

/** Text whose characters are the bytes. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 4096) text += String.fromCharCode(...bytes.subarray(i, i + 4096));
  return text;
}

/** Bytes of the sequence that starts with `lead`, 0 if none can; over-long forms and surrogates are refused later. */
const sequenceLength = (lead: number) =>
  lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
const SMALLEST = [0, 0, 0x80, 0x800, 0x10000];

/** Decodes bytes; each byte that begins no valid sequence becomes U+FFFD. */
export function decodeUtf8(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; ) {
    const length = sequenceLength(bytes[i]);
    let code = length === 1 ? bytes[i] : bytes[i] & (0x7f >> length);
    let ok = length > 0;
    for (let k = 1; k < length && ok; k++) {
      ok = (bytes[i + k] & 0xc0) === 0x80;
      code = (code << 6) | (bytes[i + k] & 63);
    }
    ok &&= length === 1 || (code >= SMALLEST[length] && code <= 0x10ffff && (code & ~0x7ff) !== 0xd800);
    text += ok ? String.fromCodePoint(code) : '\ufffd';
    i += ok ? length : 1;
  }
  return text;
}
