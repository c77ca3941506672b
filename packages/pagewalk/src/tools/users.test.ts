// SPDX-License-Identifier: MIT
/** Other users than root, and what permission bits keep them from. */

import { expect, test } from 'vitest';
import { runShell } from '../testing.js';

test('who one is', async () => {
  const { stdout, stderr } = await runShell('id; whoami; sudo -u nobody whoami; su nobody -c id; su x -c id');
  expect(stdout).toBe(`uid=0(root) gid=0(root) groups=0(root)
root
nobody
uid=65534(nobody) gid=65534(nogroup) groups=65534(nogroup)
`);
  expect(stderr).toBe(
    'su: user x does not exist or the user entry does not contain all the required fields\n',
  );
});

test('what permission bits keep others from', async () => {
  const script = `mkdir /tmp/p; echo secret >/tmp/p/f; chmod 600 /tmp/p/f; echo 1 >/tmp/sticky
su nobody -c 'cat /tmp/p/f; echo x >/tmp/p/g; rm /tmp/sticky; mkdir /root/d; chown nobody /tmp/sticky; insmod x.ko; mount -t tmpfs none /mnt; echo mine >/tmp/own'
stat -c '%U:%G %a' /tmp/own; chown nobody /tmp/p/f; su nobody -c 'cat /tmp/p/f'`;
  const { stdout, stderr } = await runShell(script);
  expect(stdout).toBe('nobody:nogroup 644\nsecret\n');
  expect(stderr.split('\n').map((line) => line.split(': ').pop())).toEqual([
    'Permission denied',
    'Permission denied',
    'Operation not permitted',
    'Permission denied',
    'Operation not permitted',
    'Operation not permitted',
    'Operation not permitted.',
    '',
  ]);
});

test('umask holds for the shell and what it starts', async () => {
  const { stdout } = await runShell(
    'umask; umask 077; umask; touch /tmp/a; mkdir /tmp/b; (umask 0; touch /tmp/c); stat -c %a /tmp/a /tmp/b /tmp/c; umask 9',
  );
  expect(stdout).toBe('0022\n0077\n600\n700\n666\n');
});

test('du, cp -r and find know folders, links and mounts', async () => {
  const { stdout } = await runShell(`mkdir -p /tmp/d/e; head -c 5000 /dev/zero >/tmp/d/e/f; ln -s e/f /tmp/d/l
du /tmp/d; du -sh /tmp/d; cp -r /tmp/d /tmp/copy; readlink /tmp/copy/l
mount -t tmpfs none /tmp/copy/e; touch /tmp/copy/e/other; find /tmp/copy -xdev -type f; find /tmp/copy -type f`);
  expect(stdout).toBe(`8	/tmp/d/e
8	/tmp/d
8.0K	/tmp/d
e/f
/tmp/copy/e/other
`);
});
