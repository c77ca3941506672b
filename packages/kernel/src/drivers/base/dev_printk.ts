// SPDX-License-Identifier: MIT
/** Messages about a device: each begins with its class and name. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import { readCString } from '../../lib/guest_access.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import type { Vaddr } from '../../machine/layout.js';
import type { Devices } from './core.js';

const EPROBE_DEFER = 517;
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info'] as const;
const TEXT_MAX = 1024;

export function devPrintkExports(deps: FsDeps, devices: Devices): KernelExports {
  const say = (level: number, dev: Vaddr, fmt: Vaddr, args: Vaddr, before = ''): undefined => {
    const text = decodeUtf8(deps.format(fmt, args, TEXT_MAX)).replace(/\n$/, '');
    deps.env.log.log(level, `${devices.prefix(dev)}: ${before}${text}`);
  };
  return {
    ...Object.fromEntries(
      LEVELS.map((name, level) => [
        `_dev_${name}`,
        ['v:pp…', (dev: Vaddr, fmt: Vaddr, args: Vaddr) => say(level, dev, fmt, args)] as const,
      ]),
    ),
    _dev_printk: [
      'v:ppp…',
      (level: Vaddr, dev: Vaddr, fmt: Vaddr, args: Vaddr) => {
        const digit = readCString(deps, level, 2)[1];
        say(digit >= 48 && digit <= 55 ? digit - 48 : 4, dev, fmt, args);
      },
    ],
    dev_err_probe: [
      'i:pip…',
      (dev: Vaddr, error: number, fmt: Vaddr, args: Vaddr) => {
        say(error === -EPROBE_DEFER ? 7 : 3, dev, fmt, args, `error ${error}: `);
        return error;
      },
    ],
    __dynamic_dev_dbg: [
      'v:ppp…',
      (_descriptor: Vaddr, dev: Vaddr, fmt: Vaddr, args: Vaddr) => {
        say(7, dev, fmt, args);
      },
    ],
  };
}
