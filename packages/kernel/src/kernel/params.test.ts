// SPDX-License-Identifier: MIT
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KernelFunction } from '../arch/wasm64/exports.js';
import { cmdlineExports } from '../lib/cmdline.js';
import { readCString, readS64, readUnsigned, writeBytes, writeInteger } from '../lib/guest_access.js';
import { makeTestEnv } from '../lib/testing.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { KernelParam, KernelParamOps, KparamArray, KparamString } from './module_types.js';
import { Params, type ParamTable } from './params.js';

const TEXT = PAGE_OFFSET + 0x200000;

function boot() {
  const env = makeTestEnv();
  const functions = new Map<Vaddr, KernelFunction>();
  const symbols = new Map<string, Vaddr>();
  const live = new Set<Vaddr>();
  const taints: string[] = [];
  let heap = PAGE_OFFSET + 0x400000;
  const define = (name: string, fn: KernelFunction) => {
    const address = TEXT + 64 * functions.size;
    functions.set(address, fn);
    symbols.set(name, address);
    return address;
  };
  const alloc = (bytes: number) => {
    const address = heap;
    heap += Math.ceil(bytes / 16) * 16 + 16;
    return address;
  };
  const params = new Params({
    ...env,
    callC: (fn, _signature, ...args) => Number(functions.get(fn)!(...args) ?? 0),
    kmalloc(bytes) {
      const address = alloc(bytes);
      live.add(address);
      return address;
    },
    kfree: (address) => void live.delete(address),
    symbolAddress: (name) => symbols.get(name),
    taint: (flag) => taints.push(flag),
  });
  for (const [name, [, fn]] of Object.entries(params.exports())) define(name, fn);
  params.boot();

  const string = (text: string) => {
    const address = alloc(text.length + 1);
    writeBytes(env, address, encodeUtf8(`${text}\0`));
    return address;
  };
  const rows: { name: string; ops: Vaddr; arg: Vaddr; flags: number }[] = [];
  const opsOf = (type: string) => {
    const symbol = type === 'array' ? 'param_array_ops' : `param_ops_${type}`;
    const { handle } = env.data.variables.find((v) => v.name === symbol)!;
    return env.ram.addressOf(handle);
  };
  /** Declares a parameter, as module_param does; the address of its variable. */
  const param = (name: string, type: string, arg = alloc(64), flags = 0) => {
    rows.push({ name, ops: opsOf(type), arg, flags });
    return arg;
  };
  const array = (name: string, type: string, max: number, size: number, counted = true) => {
    const elements = alloc(max * size);
    const num = counted ? alloc(4) : 0;
    const arr = alloc(KparamArray.size);
    const { o } = KparamArray;
    writeInteger(env, arr + o.max, max, 4);
    writeInteger(env, arr + o.elemsize, size, 4);
    writeInteger(env, arr + o.num, num, 8);
    writeInteger(env, arr + o.ops, opsOf(type), 8);
    writeInteger(env, arr + o.elem, elements, 8);
    param(name, 'array', arr);
    return { elements, num };
  };
  const table = (): ParamTable => {
    const address = alloc(rows.length * KernelParam.size);
    rows.forEach(({ name, ops, arg, flags }, i) => {
      const row = address + i * KernelParam.size;
      const { o } = KernelParam;
      writeInteger(env, row + o.name, string(name), 8);
      writeInteger(env, row + o.ops, ops, 8);
      writeInteger(env, row + o.perm, 0o644, 2);
      writeInteger(env, row + o.flags, flags, 1);
      writeInteger(env, row + o.arg, arg, 8);
    });
    return { address, count: rows.length };
  };
  const insmod = (args: string, t = table()) =>
    params.parseModuleArgs('reft', params.copyArgs(encodeUtf8(args)), t);
  const show = (name: string, t = table()) => {
    const text = params.show(params.find(t, name));
    return typeof text === 'number' ? text : decodeUtf8(text);
  };
  const int = (address: Vaddr) => readUnsigned(env, address, 4) | 0;
  const text = (address: Vaddr) => decodeUtf8(readCString(env, address));
  return {
    env,
    params,
    param,
    array,
    table,
    insmod,
    show,
    int,
    text,
    define,
    alloc,
    string,
    live,
    taints,
    rows,
    opsOf,
  };
}

