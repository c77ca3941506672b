// SPDX-License-Identifier: MIT
/** Reports of slub_debug against those that a real Linux 6.1 printed for the same mistakes. */
import { describe, expect, test } from 'vitest';
import { NSEC_PER_TICK } from '../machine/clock.js';
import { PAGE_OFFSET, type Vaddr } from '../machine/layout.js';
import { GFP_KERNEL } from './gfp.js';
import { pageToVmemmap } from './page.js';
import { type SlubMachine, slubMachine } from './slub_testing.js';
import { validateSlub } from './slub_validate.js';

const ALLOC_SITE = -0x3fdf9fe4;
const FREE_SITE = -0x3fdf9fcf;

interface DebugMachine extends SlubMachine {
  /** What was logged since the last call, without levels. */
  takeLog(): string[];
}

/** A machine whose symbols, task and stacks are those of the recorded one. */
function debugMachine(slub_debug: string, symbols: Record<number, string> = {}): DebugMachine {
  const machine = slubMachine({ nrCpus: 2, parameters: { slub_debug } });
  const { env } = machine;
  const symbolize = (address: Vaddr) => symbols[address] ?? hex(address);
  Object.assign(env.reports, {
    symbolize,
    stackTrace: () => [ALLOC_SITE],
    tainted: () => 'Tainted: G           OE     ',
    dumpStack: (frames: readonly string[]) => env.log.log(6, `Trace: ${frames.join(' < ')}`),
  });
  env.setCurrent({ pid: 80, comm: 'insmod' });
  env.lines.length = 0;
  return { ...machine, takeLog: () => env.lines.splice(0).map((line) => line.slice(3)) };
}

const hex = (address: Vaddr) => `0x${BigInt.asUintN(64, BigInt(address)).toString(16).padStart(16, '0')}`;

const dump = (title: string, start: Vaddr, bytes: string, text: string): string[] => {
  const all = bytes.split(' ');
  const lines: string[] = [];
  for (let i = 0; i < all.length; i += 16)
    lines.push(
      `${title}${hex(start + i).slice(2)}: ${all
        .slice(i, i + 16)
        .join(' ')
        .padEnd(47)}  ${text.slice(i, i + 16)}`,
    );
  return lines;
};
const repeat = (byte: string, n: number) => Array(n).fill(byte).join(' ');
const RULE = '='.repeat(77);
const LINE = '-'.repeat(77);

/** Objects of one slab, allocated in order. */
function fillSlab({ slub }: SlubMachine, size: number, count: number): Vaddr[] {
  return Array.from({ length: count }, () => slub.kmalloc(size, GFP_KERNEL, ALLOC_SITE));
}

const slabAddress = ({ slub, mm }: SlubMachine, object: Vaddr) =>
  hex(pageToVmemmap(mm.map.base, slub.objectInfo(object)!.slabPage));

test('double free: kmalloc-128, the object already free', () => {
  const machine = debugMachine('FZPU', {
    [ALLOC_SITE]: 'double_free_init+0x1c/0x1000 [double_free]',
    [FREE_SITE]: 'double_free_init+0x31/0x1000 [double_free]',
  });
  const { slub, env } = machine;
  const objects = fillSlab(machine, 128, 6);
  const p = objects[2];
  const slab = slabAddress(machine, p);
  slub.kfree(p, FREE_SITE);
  env.clock.advance(3 * NSEC_PER_TICK);
  slub.kfree(p, FREE_SITE + 8);
  expect(machine.takeLog()).toEqual([
    RULE,
    'BUG kmalloc-128 (Tainted: G           OE     ): Object already free',
    LINE,
    '',
    'Allocated in double_free_init+0x1c/0x1000 [double_free] age=3 cpu=0 pid=80',
    ' double_free_init+0x1c/0x1000 [double_free]',
    'Freed in double_free_init+0x31/0x1000 [double_free] age=3 cpu=0 pid=80',
    ' double_free_init+0x1c/0x1000 [double_free]',
    `Slab ${slab} objects=21 used=5 fp=${hex(p)} flags=0x7ffffc0010200(slab|head|node=0|zone=0|lastcpupid=0x1fffff)`,
    `Object ${hex(p)} @offset=896 fp=0x0000000000000000`,
    '',
    ...dump('Redzone  ', p - 128, repeat('bb', 128), '.'.repeat(128)),
    ...dump('Object   ', p, `${repeat('6b', 127)} a5`, `${'k'.repeat(127)}.`),
    ...dump('Redzone  ', p + 128, repeat('bb', 8), '........'),
    ...dump('Padding  ', p + 212, repeat('5a', 44), 'Z'.repeat(44)),
    'Trace: object_err < free_to_partial_list',
    'Disabling lock debugging due to kernel taint',
    `FIX kmalloc-128: Object at ${hex(p)} not freed`,
  ]);
  // The second free cut the freelist behind the object, so once it is handed out again the counts are wrong.
  expect(slub.kmalloc(128, GFP_KERNEL)).toBe(p);
  slub.kfree(objects[0]);
  expect(machine.takeLog()).toEqual([
    RULE,
    'BUG kmalloc-128 (Tainted: G           OE     ): Wrong object count. Counter is 6 but counted were 21',
    LINE,
    '',
    `Slab ${slab} objects=21 used=6 fp=0x0000000000000000 flags=0x7ffffc0010200(slab|head|node=0|zone=0|lastcpupid=0x1fffff)`,
    'Trace: slab_err < on_freelist < free_to_partial_list',
    'FIX kmalloc-128: Object count adjusted',
  ]);
});

