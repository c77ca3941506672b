// SPDX-License-Identifier: MIT
/** dmesg and /dev/kmsg on the real kernel. */

import { expect, test } from 'vitest';
import { bootMachine } from '../kernel_machine.js';
import { createSession } from '../session.js';
import { runIn } from '../testing.js';

const machine = () => bootMachine({ memory: 32 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
const run = (script: string) => runIn(createSession({ machine: machine() }), script);

test('a line written to /dev/kmsg, in the forms of dmesg', async () => {
  const { stdout, stderr } = await run(`dmesg -C
echo '<3>bad news' >/dev/kmsg; echo plain >/dev/kmsg
dmesg -t; dmesg -x -t; dmesg -t -l err; dmesg -T | sed 's/ 2026\\]/ YEAR]/'; dmesg -r -t; dmesg -H | wc -l
dmesg --json | grep msg; dmesg -tc; dmesg; dmesg -n 1; echo $?; dmesg -l nosuch`);
  expect(stdout).toBe(`bad news
plain
user  :err   : bad news
user  :warn  : plain
bad news
[Thu Jan  1 00:00:00 YEAR] bad news
[Thu Jan  1 00:00:00 YEAR] plain
<11>bad news
<12>plain
2
         "msg": "bad news"
         "msg": "plain"
bad news
plain
0
`);
  expect(stderr).toBe("dmesg: unknown level 'nosuch'\n");
});

test('dmesg -w goes on showing until it is killed', async () => {
  const { stdout } = await run(
    'dmesg -C; dmesg -wt & sleep 1; echo one >/dev/kmsg; sleep 1; echo two >/dev/kmsg; sleep 1; kill %1; wait %1; echo $?',
  );
  expect(stdout).toBe('one\ntwo\n143\n');
});
