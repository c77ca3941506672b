// SPDX-License-Identifier: MIT
/** The kernel command line: `name=value` or `name`, separated by spaces, double quotes around values with spaces. */

import type { BootParameters } from '../lib/env.js';

/** @linux kernel/params.c:parse_args partial: the last of equal names counts, dashes stay */
export function commandLineParameters(line: string): BootParameters {
  const parameters = new Map<string, string>();
  for (const [word] of line.matchAll(/(?:"[^"]*"|[^\s"])+/g)) {
    const plain = word.replaceAll('"', '');
    const equals = plain.indexOf('=');
    if (equals < 0) parameters.set(plain, '');
    else parameters.set(plain.slice(0, equals), plain.slice(equals + 1));
  }
  return parameters;
}