test('write after free: kmalloc-64, found when the object is handed out', () => {
  const machine = debugMachine('FZPU', {
    [ALLOC_SITE]: '0xffffffffc020601c',
    [FREE_SITE]: '0xffffffffc0206031',
  });
  const { slub, env } = machine;
  const objects = fillSlab(machine, 64, 16);
  const p = objects[8];
  const slab = slabAddress(machine, p);
  slub.kfree(p, FREE_SITE);
  env.ram.u8[p - PAGE_OFFSET + 8] = 'y'.charCodeAt(0);
  const next = slub.kmalloc(64, GFP_KERNEL);
  expect(slub.objectInfo(next)!.slabPage).not.toBe(slub.objectInfo(p)!.slabPage);
  expect(machine.takeLog()).toEqual([
    RULE,
    'BUG kmalloc-64 (Tainted: G           OE     ): Poison overwritten',
    LINE,
    '',
    `${hex(p + 8)}-${hex(p + 8)} @offset=2120. First byte 0x79 instead of 0x6b`,
    'Allocated in 0xffffffffc020601c age=0 cpu=0 pid=80',
    ' 0xffffffffc020601c',
    'Freed in 0xffffffffc0206031 age=0 cpu=0 pid=80',
    ' 0xffffffffc020601c',
    `Slab ${slab} objects=16 used=16 fp=0x0000000000000000 flags=0x7ffffc0000200(slab|node=0|zone=0|lastcpupid=0x1fffff)`,
    `Object ${hex(p)} @offset=2112 fp=0x0000000000000000`,
    '',
    ...dump('Redzone  ', p - 64, repeat('bb', 64), '.'.repeat(64)),
    ...dump(
      'Object   ',
      p,
      `${repeat('6b', 8)} 79 ${repeat('6b', 54)} a5`,
      `${'k'.repeat(8)}y${'k'.repeat(54)}.`,
    ),
    ...dump('Redzone  ', p + 64, repeat('bb', 8), '........'),
    ...dump('Padding  ', p + 148, repeat('5a', 44), 'Z'.repeat(44)),
    'Trace: check_bytes_and_report < check_object < alloc_debug_processing < get_partial_node < ___slab_alloc',
    'Disabling lock debugging due to kernel taint',
    `FIX kmalloc-64: Restoring Poison ${hex(p + 8)}-${hex(p + 8)}=0x6b`,
    'FIX kmalloc-64: Marking all objects used',
  ]);
  slub.kfree(objects[13]);
  expect(machine.takeLog()).toEqual([
    RULE,
    'BUG kmalloc-64 (Tainted: G           OE     ): Slab disabled since SLUB metadata consistency check failed',
    LINE,
    '',
    `Slab ${slab} objects=16 used=16 fp=0x0000000000000000 flags=0x7ffffc0000200(slab|node=0|zone=0|lastcpupid=0x1fffff)`,
    'Trace: slab_err < check_slab < free_to_partial_list',
    `FIX kmalloc-64: Object at ${hex(objects[13])} not freed`,
  ]);
});

