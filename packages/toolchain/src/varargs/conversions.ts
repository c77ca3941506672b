// SPDX-License-Identifier: MIT
/** What a format of the kernel's printf takes: the size of each argument, in their order. */

/** Bytes that the callee reads for an argument: 4 for an int, 8 for a long or a pointer. */
export type ArgumentSize = 4 | 8;

const CONVERSION = /%[-+ #0]*(\*|\d+)?(?:\.(\*|-?\d*))?(hh|h|ll|l|LL|L|z|t)?(.?)/gs;
const LONG_QUALIFIERS = ['l', 'll', 'L', 'LL', 'z', 't'];

/**
 * The sizes that `format` asks for. An unknown conversion ends the list, as it ends the output.
 * @linux lib/vsprintf.c:format_decode differs: tells sizes only
 */
export function argumentSizes(format: string): ArgumentSize[] {
  const sizes: ArgumentSize[] = [];
  for (const [, width, precision, qualifier = '', letter] of format.matchAll(CONVERSION)) {
    if (width === '*') sizes.push(4);
    if (precision === '*') sizes.push(4);
    if (letter === 'c') sizes.push(4);
    else if (letter === 's' || letter === 'p') sizes.push(8);
    else if (letter !== '' && 'diuoxX'.includes(letter))
      sizes.push(LONG_QUALIFIERS.includes(qualifier) ? 8 : 4);
    else if (letter !== '%') break;
  }
  return sizes;
}
