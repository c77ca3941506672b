// SPDX-License-Identifier: MIT
/** sysctl on a real machine. */

import { expect, test } from 'vitest';
import { bootMachine } from '../kernel_machine.js';
import { runShell } from '../testing.js';

const newMachine = () => bootMachine({ memory: 32 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' });
const run = (script: string, machine = newMachine()) => runShell(script, undefined, machine);

test('shows settings', async () => {
  const { stdout, stderr, status } = await run(
    'sysctl kernel.ostype kernel/panic; sysctl -n kernel.printk; sysctl -N kernel.panic; sysctl -b kernel.ostype; ' +
      'sysctl -a | grep -c =; sysctl -a -r "^kernel.printk_r"; sysctl vm | head -2; cat /proc/sys/vm/min_free_kbytes',
  );
  expect(stderr).toBe('');
  const lines = stdout.split('\n');
  expect(lines.slice(0, 4)).toEqual([
    'kernel.ostype = Linux',
    'kernel.panic = 0',
    '7\t4\t1\t7',
    'kernel.panic',
  ]);
  expect(lines[4]).toMatch(/^Linux\d\d$/);
  expect(lines.slice(5, 9)).toEqual([
    'kernel.printk_ratelimit = 5',
    'kernel.printk_ratelimit_burst = 10',
    'vm.lowmem_reserve_ratio = 256\t256\t32\t0\t0',
    `vm.min_free_kbytes = ${lines[9]}`,
  ]);
  expect(status).toBe(0);
});

test('sets them', async () => {
  const { stdout, stderr, status } = await run(
    'sysctl -w kernel.panic=7; sysctl kernel.printk="3 4"; sysctl -q kernel.panic_on_oops=1; ' +
      'sysctl --dry-run kernel.panic=9; sysctl -n kernel.panic kernel.printk kernel.panic_on_oops; ' +
      'echo other > /proc/sys/kernel/hostname; uname -n',
  );
  expect(stderr).toBe('');
  expect(stdout).toBe('kernel.panic = 7\nkernel.printk = 3 4\nkernel.panic = 9\n7\n3\t4\t1\t7\n1\nother\n');
  expect(status).toBe(0);
});

test('says what is wrong', async () => {
  const errors = async (command: string) => {
    const { stderr, status } = await run(command);
    return [stderr, status];
  };
  expect(await errors('sysctl kernel.nosuch')).toEqual([
    'sysctl: cannot stat /proc/sys/kernel/nosuch: No such file or directory\n',
    1,
  ]);
  expect(await errors('sysctl -e kernel.nosuch; sysctl -e kernel.nosuch=1')).toEqual(['', 0]);
  expect(await errors('sysctl -w kernel.panic')).toEqual([
    'sysctl: command line(0): invalid syntax, continuing...\n',
    1,
  ]);
  expect(await errors('sysctl -w kernel.panic=abc')).toEqual([
    'sysctl: setting key "kernel.panic": Invalid argument\n',
    1,
  ]);
  expect(await errors('sysctl kernel.ostype=x')).toEqual([
    'sysctl: permission denied on key "kernel.ostype"\n',
    1,
  ]);
  expect(await errors('sysctl kernel=x')).toEqual(['sysctl: setting key "kernel": Is a directory\n', 1]);
  expect(await errors('sysctl =3')).toEqual(['sysctl: Path is not under /proc/sys/: /proc/sys/\n', 1]);
  expect(await errors('sysctl -p /nosuch')).toEqual([
    'sysctl: cannot open "/nosuch": No such file or directory\n',
    1,
  ]);
  const [usage, status] = await errors('sysctl -Z');
  expect(usage).toMatch(/^sysctl: invalid option -- 'Z'\n\nUsage:\n/);
  expect(status).toBe(1);
  expect((await errors('sysctl -a -r "("'))[1]).toBe(1);
});

test('loads them from a file', async () => {
  const { stdout, stderr, status } = await run(
    'printf "# a comment\\n; another\\n\\nkernel.panic = 5\\n-kernel.nosuch=1\\nbad line\\nkernel/printk=2\\n" > /tmp/s.conf; ' +
      'sysctl -p /tmp/s.conf; sysctl -e --load=/tmp/s.conf; cd /tmp; sysctl -q -e -p s.conf; echo $?; sysctl -p',
  );
  const set = 'kernel.panic = 5\nkernel.printk = 2\n';
  expect(stdout).toBe(`${set}${set}0\n`);
  expect(stderr).toBe(
    'sysctl: /tmp/s.conf(6): invalid syntax, continuing...\n' +
      'sysctl: cannot stat /proc/sys/kernel/nosuch: No such file or directory\n' +
      'sysctl: /tmp/s.conf(6): invalid syntax, continuing...\n' +
      'sysctl: s.conf(6): invalid syntax, continuing...\n' +
      'sysctl: cannot open "/etc/sysctl.conf": No such file or directory\n',
  );
  expect(status).toBe(1);
});
