// SPDX-License-Identifier: MIT
import { parseObject } from '@pagewalk/kernel/arch/wasm64/object';
import { decodeSections, SECTIONS_SECTION } from '@pagewalk/kernel/arch/wasm64/sections';
import { afterAll, describe, expect, test } from 'vitest';
import { ToolRunner } from './clang.js';
import { functionSections } from './debug_info.js';
import { finishModule, linkObjects } from './link.js';
import { findCustom, readSections } from './object.js';
import { encodeSections, sectionsOf } from './sections.js';
import { spawnNodeWorker } from './worker.node.js';

const tools = new ToolRunner(spawnNodeWorker);
afterAll(() => tools.close());

const HEADER = `
#define SECTION(name) __attribute__((section(name), __btf_decl_tag__("section=" name)))
#define __init SECTION(".init.text") __attribute__((cold))
#define __exit SECTION(".exit.text") __attribute__((cold, used))
#define noinline __attribute__((noinline))
extern int printk(const char *, ...);
extern int other(int), late(int);
int __init declared(int);
`;
/** `helper` is in both files; `shared` is inlined and stays; the declaration alone marks `declared`. */
const FIRST = `${HEADER}
static int state = 5;
static noinline int __init helper(int x) { printk("helper %d", x); return x * state; }
static int __init inlined(int x) { printk("inlined %d", x); return x * state++; }
int __init shared(int x) { printk("shared %d", x); return state++; }
int declared(int x) { printk("declared"); return state += x; }
static int recursive(int n, int k) { if (n == 0) return k; printk("%d", n); return recursive(n - 1, k) + recursive(n - 2, k); }
int normal(int y) { state += y; return helper(y) + recursive(y, 3); }
static int __init my_init(void) { return helper(3) + inlined(4) + other(3) + shared(1) + late(2) + declared(3); }
static void __exit my_exit(void) { printk("exit"); }
static int (*p)(void) __attribute__((used)) = my_init;
`;
const SECOND = `${HEADER}
static int state = 7;
static noinline int helper(int x) { printk("other helper %d", x); return x + state; }
int other(int x) { return helper(x) + 1; }
int __init late(int x) { return helper(x) + 9; }
`;

async function compile(
  path: string,
  text: string,
  flags: string[],
): Promise<{ path: string; bytes: Uint8Array }> {
  const args = [
    'clang',
    '--target=wasm64-unknown-emscripten',
    '-g',
    '-ffreestanding',
    ...flags,
    '-c',
    path,
    '-o',
    'a.o',
  ];
  const { outputs, stderr } = await tools.run({ args, files: { [path]: text }, outputs: ['a.o'] });
  expect(stderr).toBe('');
  return { path: `${path}.o`, bytes: outputs['a.o'] };
}

/** What `sectionsOf` says, as `name section`; functions in `.text` without one. */
function described(object: Uint8Array): string[] {
  const parsed = parseObject(object);
  const names = sectionsOf(parsed, readSections(object));
  return parsed.functions.map((f, i) => (names[i] === '.text' ? f.name : `${f.name} ${names[i]}`)).sort();
}

const OF_FIRST = [
  'declared .init.text',
  'helper .init.text',
  'my_exit .exit.text',
  'my_init .init.text',
  'normal',
  'recursive',
  'shared .init.text',
];
const OF_SECOND = ['helper', 'late .init.text', 'other'];

describe('sections of functions', () => {
  test.each([['-gdwarf-4'], ['-gdwarf-5']])('are found in one object, optimized (%s)', async (flag) => {
    const { bytes } = await compile('first.c', FIRST, ['-O2', flag]);
    expect(described(bytes)).toEqual(OF_FIRST);
  });

  test('are found where nothing is inlined', async () => {
    const { bytes } = await compile('first.c', FIRST, ['-O0']);
    expect(described(bytes)).toEqual([...OF_FIRST, 'inlined .init.text'].sort());
  });

  test.each([['-gdwarf-4'], ['-gdwarf-5']])(
    'are found in several objects joined to one, with two functions of one name (%s)',
    async (flag) => {
      const parts = [
        await compile('first.c', FIRST, ['-O2', flag]),
        await compile('dir/second.c', SECOND, ['-O2', flag]),
      ];
      const { object, stderr } = await linkObjects(tools, parts);
      expect(stderr).toBe('');
      expect(described(object!)).toEqual([...OF_FIRST, ...OF_SECOND].sort());
    },
  );

  test('an object without debugging information has all in .text', async () => {
    const { bytes } = await compile('first.c', FIRST, ['-O2', '-g0']);
    expect(described(bytes).every((text) => !text.includes(' '))).toBe(true);
    expect(encodeSections(sectionsOf(parseObject(bytes), readSections(bytes)))).toBeUndefined();
  });

  test('the finished module names them, without DWARF', async () => {
    const { bytes } = await compile('first.c', FIRST, ['-O2']);
    const ko = parseObject(finishModule(bytes, { modinfo: ['name=first'] }));
    const named = ko.functions.filter((f) => f.section !== '.text').map((f) => `${f.name} ${f.section}`);
    expect(named.sort()).toEqual(OF_FIRST.filter((text) => text.includes(' ')));
    expect([...ko.customSections.keys()]).toContain(SECTIONS_SECTION);
    expect([...ko.customSections.keys()].filter((name) => name.startsWith('.debug'))).toEqual([]);
  });

  test('encoded and decoded they are the same', () => {
    const names = ['.text', '.init.text', '.init.text', '.exit.text', '.text', '.init.text'];
    expect(decodeSections(encodeSections(names)!, names.length)).toEqual(names);
    expect(encodeSections(['.text'])).toBeUndefined();
  });

  test('damaged DWARF, and a damaged section, are format errors, never anything else', async () => {
    const sections = readSections((await compile('first.c', FIRST, ['-O2', '-gdwarf-5'])).bytes);
    const payload = (name: string) => findCustom(sections, name)!.payload;
    const info = payload('.debug_info');
    const abbrev = payload('.debug_abbrev');
    const rest = {
      str: payload('.debug_str'),
      addr: payload('.debug_addr'),
      strOffsets: payload('.debug_str_offsets'),
    };
    expect(functionSections({ info, abbrev, ...rest }).size).toBeGreaterThan(3);
    for (let i = 0; i < info.length; i++)
      expectFormatError(() => functionSections({ info: flipped(info, i), abbrev, ...rest }));
    for (let i = 0; i < abbrev.length; i++)
      expectFormatError(() => functionSections({ info, abbrev: flipped(abbrev, i), ...rest }));
    const encoded = encodeSections(['.text', '.init.text', '.exit.text'])!;
    for (let i = 0; i < encoded.length; i++) {
      expectFormatError(() => decodeSections(flipped(encoded, i), 3));
      expectFormatError(() => decodeSections(encoded.subarray(0, i), 3));
    }
  });
});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const damaged = bytes.slice();
  damaged[at] ^= 0xff;
  return damaged;
}

function expectFormatError(run: () => void): void {
  try {
    run();
  } catch (error) {
    expect((error as Error).name).toBe('FormatError');
  }
}
