// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { FakeMachine } from '../fake_machine.js';
import { runShell } from '../testing.js';
import { modinfoLines } from './modinfo.js';

/** kmod's messages and exit codes, as a real Linux 6.1 gave them. */
test('insmod and rmmod say what kmod says', async () => {
  const machine = new FakeMachine();
  const errors = { refu: -2, badparm: -22, nomem: -12, badfile: -8 };
  for (const [name, status] of Object.entries(errors)) machine.outcomes.set(name, { status });
  machine.outcomes.set('oops', { status: 0, signal: 9 });
  const script = `
cd /tmp
for m in refu badparm nomem badfile oops reft user; do printf $m >$m.ko; done
t() { echo "\\$ $*"; "$@" 2>&1; echo "exit $?"; }
t insmod refu.ko
t insmod reft.ko n=7 s=hello arr=1,2,3
t insmod reft.ko
t lsmod
t sudo insmod badparm.ko n=abc
t insmod nomem.ko
t insmod badfile.ko
t insmod nosuch.ko
t insmod oops.ko
t insmod
t rmmod reft
t rmmod reft
t modinfo nosuch.ko`;
  const { stdout } = await runShell(script, undefined, machine);
  expect(stdout).toBe(`$ insmod refu.ko
insmod: ERROR: could not insert module refu.ko: Unknown symbol in module
exit 1
$ insmod reft.ko n=7 s=hello arr=1,2,3
exit 0
$ insmod reft.ko
insmod: ERROR: could not insert module reft.ko: File exists
exit 1
$ lsmod
Module                  Size  Used by
reft                   16384  0
exit 0
$ sudo insmod badparm.ko n=abc
insmod: ERROR: could not insert module badparm.ko: Invalid parameters
exit 1
$ insmod nomem.ko
insmod: ERROR: could not insert module nomem.ko: Cannot allocate memory
exit 1
$ insmod badfile.ko
insmod: ERROR: could not insert module badfile.ko: Invalid module format
exit 1
$ insmod nosuch.ko
insmod: ERROR: could not load module nosuch.ko: No such file or directory
exit 1
$ insmod oops.ko
Killed
exit 137
$ insmod
insmod: ERROR: missing filename.
exit 1
$ rmmod reft
exit 0
$ rmmod reft
rmmod: ERROR: Module reft is not currently loaded
exit 1
$ modinfo nosuch.ko
modinfo: ERROR: Module nosuch.ko not found.
exit 1
`);
});

test('a module in use is not removed', async () => {
  const machine = new FakeMachine();
  const common = { size: 16384, state: 'Live' } as const;
  machine.loaded.push({ name: 'refu', refcount: 0, usedBy: [], ...common });
  machine.loaded.push({ name: 'reft', refcount: 1, usedBy: ['refu'], ...common });
  const { stdout, stderr, status } = await runShell('lsmod; rmmod reft', undefined, machine);
  expect(stdout).toBe(
    'Module                  Size  Used by\nrefu                   16384  0\nreft                   16384  1 refu\n',
  );
  expect({ stderr, status }).toEqual({ stderr: 'rmmod: ERROR: Module reft is in use by: refu\n', status: 1 });
});

test('parameters with blanks are quoted for the kernel', async () => {
  const machine = new FakeMachine();
  await runShell('printf m >/tmp/m.ko; insmod /tmp/m.ko n=1 "s=two words"', undefined, machine);
  expect(machine.lastParameters).toBe('n=1 s="two words"');
});

test('modinfo joins parameters with their types', () => {
  const entries: [string, string][] = [
    ['license', 'GPL'],
    ['parmtype', 'n:int'],
    ['parm', 'n:a number'],
    ['parmtype', 's:charp'],
    ['name', 'reft'],
  ];
  expect(modinfoLines(entries)).toEqual([
    ['license', 'GPL'],
    ['name', 'reft'],
    ['parm', 'n:a number (int)'],
    ['parm', 's:charp'],
  ]);
});

test('dmesg, uname, free and uptime', async () => {
  const { stdout } = await runShell(
    'printf x >/tmp/x.ko; insmod /tmp/x.ko; dmesg; dmesg -t -l info; dmesg -C; dmesg; uname -r; uname -m; uname -srm; uptime; free -m | head -2 | tail -1',
  );
  expect(stdout).toBe(`[    1.500000] x: loading
x: loading
6.1.0-pagewalk
wasm64
Linux 6.1.0-pagewalk wasm64
 00:00:12 up 0 min,  1 user,  load average: 0.00, 0.00, 0.00
Mem:              64           4          58           0           0          59
`);
});