describe('insmod arguments', () => {
  it('sets what the recorded boots set', () => {
    const k = boot();
    const n = k.param('n', 'int');
    const s = k.param('s', 'charp');
    const arr = k.array('arr', 'int', 4, 4);
    const t = k.table();
    expect(k.insmod('n=7 s=hello arr=1,2,3', t)).toBe(0);
    expect(k.int(n)).toBe(7);
    expect(k.text(readS64(k.env, s))).toBe('hello');
    expect([k.int(arr.num), k.int(arr.elements + 8)]).toEqual([3, 3]);
    expect(k.show('arr', t)).toBe('1,2,3\n');
    expect(k.insmod('n=abc', t)).toBe(-22);
    expect(k.insmod('n=-12', t)).toBe(0);
    expect(k.int(n)).toBe(-12);
    expect(k.insmod('nosuch=1', t)).toBe(0);
    expect(k.env.lines).toEqual([
      "<3>reft: `abc' invalid for parameter `n'",
      "<4>reft: unknown parameter 'nosuch' ignored",
    ]);
  });

  it('quotes, and takes - for _', () => {
    const k = boot();
    const s = k.param('my_name', 'charp');
    const t = k.table();
    const given = (args: string) => {
      expect(k.insmod(args, t)).toBe(0);
      return k.text(readS64(k.env, s));
    };
    expect(given('my-name="two words"')).toBe('two words');
    expect(given('"my_name=two more words"')).toBe('two more words');
    expect(given('  my_name=a"b c"d  ')).toBe('a"b c"d');
    expect(given('my_name=x=y')).toBe('x=y');
    expect(given('my_name=')).toBe('');
    expect(given('my_name=x -- my_name=y')).toBe('x');
    expect(k.env.lines).toEqual(["<4>reft: parameters 'my_name=y' after `--' ignored"]);
  });

  it('knows every type', () => {
    const k = boot();
    const at = Object.fromEntries(
      [
        'byte',
        'short',
        'ushort',
        'int',
        'uint',
        'long',
        'ulong',
        'ullong',
        'hexint',
        'bool',
        'invbool',
        'bint',
      ].map((type) => [type, k.param(type, type)]),
    );
    const t = k.table();
    expect(
      k.insmod(
        'byte=255 short=-5 ushort=65535 int=0x10 uint=017 long=-1 ulong=18446744073709551615 ullong=5 hexint=0xbeef bool invbool=y bint=on',
        t,
      ),
    ).toBe(0);
    const shown = Object.keys(at).map((name) => k.show(name, t));
    expect(shown).toEqual(
      ['255', '-5', '65535', '16', '15', '-1', '18446744073709551615', '5', '0x00beef', 'Y', 'Y', '1'].map(
        (line) => `${line}\n`,
      ),
    );
    expect(readUnsigned(k.env, at['invbool'], 1)).toBe(0);
    expect(k.insmod('byte=256 int bool=maybe', t)).toBe(-22);
    expect(k.env.lines).toEqual([
      "<3>reft: `256' invalid for parameter `byte'",
      "<3>reft: `' invalid for parameter `int'",
      "<3>reft: `maybe' invalid for parameter `bool'",
    ]);
  });

  it('lets a switch only be thrown one way', () => {
    const k = boot();
    k.param('on', 'bool_enable_only');
    const t = k.table();
    expect([k.insmod('on=0', t), k.insmod('on', t), k.insmod('on=n', t)]).toEqual([0, 0, -30]);
    expect(k.show('on', t)).toBe('Y\n');
  });

  it('keeps strings within their bounds', () => {
    const k = boot();
    const arg = k.alloc(KparamString.size);
    const buffer = k.alloc(8);
    writeInteger(k.env, arg + KparamString.o.maxlen, 8, 4);
    writeInteger(k.env, arg + KparamString.o.string, buffer, 8);
    k.param('name', 'string', arg);
    k.param('long', 'charp');
    const t = k.table();
    expect(k.insmod('name=1234567', t)).toBe(0);
    expect(k.show('name', t)).toBe('1234567\n');
    expect(k.insmod('name=12345678', t)).toBe(-28);
    expect(k.insmod(`long=${'x'.repeat(1025)}`, t)).toBe(-28);
    expect(k.insmod(`long=${'x'.repeat(1024)}`, t)).toBe(0);
    expect(k.env.lines.map((line) => line.replace(/x+/, 'x…'))).toEqual([
      "<3>name: string doesn't fit in 7 chars.",
      "<3>reft: `12345678' too large for parameter `name'",
      '<3>long: string parameter too long',
      "<3>reft: `x…' too large for parameter `long'",
    ]);
  });

  it('fills arrays no further than they reach', () => {
    const k = boot();
    const arr = k.array('arr', 'int', 3, 4);
    k.array('words', 'charp', 4, 8, false);
    const t = k.table();
    expect(k.insmod('arr=1,2,3,4', t)).toBe(-22);
    expect(k.int(arr.num)).toBe(3);
    expect(k.insmod('arr=5,x,7', t)).toBe(-22);
    expect(k.insmod('arr=', t)).toBe(-22);
    expect(k.insmod('words=a,b c', t)).toBe(0);
    expect(k.show('words', t)).toBe('a,b,(null),(null)\n');
    expect(k.env.lines).toEqual([
      '<3>arr: can only take 3 arguments',
      "<3>reft: `1' invalid for parameter `arr'",
      "<3>reft: `5' invalid for parameter `arr'",
      "<3>reft: `' invalid for parameter `arr'",
      "<4>reft: unknown parameter 'c' ignored",
    ]);
  });

  it('frees every string that it copied', () => {
    const k = boot();
    k.param('s', 'charp');
    k.array('words', 'charp', 4, 8);
    const t = k.table();
    const before = k.live.size;
    k.insmod('s=one words=a,b,c', t);
    k.insmod('s=two', t);
    expect(k.live.size).toBe(before + 2 + 4); // two command lines, one string, three words
    k.params.destroy(t);
    expect(k.live.size).toBe(before + 2);
  });

  it('calls functions of the module, and refuses where there are none', () => {
    const k = boot();
    const seen: string[] = [];
    const ops = k.alloc(KernelParamOps.size);
    const fn = k.define('my_set', (value: Vaddr, kp: Vaddr) => {
      seen.push(`${value === 0 ? 'none' : k.text(value)} ${k.text(readS64(k.env, kp))}`);
      return value !== 0 && k.text(value) === 'bad' ? -5 : 0;
    });
    writeInteger(k.env, ops + KernelParamOps.o.set, fn, 8);
    k.rows.push({ name: 'mine', ops, arg: 0, flags: 1 });
    const t = k.table();
    expect(k.insmod('mine=good', t)).toBe(0);
    expect(k.insmod('mine=bad', t)).toBe(-5);
    expect(k.insmod('mine', t)).toBe(-22);
    writeInteger(k.env, ops + KernelParamOps.o.flags, 1, 4);
    expect(k.insmod('mine', t)).toBe(0);
    expect(seen).toEqual(['good mine', 'bad mine', 'none mine']);
    expect(k.taints).toEqual(['U', 'U', 'U']);
    expect(k.env.lines[0]).toBe('<5>Setting dangerous option mine - tainting kernel');
    expect(k.show('mine', t)).toBe(-1);
  });

  it('stores as a program writes', () => {
    const k = boot();
    const n = k.param('n', 'int');
    const t = k.table();
    expect(k.params.store(k.params.find(t, 'n'), encodeUtf8('42\n'))).toBe(3);
    expect(k.params.store(k.params.find(t, 'n'), encodeUtf8('x\n'))).toBe(-22);
    expect(k.int(n)).toBe(42);
    expect(k.params.list(t).map(({ name, mode }) => [name, mode])).toEqual([['n', 0o644]]);
  });

  it('survives any command line', () => {
    const k = boot();
    k.param('a', 'int');
    k.param('b', 'bool');
    k.array('c', 'charp', 2, 8);
    const t = k.table();
    const words = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', '=', '"', ' ', ',', '-', '1', '\t', '\xe9'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(words, (args) => {
        expect(k.insmod(args, t)).toBeLessThanOrEqual(0);
      }),
      { seed: 9, numRuns: 1500 },
    );
  });
});

