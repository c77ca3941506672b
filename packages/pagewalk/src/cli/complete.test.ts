// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { FakeMachine } from '../fake_machine.js';
import { createSession } from '../session.js';
import { Shell } from '../shell/interpreter.js';
import { complete } from './interactive.js';

test('the arguments of module commands and of man complete to what there is', () => {
  const machine = new FakeMachine();
  machine.texts.set('/proc/modules', 'hello 16384 0 - Live 0x0\nhelper 16384 0 - Live 0x0\n');
  const session = createSession({ machine });
  const shell = new Shell(session, new Map(), new AbortController().signal);
  shell.fs.writeFile(
    '/lib/modules/6.1.0-pagewalk/modules.dep',
    new TextEncoder().encode('updates/top-level.ko: updates/base.ko\n'),
  );
  expect(complete(shell, 'rmmod hel')).toEqual([['hello ', 'helper '], 'hel']);
  expect(complete(shell, 'true; sudo rmmod helpe')[0]).toEqual(['helper ']);
  expect(complete(shell, 'modprobe -v t')[0]).toEqual(['top_level ']);
  expect(complete(shell, 'man slab')[0]).toEqual(['slabtop ']);
  expect(complete(shell, 'cat /etc/hostn')[0]).toEqual(['/etc/hostname ']);
});