describe('what else the checks find', () => {
  const title = (log: string[]) =>
    log.find((line) => line.startsWith('BUG'))?.replace(/^BUG \S+ \(.*?\): /, '');
  const fixes = (log: string[]) =>
    log.filter((line) => line.startsWith('FIX')).map((line) => line.replace(/0x\w+/g, 'P'));

  test.each([
    [
      'a byte behind the object',
      64,
      'Right Redzone overwritten',
      'FIX kmalloc-64: Restoring Right Redzone P-P=P',
    ],
    ['a byte before it', -1, 'Left Redzone overwritten', 'FIX kmalloc-64: Restoring Left Redzone P-P=P'],
    ['padding', 150, 'Object padding overwritten', 'FIX kmalloc-64: Restoring Object padding P-P=P'],
  ])('%s', (_what, offset, bug, fix) => {
    const machine = debugMachine('FZPU');
    const [p] = fillSlab(machine, 64, 1);
    machine.env.ram.u8[p - PAGE_OFFSET + offset] = 0;
    machine.slub.kfree(p);
    const log = machine.takeLog();
    expect(title(log)).toBe(bug);
    expect(fixes(log)[0]).toBe(fix);
  });

  test('the free pointer', () => {
    const machine = debugMachine('FZPU');
    const [p, q] = fillSlab(machine, 64, 2);
    machine.slub.kfree(p);
    machine.env.ram.i32[(p - PAGE_OFFSET + 72) / 4] = 0x1234;
    machine.slub.kfree(q);
    expect(title(machine.takeLog())).toBe('Freechain corrupt');
    expect(validateSlub(machine.slub)).toEqual([]);
  });

  test('a pointer into an object', () => {
    const machine = debugMachine('FZ');
    const [p] = fillSlab(machine, 64, 1);
    machine.slub.kfree(p + 8);
    const log = machine.takeLog();
    expect(title(log)).toBe(`Invalid object pointer ${hex(p + 8)}`);
    expect(log.at(-1)).toBe(`FIX kmalloc-64: Object at ${hex(p + 8)} not freed`);
  });

  test('the wrong cache', () => {
    const machine = debugMachine('FZPU');
    const { slub } = machine;
    const a = slub.kmemCacheCreate('a', 64);
    const b = slub.kmemCacheCreate('b', 64);
    slub.kmemCacheFree(b, slub.kmemCacheAlloc(a, GFP_KERNEL, ALLOC_SITE));
    const log = machine.takeLog();
    expect(log[0]).toBe('cache_from_obj: Wrong slab cache. b but object is from a');
    expect(log.some((line) => line.startsWith('Allocated in'))).toBe(true);
    expect(validateSlub(slub)).toEqual([]);
  });

  test('objects that remain when a cache goes', () => {
    const machine = debugMachine('FZPU', { [ALLOC_SITE]: 'm_init+0x1/0x10 [m]' });
    const { slub } = machine;
    const cache = slub.kmemCacheCreate('mine', 100);
    const p = slub.kmemCacheAlloc(cache, GFP_KERNEL, ALLOC_SITE);
    slub.kmemCacheDestroy(cache, ALLOC_SITE);
    const log = machine.takeLog();
    expect(title(log)).toBe('Objects remaining in mine on __kmem_cache_shutdown()');
    const offset = p - slub.objectInfo(p)!.object + 64;
    expect(log).toContain(`Object ${hex(p)} @offset=${offset - 56}`);
    expect(log).toContain(
      'kmem_cache_destroy mine: Slab cache still has objects when called from m_init+0x1/0x10 [m]',
    );
  });
});

describe('slub_debug=', () => {
  test.each([
    ['', 'kmalloc-64', 256],
    ['FZPU', 'kmalloc-64', 256],
    ['-', 'kmalloc-64', 64],
    ['Z', 'kmalloc-64', 192],
    ['P', 'kmalloc-64', 128],
    ['U', 'kmalloc-64', 192],
    ['FZPU,kmalloc-64', 'kmalloc-64', 256],
    ['FZPU,kmalloc-6*', 'kmalloc-64', 256],
    ['FZPU,kmalloc-64', 'kmalloc-32', 32],
    [',kmalloc-64', 'kmalloc-64', 256],
    ['Z,kmalloc-32;P,kmalloc-64', 'kmalloc-64', 128],
    ['zpuO', 'kmalloc-4k', 4096],
  ])('%j makes objects of %s %i bytes apart', (value, name, size) => {
    const { slub, env } = slubMachine({ parameters: { slub_debug: value } });
    expect(env.ram.u32[slub.findCache(name) + 6]).toBe(size);
  });

  test('unknown letters are named', () => {
    const { env } = slubMachine({ parameters: { slub_debug: 'Fx' } });
    expect(env.lines).toContain("<3>slub_debug option 'x' unknown. skipped");
  });
});
