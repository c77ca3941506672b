// SPDX-License-Identifier: MIT
import type { HeaderTree } from '../compile.js';

/**
 * The kernel's configuration as Makefiles see it (include/config/auto.conf), from the header by which C sees it: what
 * is 1 there is `y` here.
 */
export function configOf(headers: HeaderTree): Record<string, string> {
  const config: Record<string, string> = {};
  const text = headers.get('linux/kconfig.h') ?? '';
  for (const [, name, value] of text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(CONFIG_\w+)[ \t]+(\S+)/gm))
    config[name] = value === '1' ? 'y' : value;
  return config;
}
