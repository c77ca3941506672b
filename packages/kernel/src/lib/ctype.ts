// SPDX-License-Identifier: MIT
/** Characters as the kernel classes them: ASCII, and the letters and the blank of Latin-1. */

export const isUpper = (c: number): boolean =>
  (c >= 0x41 && c <= 0x5a) || (c >= 0xc0 && c <= 0xde && c !== 0xd7);
export const toLower = (c: number): number => (isUpper(c) ? c + 32 : c);
export const isSpace = (c: number): boolean => c === 32 || (c >= 9 && c <= 13) || c === 0xa0;
export const isDigit = (c: number): boolean => c >= 0x30 && c <= 0x39;

/** Value of a digit of any base up to 36; 99 for what is none. */
export function digitValue(c: number): number {
  if (isDigit(c)) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x7a ? letter - 0x61 + 10 : 99;
}
