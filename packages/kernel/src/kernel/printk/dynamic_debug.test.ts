// SPDX-License-Identifier: MIT
import { describe, expect, it } from 'vitest';
import { writeBytes, writeInteger } from '../../lib/guest_access.js';
import { makeTestEnv } from '../../lib/testing.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import { PAGE_OFFSET } from '../../machine/layout.js';
import { Ddebug, DynamicDebug } from './dynamic_debug.js';

const SITES = [
  ['net', 'send', 'drivers/net.c', 'sent %d\n', 10],
  ['net', 'receive', 'drivers/net.c', 'got "%s"\n', 20],
  ['disk', 'send', 'drivers/disk.c', 'wrote\n', 200],
] as const;

function boot() {
  const env = makeTestEnv();
  const table = PAGE_OFFSET + 0x400000;
  let next = PAGE_OFFSET + 0x500000;
  SITES.forEach(([...fields], i) => {
    const [module, fn, file, format, line] = fields;
    [module, fn, file, format].forEach((text, k) => {
      writeBytes(env, next, encodeUtf8(`${text}\0`));
      writeInteger(env, table + i * Ddebug.size + 8 * k, next, 8);
      next += 64;
    });
    writeInteger(env, table + i * Ddebug.size + Ddebug.o.bits, line + 63 * 2 ** 18, 4);
  });
  const debug = new DynamicDebug({
    ...env,
    tables: () => [{ module: 'all', address: table, count: SITES.length }],
    pid: () => env.current().pid,
  });
  const flags = () =>
    debug
      .show()
      .split('\n')
      .slice(1, -1)
      .map((line) => /=(\w+)/.exec(line)![1]);
  return { env, debug, table, flags };
}

describe('dynamic debug', () => {
  it('shows every call', () => {
    expect(boot().debug.show()).toBe(
      [
        '# filename:lineno [module]function flags format',
        'drivers/net.c:10 [net]send =_ "sent %d\\n"',
        'drivers/net.c:20 [net]receive =_ "got "%s"\\n"',
        'drivers/disk.c:200 [disk]send =_ "wrote\\n"',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['module net +p', 2, ['p', 'p', '_']],
    ['func send +pf', 2, ['pf', '_', 'pf']],
    ['file net.c line 15- =plt', 1, ['_', 'plt', '_']],
    ['file drivers/*.c:rec* +m', 1, ['_', 'm', '_']],
    ['file net.c:10 +p', 1, ['p', '_', '_']],
    ['format "got" +p', 1, ['_', 'p', '_']],
    ['format ^o +p', 0, ['_', '_', '_']],
    ['+p; module disk -p # but not this', 4, ['p', 'p', '_']],
    ['line -20 =_', 2, ['_', '_', '_']],
    ['module n?t func * +p\n', 2, ['p', 'p', '_']],
  ] as const)('%j', (query, found, expected) => {
    const { debug, flags } = boot();
    expect(debug.exec(query)).toBe(found);
    expect(flags()).toEqual(expected);
  });

  it.each([
    ['module net', ['bad flag-op n, at start of net', 'flags parse failed']],
    ['module +p', ['expecting pairs of match-spec <value>', 'query parse failed']],
    ['colour red +p', ['unknown keyword "colour"', 'query parse failed']],
    ['+q', ["unknown flag 'q'", 'flags parse failed']],
    ['format "x +p', ['unclosed quote: x +p', 'tokenize failed']],
    ['line 9-3 +p', ['last-line:3 < 1st-line:9', 'query parse failed']],
  ])('refuses %j', (query, messages) => {
    const { env, debug } = boot();
    expect(debug.exec(query)).toBe(-22);
    expect(env.lines).toEqual(messages.map((message) => `<3>dyndbg: ${message}`));
  });

  it('puts before a message what the flags ask', () => {
    const { debug, table } = boot();
    debug.exec('line 10 =pmflt');
    expect(debug.prefix(table)).toBe('[1] net:send:10: ');
    debug.exec('line 10 =pt');
    expect(debug.prefix(table)).toBe('[1] ');
    debug.exec('=p', 'disk');
    expect(debug.prefix(table + 2 * Ddebug.size)).toBe('');
  });
});
