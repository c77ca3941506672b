// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { makeFormatter } from './vsprintf_testing.js';

const { print, place } = makeFormatter();
const at = (...bytes: number[]) => ({ p: place(Uint8Array.from(bytes)) });
const quad = (...values: bigint[]) =>
  at(...values.flatMap((v) => Array.from({ length: 8 }, (_, i) => Number((v >> BigInt(8 * i)) & 0xffn))));
const ints = (...values: number[]) =>
  at(...values.flatMap((v) => [v & 255, (v >> 8) & 255, (v >> 16) & 255, (v >> 24) & 255]));
const ten = () => at(0x00, 0x01, 0x02, 0x0a, 0xff, 0x7f, 0x80, 0x41, 0x42, 0x43);

describe('what a pointer points to', () => {
  it.each([
    ['%*ph', '00 01 02 0a ff 7f 80 41'],
    ['%*phC', '00:01:02:0a:ff:7f:80:41'],
    ['%*phD', '00-01-02-0a-ff-7f-80-41'],
    ['%*phN', '0001020aff7f8041'],
  ])('dumps bytes by %s', (format, expected) => expect(print(format, { int: 8 }, ten())).toBe(expected));

  it('dumps one byte without a width and none with width 0', () => {
    expect(print('[%ph] [%0ph] [%3phN]', at(7), at(7), ten())).toBe('[07] [07] [000102]');
    expect(print('[%*ph]', { int: 0 }, ten())).toBe('[]');
  });

  it('writes bitmaps', () => {
    const map = quad(0x8000000f_00000003n, 0x1n);
    expect(print('%*pb %*pb', { int: 64 }, map, { int: 65 }, map)).toBe(
      '8000000f,00000003 1,8000000f,00000003',
    );
    expect(print('%*pb %*pb', { int: 3 }, map, { int: 34 }, map)).toBe('3 3,00000003');
    expect(print('%*pbl|%*pbl', { int: 65 }, map, { int: 65 }, quad(0n, 0n))).toBe('0-1,32-35,63-64|');
  });

  it('writes network addresses', () => {
    const mac = at(0x00, 0x1a, 0x2b, 0x3c, 0x4d, 0x5e);
    expect(print('%pM %pMF %pMR %pm %pmR', mac, mac, mac, mac, mac)).toBe(
      '00:1a:2b:3c:4d:5e 00-1a-2b-3c-4d-5e 5e:4d:3c:2b:1a:00 001a2b3c4d5e 5e4d3c2b1a00',
    );
    const ip = at(127, 0, 0, 1);
    expect(print('%pI4 %pi4 %pI4h %pI4b', ip, ip, ip, ip)).toBe(
      '127.0.0.1 127.000.000.001 1.0.0.127 127.0.0.1',
    );
    const six = at(0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1);
    expect(print('%pI6 %pi6', six, six)).toBe(
      '2001:0db8:0000:0000:0001:0000:0000:0001 20010db8000000000001000000000001',
    );
    expect(print('%pI6c', six)).toBe('2001:db8::1:0:0:1');
    expect(print('%pI6c', at(...Array(16).fill(0)))).toBe('::');
    expect(print('%pI6c', at(...Array(15).fill(0), 1))).toBe('::1');
    expect(print('%pI6c', at(0xfe, 0x80, ...Array(14).fill(0)))).toBe('fe80::');
    expect(print('%pI6c', at(...Array(10).fill(0), 0xff, 0xff, 192, 0, 2, 1))).toBe('::ffff:192.0.2.1');
    expect(print('%pI6c', at(0, 1, 0, 2, 0, 3, 0, 0, 0, 5, 0, 6, 0, 7, 0, 8))).toBe('1:2:3:0:5:6:7:8');
    expect(print('%pIS %pISp', at(2, 0, 0, 80, 10, 0, 0, 1), at(2, 0, 0, 80, 10, 0, 0, 1))).toBe(
      '10.0.0.1 10.0.0.1:80',
    );
    expect(print('%pI9 %pIS', ip, at(9, 0))).toBe('(%pI?) (einval)');
  });

  it('writes UUIDs', () => {
    const id = at(...Array.from({ length: 16 }, (_, i) => 0xa0 + i));
    expect(print('%pUb', id)).toBe('a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf');
    expect(print('%pUL', id)).toBe('A3A2A1A0-A5A4-A7A6-A8A9-AAABACADAEAF');
  });

  it('writes addresses and resources by reference', () => {
    expect(print('%pa %pad', quad(0x5cf2f00n), quad(1n))).toBe('0x0000000005cf2f00 0x0000000000000001');
    const memory = quad(0x60000000n, 0x6fffffffn, 0n, 0x2200n);
    expect(print('%pr|%pR', memory, memory)).toBe(
      '[mem 0x60000000-0x6fffffff flags 0x2200]|[mem 0x60000000-0x6fffffff pref]',
    );
    expect(print('%pR %pR', quad(0x60n, 0x60n, 0n, 0x100n), quad(4n, 9n, 0n, 0x400n))).toBe(
      '[io  0x0060] [irq 4-9]',
    );
    expect(print('%pR', quad(0n, 0xffn, 0n, 0x20000200n))).toBe('[mem size 0x00000100]');
    expect(print('%pr', quad(0n, 1n, 0n, 0n))).toBe('[??? 0x00000000-0x00000001 flags 0x0]');
  });

  it('writes escapes, codes and times', () => {
    expect(print('%*pE', { int: 10 }, ten())).toBe('\\0\\001\\002\\n\ufffd\\177\\200ABC');
    expect(print('%*pEhp', { int: 4 }, at(0, 65, 0xfe, 10))).toBe('\\x00A\ufffd\\x0a');
    expect(print('%p4cc', ints(0x20424752 | 0))).toBe('RGB  little-endian (0x20424752)');
    expect(print('%ptT %ptTd %ptTt %ptTs', ...Array(4).fill(quad(1546300800n)))).toBe(
      '2019-01-01T00:00:00 2019-01-01 00:00:00 2019-01-01 00:00:00',
    );
    expect(print('%ptR %ptRr', ...Array(2).fill(ints(5, 4, 3, 2, 0, 119)))).toBe(
      '2019-01-02T03:04:05 0119-00-02T03:04:05',
    );
    expect(print('%ptT', quad(-62162121600n))).toBe('0000-02-29T00:00:00');
  });

  it('eats all letters after %p, and says what it cannot follow', () => {
    expect(print('%pMzz9!', at(1, 2, 3, 4, 5, 6))).toBe('01:02:03:04:05:06!');
    expect(
      print(
        '%pM %pI4 %*ph %pa %pV %pd',
        { p: 0 },
        { p: 5 },
        { int: 3 },
        { p: -7 },
        { p: 0 },
        { p: 0 },
        { p: 0 },
      ),
    ).toBe('(null) (efault) (efault) (null) (null) (null)');
    expect(print('%pOF %pg %pGx %ptx', { p: 0 }, { p: 0 }, quad(1n), quad(1n))).toBe(
      '(%pOF?) (%pg?) (%pG?) (%pt?)',
    );
  });
});
