// SPDX-License-Identifier: MIT
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteOutput } from './byte_output.js';
import { PointerHash } from './pointer_hash.js';
import { siphash1u64 } from './siphash.js';
import { TestFault } from './testing.js';
import { encodeUtf8 } from './utf8.js';
import { VaList } from './valist.js';
import { formatInto } from './vsprintf.js';
import { AREA, type CArgument, layOut, makeFormatter } from './vsprintf_testing.js';

const { print, place, env, hash, context, warnings } = makeFormatter();
const check = (expected: string, format: string, ...args: CArgument[]) =>
  expect(print(format, ...args), format).toBe(expected);

describe('conversions of C', () => {
  it('prints integers of every size', () => {
    check('1 -1 4294967295 ff', '%d %i %u %x', { int: 1 }, { int: -1 }, { int: -1 }, { int: 255 });
    check('-1 255 -1 65535', '%hhd %hhu %hd %hu', { int: -1 }, { int: -1 }, { int: -1 }, { int: -1 });
    check('-9223372036854775808 18446744073709551615', '%ld %lu', { long: -(2n ** 63n) }, { long: -1n });
    check('ffffffffffffffff 777', '%llx %llo', { long: -1n }, { long: 511n });
    check('12 34 -5', '%zu %zd %td', { long: 12n }, { long: 34n }, { long: -5n });
    check('9007199254740993', '%lu', { long: 2n ** 53n + 1n });
  });

  it('obeys flags, width and precision', () => {
    check('   42|42   |00042|+42| 42', '%5d|%-5d|%05d|%+d|% d', ...Array(5).fill({ int: 42 }));
    check('0x2a|0X2A|052', '%#x|%#X|%#o', ...Array(3).fill({ int: 42 }));
    check('  042|042  ', '%5.3d|%-5.3d', { int: 42 }, { int: 42 });
    check(
      '   42|42   |  7',
      '%*d|%*d|%*d',
      { int: 5 },
      { int: 42 },
      { int: -5 },
      { int: 42 },
      { int: 3 },
      { int: 7 },
    );
  });

  it('differs from C where Linux does', () => {
    check('0x0', '%#x', { int: 0 });
    check('0', '%.0d', { int: 0 });
    check('00000042', '%08.3d', { int: 42 });
    check('', '%n rest');
    check('a', 'a%jd', { long: 1n });
    expect(warnings).toContain('Please remove unsupported %j in format string');
    check('x', 'x%');
    check('%', '%5%');
  });

  it('prints strings and characters', () => {
    check(
      '[hello] [  hel] [hello     ]',
      '[%s] [%5.3s] [%-10s]',
      { s: 'hello' },
      { s: 'hello' },
      { s: 'hello' },
    );
    check('[a] [  b] [c  ]', '[%c] [%3c] [%-3c]', { int: 97 }, { int: 98 }, { int: 99 });
    check('(null) (efault) (efault) (nu', '%s %s %s %.3s', { p: 0 }, { p: 8 }, { p: -1 }, { p: 0 });
    check('', '%.0s', { s: 'gone' });
  });

  it('stops at neither odd widths nor odd precisions', () => {
    check('1', '%16777217d', { int: 1 });
    const out = new ByteOutput(8);
    layOut(env, AREA, [{ int: 2 ** 31 - 1 }, { int: 1 }], place);
    formatInto(context, out, encodeUtf8('%*d'), new VaList(env, AREA));
    expect([out.length, out.kept().length]).toEqual([8388607, 8]);
    check('7', '%.*d', { int: -3 }, { int: 7 });
    expect(warnings).toContain('field width 2147483647 too large');
  });
});

