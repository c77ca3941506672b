// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTestEnv } from '../../lib/testing.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { LOG_LINE_MAX, Printk } from './printk.js';
import { kmsgText, recordText } from './record_text.js';
import { LOG_FINAL, LogBuffer, type LogRecord } from './ringbuffer.js';

function boot(parameters: Record<string, string> = {}) {
  const env = makeTestEnv({ parameters });
  const printk = new Printk(env);
  printk.boot();
  const console: string[] = [];
  printk.console = (record) => console.push(decodeUtf8(recordText(record)));
  return { env, printk, console };
}
const texts = (printk: Printk) => [...printk.records()].map((r) => decodeUtf8(r.text));
const say = (printk: Printk, text: string) => printk.vprintk(encodeUtf8(text));

describe('printk', () => {
  it('takes level prefixes off and defaults to warning', () => {
    const { printk } = boot();
    expect(say(printk, '\x016info\n')).toBe(4);
    say(printk, '\x013\x017first level counts\n');
    say(printk, 'none\n');
    say(printk, '\x01xno level\n');
    expect([...printk.records()].map((r) => [r.level, decodeUtf8(r.text)])).toEqual([
      [6, 'info'],
      [3, 'first level counts'],
      [4, 'none'],
      [4, '\x01xno level'],
    ]);
  });

  it('shows a text without a newline only when something closes it', () => {
    const { printk, console } = boot();
    say(printk, '\x016open');
    expect(texts(printk)).toEqual([]);
    say(printk, '\x016next\n');
    expect(texts(printk)).toEqual(['open', 'next']);
    expect(console.map((line) => line.slice(15))).toEqual(['open\n', 'next\n']);
  });

  it('joins KERN_CONT of the same caller only', () => {
    const { env, printk } = boot();
    printk.currentPid = () => env.current().pid;
    say(printk, '\x016a');
    expect(say(printk, '\x01cb')).toBe(1);
    say(printk, '\x01cc\n');
    say(printk, '\x01cafter the end\n');
    say(printk, '\x016mine');
    env.setCurrent({ pid: 2 });
    say(printk, '\x01ctheirs\n');
    expect(texts(printk)).toEqual(['abc', 'after the end', 'mine', 'theirs']);
    expect([...printk.records()].map((r) => r.caller_id)).toEqual([1, 1, 1, 2]);
    expect(decodeUtf8(kmsgText([...printk.records()][1]))).toMatch(/^4,1,\d+,c;after the end\n$/);
  });

  it('gives the console what is more urgent than its level', () => {
    for (const [parameters, shown] of [
      [{}, 7],
      [{ quiet: '' }, 4],
      [{ debug: '' }, 8],
      [{ loglevel: '3' }, 3],
      [{ ignore_loglevel: '' }, 8],
    ] as const) {
      const { printk, console } = boot(parameters);
      for (let level = 0; level < 8; level++) printk.log(level, `level ${level}`);
      expect(console.length, JSON.stringify(parameters)).toBe(shown);
    }
  });

  it('stamps records with virtual time, strictly increasing', () => {
    const { printk } = boot();
    for (let i = 0; i < 50; i++) printk.log(6, 'x');
    const stamps = [...printk.records()].map((r) => Math.floor(r.ts_nsec / 1000));
    expect(stamps.every((t, i) => i === 0 || t > stamps[i - 1])).toBe(true);
  });

  it('cuts what is longer than a line may be', () => {
    const { printk } = boot();
    expect(say(printk, `\x016${'y'.repeat(3000)}\n`)).toBe(LOG_LINE_MAX - 3);
    printk.log(6, 'z'.repeat(3000));
    expect(texts(printk).map((t) => t.length)).toEqual([LOG_LINE_MAX - 3, LOG_LINE_MAX - 1]);
  });

  it('logs each line of the kernel’s own text as a record of one moment', () => {
    const { printk } = boot();
    printk.log(6, 'one\n two\n');
    printk.log(6, '');
    const lines = [...printk.records()].map((r) => decodeUtf8(recordText(r)));
    expect(lines).toEqual(['[    0.000002] one\n', '[    0.000002]  two\n', '[    0.000004] \n']);
  });

  it('prefixes every line of a message of C, and escapes it for /dev/kmsg', () => {
    const { printk } = boot();
    say(printk, '\x014one\ntwo\\\t\xe9\n');
    const [record] = printk.records();
    expect(decodeUtf8(recordText(record, { syslog: true }))).toBe(
      '<4>[    0.000002] one\n<4>[    0.000002] two\\\té\n',
    );
    expect(decodeUtf8(kmsgText(record))).toBe('4,0,2,-;one\\x0atwo\\x5c\\x09\\xc3\\xa9\n');
  });

  it('takes lines of programs, with their facility', () => {
    const { printk } = boot();
    printk.writeKmsg(encodeUtf8('<30>daemon\n'));
    printk.writeKmsg(encodeUtf8('plain'));
    printk.writeKmsg(encodeUtf8('<6>cannot be kern\n'));
    expect([...printk.records()].map((r) => [r.facility, r.level])).toEqual([
      [3, 6],
      [1, 4],
      [1, 6],
    ]);
  });

  it('takes log_buf_len only to grow', () => {
    expect(boot({ log_buf_len: '300K' }).printk.buffer.size).toBe(512 * 1024);
    expect(boot({ log_buf_len: '4K' }).printk.buffer.size).toBe(128 * 1024);
    expect(boot({ log_buf_len: '4G' }).printk.buffer.size).toBe(128 * 1024);
    expect(boot({ log_buf_len: 'x' }).printk.buffer.size).toBe(128 * 1024);
  });
});

