// SPDX-License-Identifier: MIT
/** What holds for every machine: sizes, CPUs, options, sameness of two runs, garbage, memory that is used up. */

import { createHash } from 'node:crypto';
import type { Machine, MachineOptions } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const MiB = 2 ** 20;
const ENOMEM = -12;
const ENOEXEC = -8;
const ENOENT = -2;

const HELLO = `#include <linux/module.h>
#include <linux/slab.h>
static int n = 1; module_param(n, int, 0644);
static char *s = "x"; module_param(s, charp, 0444);
static void *kept;
static int __init hello_init(void)
{
  pr_info("n=%d s=%s\\n", n, s);
  kept = kmalloc(n * 100, GFP_KERNEL);
  return kept ? 0 : -ENOMEM;
}
static void __exit hello_exit(void) { kfree(kept); }
module_init(hello_init); module_exit(hello_exit); MODULE_LICENSE("GPL");
`;

/** Takes all memory, a page at a time, so that the next module finds none; gives it back when it goes. */
const HOARD = `#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
static int spare; module_param(spare, int, 0);
static unsigned long head;
static int __init hoard_init(void)
{
  unsigned long page;
  while ((page = __get_free_page(GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY))) {
    *(unsigned long *)page = head;
    head = page;
  }
  while (spare-- > 0 && head) {
    page = head;
    head = *(unsigned long *)page;
    free_page(page);
  }
  return 0;
}
static void __exit hoard_exit(void)
{
  while (head) {
    unsigned long page = head;
    head = *(unsigned long *)page;
    free_page(page);
  }
}
module_init(hoard_init); module_exit(hoard_exit); MODULE_LICENSE("GPL");
`;

let hello: Uint8Array;
let hoard: Uint8Array;

beforeAll(async () => {
  hello = await build('hello', HELLO);
  hoard = await build('hoard', HOARD);
});
afterAll(closeCompiler);

const proc = (machine: Machine, path: string) => new TextDecoder().decode(machine.readProc(path));

describe('RAM', () => {
  test.each([8, 9.5, 16, 17, 64, 100, 1024, 2048])('%d MiB boots and runs a module', (size) => {
    const machine = boot({ memory: size * MiB });
    expect(machine.insmod(hello)).toEqual({ status: 0 });
    expect(machine.rmmod('hello')).toEqual({ status: 0 });
    const total = Number(/^MemTotal: +(\d+) kB$/m.exec(proc(machine, '/proc/meminfo'))?.[1]);
    expect(total).toBeLessThan(size * 1024);
    expect(total).toBeGreaterThan(size * 1024 * 0.9 - 1024);
  });

  const odd: readonly unknown[] = [0, -1, 1, 4096, 8 * MiB - 4096, 8 * MiB + 1, 8.5, 2 ** 31 + 4096, 2 ** 40];
  test.each([...odd, Number.NaN, Number.POSITIVE_INFINITY, '64M', null, undefined])(
    '%s is refused',
    (memory) => {
      expect(() => boot({ memory: memory as number })).toThrow(RangeError);
      expect(() => boot({ memory: memory as number })).toThrow(/got .+, expected/);
    },
  );
});

describe('CPUs', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('%d', (cpus) => {
    const machine = boot({ cpus });
    expect(machine.insmod(hello)).toEqual({ status: 0 });
    expect(proc(machine, '/proc/cpuinfo').match(/^processor/gm)).toHaveLength(cpus);
    expect(machine.rmmod('hello')).toEqual({ status: 0 });
    expect(brokenInvariants(machine)).toEqual([]);
  });

  test.each([0, -1, 9, 1.5, Number.NaN, '2'])('%s is refused', (cpus) => {
    expect(() => boot({ cpus: cpus as number })).toThrow(RangeError);
    expect(() => boot({ cpus: cpus as number })).toThrow(/got .+, expected/);
  });
});