describe('options', () => {
  const env = makeTestEnv();
  const cell = PAGE_OFFSET + 0x300000;
  const functions = cmdlineExports(env, cell + 0x100);
  const call = (name: string, ...args: number[]) => (functions[name][1] as KernelFunction)(...args);
  const put = (text: string) => {
    writeBytes(env, cell + 0x200, encodeUtf8(`${text}\0`));
    return cell + 0x200;
  };

  it('get_option', () => {
    const get = (text: string) => {
      writeInteger(env, cell, put(text), 8);
      const kind = call('get_option', cell, cell + 8);
      return [kind, readUnsigned(env, cell + 8, 4) | 0, readS64(env, cell) - (cell + 0x200)];
    };
    expect(get('12,3')).toEqual([2, 12, 3]);
    expect(get('-0x10')).toEqual([1, -16, 5]);
    expect(get('5-9')).toEqual([3, 5, 1]);
    expect(get('x')[0]).toBe(0);
    expect(get('')[0]).toBe(0);
  });

  it('get_options', () => {
    const get = (text: string, n: number) => {
      const start = put(text);
      const ints = cell + 0x20;
      const rest = call('get_options', start, n, ints) as number;
      const count = readUnsigned(env, ints, 4) | 0;
      return [
        Array.from({ length: Math.min(count, n - 1) }, (_, i) => readUnsigned(env, ints + 4 + 4 * i, 4) | 0),
        rest - start,
      ];
    };
    expect(get('3,5-7,9', 8)).toEqual([[3, 5, 6, 7, 9], 7]);
    expect(get('1,2,3', 3)).toEqual([[1, 2], 4]);
    expect(get('', 4)).toEqual([[], 0]);
  });

  it('memparse and parse_option_str', () => {
    const parse = (text: string) => [call('memparse', put(text), cell), readS64(env, cell) - (cell + 0x200)];
    expect(parse('64M,')).toEqual([64n << 20n, 3]);
    expect(parse('0x10k')).toEqual([16384n, 5]);
    expect(parse('7')).toEqual([7n, 1]);
    const has = (list: string, option: string) => {
      writeBytes(env, cell + 0x40, encodeUtf8(`${option}\0`));
      return call('parse_option_str', put(list), cell + 0x40);
    };
    expect([has('a,bc,d', 'bc'), has('a,bc,d', 'b'), has('', 'a')]).toEqual([true, false, false]);
  });
});
