// SPDX-License-Identifier: MIT
/** Settings on the kernel command line: `sysctl.kernel.panic=1`. */

import { type BootParameters, KERN_ERR, type Log } from '../../lib/env.js';
import { errname } from '../../lib/errname.js';
import { EACCES, EINVAL } from '../../lib/errno.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import type { ProcSysctl } from './proc_sysctl.js';

/** @linux fs/proc/proc_sysctl.c:process_sysctl_arg full */
function failure(error: number): string {
  if (error === -EACCES) return 'permission denied';
  if (error === -EINVAL) return 'invalid value';
  return `error ${errname(error)} writing to proc file`;
}

/** @linux fs/proc/proc_sysctl.c:do_sysctl_args full */
export function doSysctlArgs(parameters: BootParameters, sysctl: ProcSysctl, log: Log): void {
  for (const [name, value] of parameters) {
    const match = /^sysctl[./](.*)$/.exec(name);
    if (!match) continue;
    const say = (what: string) =>
      log.log(KERN_ERR, `Failed to set sysctl parameter '${match[1]}=${value}': ${what}`);
    const path = match[1].replaceAll('.', '/');
    if (!sysctl.isFile(path)) {
      say('parameter not found');
      continue;
    }
    const error = sysctl.write(path, encodeUtf8(value));
    if (error !== 0) say(failure(error));
  }
}
