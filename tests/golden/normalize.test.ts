// SPDX-License-Identifier: MIT
import { expect, test } from 'vitest';
import { applyDifferences, normalize, sectionOf, withoutAmounts } from './normalize.js';

test('sections of a recording', () => {
  const recording = '=== dmesg\na\nb\n=== run.sh output\nc\n=== exit 1\n';
  expect(sectionOf(recording, 'dmesg')).toEqual(['a', 'b']);
  expect(sectionOf(recording, 'run.sh output')).toEqual(['c']);
  expect(() => sectionOf(recording, 'other')).toThrow('no section "other"');
});

test('timestamps, CPU, PID and release go', () => {
  expect(
    normalize([
      '[    3.374977] CPU: 1 PID: 78 Comm: insmod Tainted: G           OE      6.1.0-56-amd64 #1  Debian 6.1.192-2',
      'CPU: 0 PID: 79 Comm: insmod Tainted: G           OE      6.1.0-pagewalk #1',
      'note: insmod[78] exited with irqs disabled',
    ]),
  ).toEqual([
    'CPU: N PID: N Comm: insmod Tainted: G           OE      RELEASE',
    'CPU: N PID: N Comm: insmod Tainted: G           OE      RELEASE',
    'note: insmod[N] exited with irqs disabled',
  ]);
});

test('registers, code and guessed frames go, the user program with them', () => {
  expect(
    normalize([
      'Code: 5e e9 <0f> 0b',
      'RSP: 0018:ffffc90000473b20 EFLAGS: 00000246',
      'RAX: ffff88800577fb00 RBX: ffff88800577fb00 RCX: ffff88800577fb40',
      'CS:  0010 DS: 0000 ES: 0000 CR0: 0000000080050033',
      'CR2: 0000556c2a147b50 CR3: 000000000f8be000 CR4: 00000000003006f0',
      'Call Trace:',
      ' <TASK>',
      ' ? 0xffffffffc0206000',
      ' do_syscall_64+0x5d/0xb0',
      'RIP: 0033:0x7f1a15b5f829',
      'ORIG_RAX: 0000000000000139',
      ' </TASK>',
    ]),
  ).toEqual(['Call Trace:', ' <TASK>', ' do_syscall_64+OFF', ' </TASK>']);
});

test('offsets, compiler suffixes, line numbers and addresses go; NULL, modules and file:line of the message stay', () => {
  expect(
    normalize([
      'RIP: 0010:f_init+0x14/0x1000 [f] (f.c:13)',
      ' free_to_partial_list.cold+0x82/0x106',
      'WARNING: CPU: 0 PID: 77 at /src/f.c:9 f_init+0x16/0x1000 [f]',
      'BUG: kernel NULL pointer dereference, address: 0000000000000000',
      'BUG: unable to handle page fault for address: ffffc90000473b20',
      'PGD 100000067 P4D 100000067 PUD 0 ',
      'PGD 0 P4D 0 ',
      'Object 0xffff888005aae380 @offset=896 fp=0x0000000000000000',
    ]),
  ).toEqual([
    'RIP: 0010:f_init+OFF [f]',
    ' free_to_partial_list+OFF',
    'WARNING: CPU: N PID: N at f.c:9 f_init+OFF [f]',
    'BUG: kernel NULL pointer dereference, address: 0000000000000000',
    'BUG: unable to handle page fault for address: ADDR',
    'PGD ENTRIES',
    'PGD 0 P4D 0',
    'Object ADDR @offset=N fp=0x0000000000000000',
  ]);
});

test('recursion is one frame', () => {
  expect(normalize([' f+0x14/0x20 [m]', ' f+0x14/0x20 [m]', ' g+0x1/0x2 [m]', '', ''])).toEqual([
    ' f+OFF [m]',
    ' g+OFF [m]',
    '',
    '',
  ]);
});

test('amounts of memory', () => {
  expect(withoutAmounts(['Node 0 DMA: 0*4kB 1*128kB (UM) = 2944kB', 'free:5749 free_pcp:0'])).toEqual([
    'Node N DMA: N*NkB N*NkB = NkB',
    'free:N free_pcp:N',
  ]);
});

test('a known difference that is gone fails', () => {
  expect(
    applyDifferences(
      ['a', 'b'],
      [
        { linux: 'a', here: 'x' },
        { linux: null, here: 'c' },
      ],
    ),
  ).toEqual(['x', 'b', 'c']);
  expect(applyDifferences(['a', 'b'], [{ linux: 'a', here: null }])).toEqual(['b']);
  expect(() => applyDifferences(['a'], [{ linux: 'b', here: null }])).toThrow('this difference is gone: "b"');
});