describe('the same inputs give the same memory', () => {
  const run = (options: Partial<MachineOptions>): string => {
    const machine = boot({ memory: 16 * MiB, ...options });
    machine.insmod(hello, 'n=7 s=hello');
    machine.insmod(hoard);
    machine.rmmod('hello');
    machine.rmmod('hoard');
    machine.insmod(hello, 'n=3');
    const { u8 } = machine.kernel.ram;
    return createHash('sha256').update(u8).digest('hex');
  };

  test.each([{}, { cpus: 4 }, { seed: 7 }, { commandLine: 'slub_debug=FZPU page_owner=on init_on_free=1' }])(
    '%j',
    (options) => {
      expect(run(options)).toBe(run(options));
    },
  );

  test('another seed, another memory', () => {
    expect(run({ seed: 1 })).not.toBe(run({ seed: 2 }));
  });
});

/** A generator that is good enough for tests, with a seed that a failure can name. */
function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('what is no module', () => {
  /** Loading must end in an errno; a module that got through is unloaded. */
  function tryToLoad(machine: Machine, image: Uint8Array): number {
    const { status, signal } = machine.insmod(image);
    if (status === 0 && signal === undefined) machine.rmmod('hello');
    return status;
  }

  test.each([0, 1, 4, 8, 100, 5000])('%d random bytes', (bytes) => {
    const machine = boot();
    const before = memoryOf(machine);
    for (let seed = 0; seed < 50; seed++) {
      const random = randomOf(seed * 7919 + bytes);
      expect(
        tryToLoad(
          machine,
          Uint8Array.from({ length: bytes }, () => random(256)),
        ),
      ).toBe(ENOEXEC);
    }
    expect(memoryLost(machine, before)).toEqual([]);
  });

  test('a module cut off anywhere', () => {
    const machine = boot();
    tryToLoad(machine, hello);
    const before = memoryOf(machine);
    for (let length = 0; length < hello.length; length += 1 + (length >> 4))
      expect([ENOEXEC, ENOENT], `first ${length} bytes`).toContain(
        tryToLoad(machine, hello.subarray(0, length)),
      );
    expect(memoryLost(machine, before)).toEqual([]);
  });

  test('a module with a byte changed, anywhere', () => {
    for (let seed = 0; seed < 150; seed++) {
      const random = randomOf(seed);
      const image = hello.slice();
      image[random(image.length)] ^= 1 << random(8);
      const machine = boot({ memory: 8 * MiB });
      machine.insmod(image);
      machine.rmmod('hello');
      machine.insmod(hello);
      expect(machine.dmesg().length, `seed ${seed}`).toBeGreaterThan(0);
    }
  });

  test('wrong vermagic', async () => {
    const machine = boot();
    const text = new TextDecoder('latin1').decode(hello);
    const at = text.indexOf('vermagic=6.1.0');
    const image = hello.slice();
    image[at + 'vermagic='.length] = '5'.charCodeAt(0);
    expect(machine.insmod(image)).toEqual({ status: ENOEXEC });
    const magic = /vermagic=([^\0]*)/.exec(text)?.[1] ?? '';
    expect(machine.dmesg().at(-1)?.text).toBe(
      `hello: version magic '${magic.replace('6', '5')}' should be '${magic}'`,
    );
  });
});

describe('memory that is used up', () => {
  test.each([0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 32])('%d pages left', (spare) => {
    const machine = boot({ memory: 8 * MiB, commandLine: 'page_owner=on' });
    machine.insmod(hello);
    machine.insmod(hoard, 'spare=100000');
    machine.rmmod('hoard');
    machine.rmmod('hello');
    const before = memoryOf(machine);
    expect(machine.insmod(hoard, `spare=${spare}`)).toEqual({ status: 0 });
    const { status } = machine.insmod(hello, 'n=2 s=text');
    expect([0, ENOMEM]).toContain(status);
    expect(machine.rmmod('hello').status).toBe(status === 0 ? 0 : ENOENT);
    expect(machine.rmmod('hoard')).toEqual({ status: 0 });
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
    expect(moduleLog(machine).filter((text) => /BUG|WARNING/.test(text))).toEqual([]);
  });
});