describe('the ring', () => {
  const record = (text: string): Omit<LogRecord, 'seq'> => ({
    ts_nsec: 5,
    caller_id: 1,
    level: 6,
    facility: 0,
    flags: LOG_FINAL,
    text: encodeUtf8(text),
  });
  const SIZE = 4096;
  const makeRing = () => {
    const env = makeTestEnv();
    const ring = new LogBuffer(env.ram, env.data, SIZE);
    ring.boot();
    return ring;
  };

  it('keeps the newest records, whatever their lengths', () => {
    const step = fc.record({
      length: fc.integer({ min: 0, max: 990 }),
      replace: fc.boolean(),
      read: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const ring = makeRing();
        const model: string[] = [];
        let reader = ring.records();
        let nextRead = 0;
        for (const { length, replace, read } of steps) {
          const text = `${model.length}:`.padEnd(length, '.');
          // Only a record that is still open is ever replaced: no reader has passed it.
          if (replace && nextRead < model.length) {
            model[model.length - 1] = text;
            ring.replaceNewest(record(text));
          } else {
            model.push(text);
            ring.append(record(text));
          }
          const kept = [...ring.records()];
          expect(kept.map((r) => decodeUtf8(r.text))).toEqual(model.slice(ring.firstSeq));
          expect(kept.map((r) => r.seq)).toEqual(model.map((_, i) => i).slice(ring.firstSeq));
          expect(ring.nextSeq).toBe(model.length);
          const bytes = kept.reduce((sum, r) => sum + 32 + r.text.length, 0);
          if (ring.firstSeq > 0) expect(bytes).toBeGreaterThan(SIZE - 3 * 1024);
          if (!read) continue;
          // A reader that pauses goes on at the oldest record that it has not seen.
          let next = reader.next();
          if (next.done) next = (reader = ring.records(nextRead)).next();
          if (next.done) continue;
          expect(next.value.seq).toBe(Math.max(nextRead, ring.firstSeq));
          nextRead = next.value.seq + 1;
        }
      }),
      { seed: 41, numRuns: 150 },
    );
  });

  it('is all in RAM', () => {
    const env = makeTestEnv();
    const first = new Printk(env);
    first.boot();
    first.log(6, 'before');
    const data = makeTestEnv({ ram: env.ram });
    // A second view of the same memory, as after loading a snapshot.
    expect(texts(new Printk(data))).toEqual(['before']);
  });
});