describe('%p', () => {
  it('hides addresses behind a keyed hash', () => {
    const text = print('%p', { p: -0x77ff00000000 });
    expect(text).toMatch(/^00000000[0-9a-f]{8}$/);
    expect(print('%p', { p: -0x77ff00000000 })).toBe(text);
    expect(print('%p', { p: -0x77fefffffff8 })).not.toBe(text);
    check('0000000000000000 fffffffffffffff4', '%p %p', { p: 0 }, { p: -12 });
  });

  it('says so while there is no key', () => {
    const unseeded = makeFormatter({ seeded: false });
    expect(unseeded.print('%p', { p: -0x77ff00000000 })).toBe('(____ptrval____)');
    expect(new PointerHash(env.ram, env.data, new Map([['no_hash_pointers', '']])).disabled).toBe(true);
    expect(hash.disabled).toBe(false);
  });

  it('shows addresses, symbols and errors on request', () => {
    check('ffff888005cf2f00', '%px', { p: -0x777ffa30d100 });
    check('S<0x10> s<0x10> B<0x10>', '%pS %ps %pB', { p: 16 }, { p: 16 }, { p: 16 });
    check('-ENOMEM -EPROBE_DEFER -41', '%pe %pe %pe', { p: -12 }, { p: -517 }, { p: -41 });
    check('             10', '%15px', { p: 16 });
  });

  it('nests formats', () => {
    const inner = place(encodeUtf8('<%d %s>\0'));
    const area = env.data.declare('area', 16);
    env.ram.i32[area] = 7;
    env.ram.set64(area + 2, place(encodeUtf8('x\0')));
    const list = env.data.declare('list', 24);
    env.ram.set64(list, env.ram.addressOf(area));
    env.ram.set64(list + 2, inner);
    env.ram.set64(list + 4, env.ram.addressOf(list));
    check('a <7 x> b', 'a %pV b', { p: env.ram.addressOf(list + 2) });
  });
});

it('siphash gives the published test vector', () => {
  // Key 00 01 … 0f; message 00 01 … 07.
  expect(siphash1u64(0x0706050403020100n, 0x0706050403020100n, 0x0f0e0d0c0b0a0908n)).toBe(
    0x93f5f5799a932462n,
  );
});

/** The host's printf, through one small C program: a line in, a formatted line out. */
function hostPrintf(lines: { format: string; value: bigint; long: boolean }[]): string[] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'vsprintf-'));
  try {
    const calls = lines.map(({ format, value, long }) => {
      const hex = `0x${BigInt.asUintN(64, value).toString(16)}ull`;
      return `printf(${JSON.stringify(`${format}\n`)}, ${long ? `(long)${hex}` : `(int)${hex}`});`;
    });
    writeFileSync(join(folder, 'p.c'), `#include <stdio.h>\nint main(void){${calls.join('\n')}return 0;}\n`);
    execFileSync('gcc', ['-w', '-O0', '-o', join(folder, 'p'), join(folder, 'p.c')], { stdio: 'pipe' });
    return execFileSync(join(folder, 'p'), { encoding: 'latin1' }).split('\n').slice(0, -1);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

it('agrees with the host printf where Linux follows C', ({ skip }) => {
  const conversion = fc.record({
    flags: fc.subarray(['-', '+', ' ', '#', '0']),
    width: fc.option(fc.integer({ min: 1, max: 40 })),
    precision: fc.option(fc.integer({ min: 1, max: 30 })),
    qualifier: fc.constantFrom('', 'h', 'hh', 'l', 'll', 'z', 't'),
    letter: fc.constantFrom('d', 'i', 'u', 'x', 'X', 'o'),
    value: fc.oneof(fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n), fc.bigInt(-300n, 300n)),
  });
  const cases = fc
    .sample(conversion, { seed: 61, numRuns: 1500 })
    .filter((c) => c.precision === null || !c.flags.includes('0'))
    .filter((c) => !(c.flags.includes('#') && (c.value & 0xffn) === 0n))
    .filter((c) => !(c.flags.includes('#') && c.letter === 'o' && c.precision !== null))
    .map((c) => ({
      format: `[%${c.flags.join('')}${c.width ?? ''}${c.precision === null ? '' : `.${c.precision}`}${c.qualifier}${c.letter}]`,
      value: c.value,
      long: !['', 'h', 'hh'].includes(c.qualifier),
    }));
  const expected = hostPrintf(cases);
  if (!expected) return skip('no gcc on this host');
  cases.forEach((c, i) => {
    const got = print(c.format, c.long ? { long: c.value } : { int: Number(BigInt.asIntN(32, c.value)) });
    expect(got, `${c.format} ${c.value}`).toBe(expected[i]);
  });
});

it('survives any format', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(fc.integer()), (bytes, ints) => {
      const format = bytes.map((b) => (b % 3 === 0 ? 37 : b)).filter((b) => b !== 0);
      const args = [...ints.map((int) => ({ int: int & 0xffff })), ...Array(60).fill({ long: 0n })];
      try {
        print(format, ...args);
      } catch (error) {
        if (!(error instanceof TestFault)) throw error; // a wild %s: an oops, as in Linux
      }
    }),
    { seed: 7, numRuns: 3000 },
  );
});
