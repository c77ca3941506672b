// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import type { KernelFunction } from '../../arch/wasm64/exports.js';
import { readCString, writeBytes } from '../../lib/guest_access.js';
import { sprintfExports } from '../../lib/sprintf_exports.js';
import { makeTestEnv } from '../../lib/testing.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { AREA, type CArgument, layOut } from '../../lib/vsprintf_testing.js';
import { NSEC_PER_TICK } from '../../machine/clock.js';
import { PAGE_OFFSET } from '../../machine/layout.js';
import { printkExports } from './exports.js';
import { makeFormatContext } from './format_services.js';
import { Printk } from './printk.js';
import { PrintkRatelimit, RatelimitState } from './ratelimit.js';

function boot() {
  const env = makeTestEnv({ symbolize: () => 'start_kernel+0x10/0x20 [vmlinux]' });
  const printk = new Printk(env);
  printk.boot();
  const format = makeFormatContext(env);
  const jiffies = () => Math.floor(env.clock.ns / NSEC_PER_TICK) + 1;
  const limits = { ...env, log: printk, jiffies };
  const printkRatelimit = new PrintkRatelimit(limits, env.data);
  printkRatelimit.boot();
  format.hash.boot(env.random);
  const exports = {
    ...printkExports({
      printk,
      format,
      reports: env.reports,
      ratelimit: limits,
      printkRatelimit,
      panic(message) {
        throw new Error(`halted: ${message}`);
      },
    }),
    ...sprintfExports(format, (bytes) => (bytes > 100 ? 0 : PAGE_OFFSET + 0x600000)),
  };
  let next = PAGE_OFFSET + 0x500000;
  const place = (bytes: Uint8Array) => {
    const address = next;
    writeBytes(env, address, bytes);
    next += Math.ceil(bytes.length / 16) * 16 + 16;
    return address;
  };
  const c = (text: string) => place(encodeUtf8(`${text}\0`));
  const call = (name: keyof typeof exports, ...args: (number | boolean)[]) =>
    (exports[name][1] as KernelFunction)(...args);
  const area = (...args: CArgument[]) => {
    layOut(env, AREA, args, place);
    return AREA;
  };
  const string = (address: number) => decodeUtf8(readCString(env, address));
  const log = () => [...printk.records()].map((r) => `${r.level} ${decodeUtf8(r.text)}`);
  return { env, printk, call, c, area, place, string, log };
}

describe('what C calls', () => {
  it('_printk', () => {
    const { call, c, area, log } = boot();
    expect(call('_printk', c('\x016n=%d s=%s\n'), area({ int: 7 }, { s: 'hello' }))).toBe(11);
    expect(log()).toEqual(['6 n=7 s=hello']);
  });

  it('snprintf, scnprintf, sprintf', () => {
    const { call, c, area, string, place } = boot();
    const buffer = place(new Uint8Array(64).fill(0x2a));
    expect(call('snprintf', buffer, 5, c('%s'), area({ s: 'abcdefg' }))).toBe(7);
    expect(string(buffer)).toBe('abcd');
    expect(call('scnprintf', buffer, 5, c('%s'), area({ s: 'abcdefg' }))).toBe(4);
    expect(call('scnprintf', buffer, 0, c('x'), area())).toBe(0);
    expect(call('snprintf', 0, 0, c('%d'), area({ int: 12345 }))).toBe(5);
    expect(call('snprintf', buffer, 1, c('x'), area())).toBe(1);
    expect(string(buffer)).toBe('');
    expect(call('sprintf', buffer, c('%s!'), area({ s: 'abc' }))).toBe(4);
    expect(string(buffer)).toBe('abc!');
    expect(call('snprintf', buffer, 2 ** 31, c('x'), area())).toBe(0);
  });

  it('kasprintf', () => {
    const { call, c, area, string } = boot();
    expect(string(call('kasprintf', 0xcc0, c('%d-%d'), area({ int: 1 }, { int: 2 })) as number)).toBe('1-2');
    expect(call('kasprintf', 0xcc0, c('%200d'), area({ int: 1 }))).toBe(0);
  });

  it('%ps without the offset', () => {
    const { call, c, area, log } = boot();
    call('_printk', c('%pS|%ps\n'), area({ p: 1 << 20 }, { p: 1 << 20 }));
    expect(log()).toEqual(['4 start_kernel+0x10/0x20 [vmlinux]|start_kernel [vmlinux]']);
  });

  it('print_hex_dump', () => {
    const { call, c, log, place } = boot();
    const bytes = place(Uint8Array.from({ length: 20 }, (_, i) => 0x41 + i));
    call('print_hex_dump', c('\x017'), c('raw: '), 2, 16, 1, bytes, 20, true);
    expect(log()).toEqual([
      '7 raw: 00000000: 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50  ABCDEFGHIJKLMNOP',
      `7 raw: 00000010: ${'51 52 53 54'.padEnd(49)}QRST`,
    ]);
    call('print_hex_dump', c('\x016'), c(''), 1, 16, 8, bytes, 8, false);
    expect(log()[2]).toMatch(/^6 00000000[0-9a-f]{8}: 4847464544434241$/);
    call('print_hex_dump', c('\x016'), c(''), 0, 99, 3, bytes, 4, false);
    expect(log()[3]).toBe('6 41 42 43 44');
  });

  it('hex_dump_to_buffer', () => {
    const { call, string, place } = boot();
    const bytes = place(Uint8Array.from([1, 2, 3, 4]));
    const line = place(new Uint8Array(80));
    expect(call('hex_dump_to_buffer', bytes, 4, 16, 1, line, 80, false)).toBe(11);
    expect(string(line)).toBe('01 02 03 04');
    expect(call('hex_dump_to_buffer', bytes, 4, 16, 1, line, 6, false)).toBe(11);
    expect(string(line)).toBe('01 02');
    expect(call('hex_dump_to_buffer', bytes, 4, 16, 1, 0, 0, true)).toBe(53);
  });

  it('panic', () => {
    const { call, c, area } = boot();
    expect(() => call('panic', c('no %s found\n'), area({ s: 'init' }))).toThrow('halted: no init found');
  });

  it('rate limits', () => {
    const { env, call, c, log, place } = boot();
    const name = c('chatty');
    const answers = Array.from({ length: 13 }, () => call('__printk_ratelimit', name));
    expect(answers).toEqual([...Array(10).fill(1), 0, 0, 0]);
    env.clock.advance(6e9);
    expect(call('__printk_ratelimit', name)).toBe(1);
    expect(log()).toEqual(['4 chatty: 3 callbacks suppressed']);
    const off = place(new Uint8Array(RatelimitState.size));
    expect(call('___ratelimit', off, name)).toBe(1);
    const last = place(new Uint8Array(8));
    const timed = () => call('printk_timed_ratelimit', last, 1000);
    expect([timed(), timed()]).toEqual([true, false]);
    env.clock.advance(2e9);
    expect(timed()).toBe(true);
  });

  it('warns of a format that Linux does not know, once', () => {
    const { env, call, c, area } = boot();
    for (let i = 0; i < 3; i++) call('_printk', c('%n'), area({ p: 0 }));
    expect(env.lines.filter((line) => line.includes('unsupported'))).toEqual([
      '<4>Please remove unsupported %n in format string',
    ]);
  });
});
