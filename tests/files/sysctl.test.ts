// SPDX-License-Identifier: MIT
/** /proc/sys: a module's settings read and written by programs, and settings of the kernel that have an effect. */

import { readFileSync } from 'node:fs';
import { DEVKMSG_CHOICES } from '@pagewalk/kernel/kernel/printk/printk';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';

const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const encode = (text: string) => new TextEncoder().encode(text);

let ko: Uint8Array;
beforeAll(async () => {
  ko = await build('demo', readFileSync(new URL('sysctl.c', import.meta.url), 'utf8'));
});
afterAll(closeCompiler);

function cat(machine: Machine, path: string, chunk = 4096): string {
  const { status: fd } = machine.open(`/proc/sys/${path}`);
  if (fd < 0) return `open ${fd}`;
  let all = '';
  for (;;) {
    const { status, bytes } = machine.read(fd, chunk);
    if (status <= 0) break;
    all += decode(bytes);
  }
  machine.close(fd);
  return all;
}

const echo = (machine: Machine, path: string, text: string) =>
  machine.writeProc(`/proc/sys/${path}`, encode(text));

function load(mistake = 0, options = {}) {
  const machine = boot(options);
  const before = machine.listProc('/proc/sys');
  expect(machine.insmod(ko, `mistake=${mistake}`)).toEqual({ status: 0 });
  return { machine, before };
}

const texts = (machine: Machine) => machine.dmesg().map(({ text }) => text);

describe("a module's settings", () => {
  test('are files while they are registered', () => {
    const { machine, before } = load();
    expect(machine.readdir('/proc/sys/demo')).toEqual([
      'counted',
      'hidden',
      'level',
      'long',
      'name',
      'secret',
    ]);
    expect(machine.listProc('/proc/sys')).toEqual([...before!, 'demo/'].sort());
    expect(cat(machine, 'demo/level')).toBe('2\n');
    expect(cat(machine, 'demo/level', 1)).toBe('2\n');
    expect(echo(machine, 'demo/level', '4\n')).toBe(0);
    expect(cat(machine, 'demo/level')).toBe('4\n');
    for (const bad of ['5\n', '-1', 'x', '\n', '1x']) expect(echo(machine, 'demo/level', bad), bad).toBe(-22);
    expect(cat(machine, 'demo/level')).toBe('4\n');
    expect(echo(machine, 'demo/level', '3 9\n')).toBe(0);
    expect(cat(machine, 'demo/level')).toBe('3\n');
    expect(echo(machine, 'demo/name', 'a name that is too long\n')).toBe(0);
    expect(cat(machine, 'demo/name')).toBe('a name that is \n');
    expect(cat(machine, 'demo/long', 999)).toBe(`${'x'.repeat(5999)}\n`);
    expect(machine.rmmod('demo')).toEqual({ status: 0 });
    expect(machine.listProc('/proc/sys')).toEqual(before);
    expect(machine.stat('/proc/sys/demo')).toBe(-2);
    expect(cat(machine, 'demo/level')).toBe('open -2');
  });

  test('have the rights that their table says', () => {
    const { machine } = load();
    expect(machine.stat('/proc/sys/demo/secret')).toMatchObject({ mode: 0o100444 });
    expect(echo(machine, 'demo/secret', '1')).toBe(-13);
    expect(cat(machine, 'demo/hidden')).toBe('');
    expect(echo(machine, 'demo/hidden', '7')).toBe(0);
    expect(cat(machine, 'demo/secret')).toBe('7\n');
    expect(echo(machine, 'demo/nosuch', '7')).toBe(-2);
  });

  test('run the handler of the module in the program that reads', () => {
    const { machine } = load();
    expect(echo(machine, 'demo/counted', '12')).toBe(0);
    expect(echo(machine, 'demo/counted', '-1')).toBe(-22);
    expect(decode(machine.readProc('/proc/sys/demo/counted'))).toBe('12\n');
    expect(moduleLog(machine)).toEqual([
      'write 2 at 012',
      'write 2 at 0-1',
      'read 4096 at 0',
      'read 4096 at 3',
    ]);
  });

  test('leave no memory behind', () => {
    const { machine } = load();
    cat(machine, 'demo/level');
    machine.rmmod('demo');
    const before = memoryOf(machine);
    machine.insmod(ko);
    cat(machine, 'demo/level');
    echo(machine, 'demo/name', 'x');
    machine.rmmod('demo');
    expect(memoryLost(machine, before)).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
  });

  test('an oops or an error of the handler', () => {
    const { machine } = load(1);
    expect(echo(machine, 'demo/counted', '1')).toBe(-5);
    expect(texts(machine)).toContain('BUG: kernel NULL pointer dereference, address: 0000000000000008');
    expect(decode(machine.readProc('/proc/sys/demo/counted'))).toBe('');
    expect(cat(machine, 'demo/level')).toBe('2\n');
    expect(echo(load(2).machine, 'demo/counted', '1')).toBe(-1);
  });

  test('unregistered while open', () => {
    const { machine } = load();
    const { status: fd } = machine.open('/proc/sys/demo/level', 2);
    expect(machine.rmmod('demo')).toEqual({ status: 0 });
    expect(machine.read(fd, 10).status).toBeLessThanOrEqual(0);
    expect(machine.write(fd, encode('1')).status).toBeLessThan(0);
    expect(machine.close(fd).status).toBe(0);
  });

  test('tables that Linux refuses', () => {
    const { machine } = load(3);
    const lines = moduleLog(machine).filter((text) => /^(sysctl|registered|refused)/.test(text));
    expect(lines).toEqual([
      'sysctl table check failed: demo/nothing No proc_handler',
      'refused',
      'sysctl table check failed: demo/folder Not a file',
      'sysctl table check failed: demo/folder No proc_handler',
      'refused',
      'sysctl table check failed: demo//mode bogus .mode 01755',
      'refused',
      'sysctl table check failed: demo/array array not allowed',
      'refused',
      'sysctl table check failed: demo/bare No data',
      'sysctl table check failed: demo/bare No maxlen',
      'refused',
      'sysctl duplicate entry: /demo/level',
      'refused',
      'sysctl could not get directory: /demo/level -20',
      'refused',
      'sysctl duplicate entry: /kernel/panic',
      'refused',
      'registered',
      'refused',
      'refused',
      'refused',
    ]);
    expect(moduleLog(machine)).toContain(' __register_sysctl_table+0x20/0x40');
    expect(machine.listProc('/proc/sys/demo')).toHaveLength(6);
  });

  test('not unregistered when the module goes', () => {
    const { machine } = load(4);
    expect(machine.rmmod('demo')).toEqual({ status: 0 });
    expect(machine.listProc('/proc/sys/demo')).toEqual([]);
    expect(cat(machine, 'demo/level')).toBe('open -2');
  });

  test('unregistered twice', () => {
    const { machine } = load(5);
    expect(machine.rmmod('demo')).not.toEqual({ status: 0 });
    expect(texts(machine)).toContain('kernel BUG at mm/slub.c:419!');
  });
});

describe('settings of the kernel', () => {
  test('vm.min_free_kbytes moves the watermarks', () => {
    const machine = boot();
    const minimum = () =>
      [...decode(machine.readProc('/proc/zoneinfo')).matchAll(/^ {8}min +(\d+)$/gm)]
        .map((match) => Number(match[1]))
        .reduce((sum, pages) => sum + pages, 0);
    const before = minimum();
    expect(echo(machine, 'vm/min_free_kbytes', '4096\n')).toBe(0);
    expect(minimum()).toBeGreaterThanOrEqual(1022);
    expect(minimum()).toBeGreaterThan(before);
    expect(echo(machine, 'vm/min_free_kbytes', '-1\n')).toBe(-22);
    expect(echo(machine, 'vm/watermark_scale_factor', '3001')).toBe(-22);
    expect(echo(machine, 'vm/percpu_pagelist_high_fraction', '7')).toBe(-22);
    expect(cat(machine, 'vm/percpu_pagelist_high_fraction')).toBe('0\n');
    expect(echo(machine, 'vm/percpu_pagelist_high_fraction', '8')).toBe(0);
    expect(decode(machine.readProc('/proc/zoneinfo'))).toMatch(/high: +1[0-9]{3}\n/);
    expect(echo(machine, 'vm/lowmem_reserve_ratio', '-5 128')).toBe(0);
    expect(cat(machine, 'vm/lowmem_reserve_ratio')).toBe('0\t128\t32\t0\t0\n');
    expect(echo(machine, 'vm/overcommit_kbytes', '4000')).toBe(0);
    expect(decode(machine.readProc('/proc/meminfo'))).toMatch(/CommitLimit: +4000 kB/);
    expect(cat(machine, 'vm/overcommit_ratio')).toBe('0\n');
  });

  test('kernel.kptr_restrict hides %pK', () => {
    const pointers = (restrict: string) => {
      const machine = boot();
      expect(echo(machine, 'kernel/kptr_restrict', restrict)).toBe(0);
      machine.insmod(ko, 'mistake=6');
      return { machine, lines: moduleLog(machine).filter((text) => text.startsWith('pointer ')) };
    };
    const hashed = pointers('0').lines;
    expect(hashed[0]).toMatch(/^pointer 00000000[0-9a-f]{8} +[0-9a-f]+\|$/);
    expect(hashed[1]).toBe(hashed[0]);
    const shown = pointers('1').lines;
    expect(shown[0]).toMatch(/^pointer ffffffffc[0-9a-f]{7} ffffffffc[0-9a-f]{7}\|$/);
    expect(shown[1]).toBe('pointer         pK-error   pK-error|');
    const { machine, lines } = pointers('2');
    expect(lines[0]).toBe('pointer 0000000000000000          0|');
    expect(decode(machine.readProc('/proc/modules'))).toContain('Live 0x0000000000000000');
    expect(decode(machine.readProc('/proc/kallsyms'))).toMatch(/^0{16} . /);
  });

  test('kernel.panic_on_oops and its kin', () => {
    const panics = (settings: readonly (readonly [string, string])[]) => {
      const { machine } = load(1);
      for (const [path, value] of settings) expect(echo(machine, path, value)).toBe(0);
      echo(machine, 'demo/counted', '1');
      return texts(machine).filter((text) => /^(Kernel panic|Rebooting|---\[ end Kernel)/.test(text));
    };
    expect(panics([])).toEqual([]);
    expect(panics([['kernel/panic_on_oops', '1']])).toEqual([
      'Kernel panic - not syncing: Fatal exception',
      '---[ end Kernel panic - not syncing: Fatal exception ]---',
    ]);
    expect(
      panics([
        ['kernel/oops_limit', '1'],
        ['kernel/panic', '5'],
      ]),
    ).toEqual([
      'Kernel panic - not syncing: Oopsed too often (kernel.oops_limit is 1)',
      'Rebooting in 5 seconds..',
    ]);
  });

  test('kernel.warn_limit and kernel.panic_on_warn', () => {
    const panicked = (path: string, value: string) => {
      const machine = boot();
      expect(echo(machine, path, value)).toBe(0);
      expect(machine.insmod(ko, 'mistake=9')).toEqual({ status: 0, panicked: true });
      return texts(machine).filter((text) => text.startsWith('Kernel panic'));
    };
    expect(panicked('kernel/panic_on_warn', '1')).toEqual([
      'Kernel panic - not syncing: kernel: panic_on_warn set ...',
    ]);
    expect(panicked('kernel/warn_limit', '1')).toEqual([
      'Kernel panic - not syncing: kernel: system warned too often (kernel.warn_limit is 1)',
    ]);
  });

  test('kernel.watchdog_thresh, kernel.softlockup_panic and kernel.watchdog', () => {
    const loop = (...settings: (readonly [string, string])[]) => {
      const machine = boot();
      for (const [path, value] of settings) expect(echo(machine, path, value)).toBe(0);
      const result = machine.insmod(ko, 'mistake=7');
      const lines = texts(machine).filter((text) => /stuck for|has run for|^Kernel panic/.test(text));
      return [result, ...lines.map((text) => text.replace(/:?\[?insmod[:[]?\d*\]?/, ''))];
    };
    const killed = { status: 0, signal: 9 };
    expect(loop(['kernel/watchdog_thresh', '5'])).toEqual([
      killed,
      expect.stringContaining('soft lockup - CPU#0 stuck for 11s!'),
    ]);
    expect(loop(['kernel/watchdog_thresh', '1'], ['kernel/softlockup_panic', '1'])).toEqual([
      { status: 0, panicked: true },
      expect.stringContaining('stuck for 3s!'),
      'Kernel panic - not syncing: softlockup: hung tasks',
    ]);
    expect(loop(['kernel/watchdog', '0'])).toEqual([
      killed,
      expect.stringContaining('has run for 120s with no watchdog: killed'),
    ]);
    const machine = boot();
    expect(echo(machine, 'kernel/watchdog_thresh', '61')).toBe(-22);
    echo(machine, 'kernel/soft_watchdog', '0');
    expect(cat(machine, 'kernel/watchdog')).toBe('0\n');
  });

  test('kernel.hung_task_timeout_secs and its kin', () => {
    const hang = (...settings: (readonly [string, string])[]) => {
      const machine = boot();
      for (const [path, value] of settings) expect(echo(machine, path, value)).toBe(0);
      const { panicked } = machine.insmod(ko, 'mistake=8');
      const lines = texts(machine).filter((text) => /^INFO: task|^Kernel panic/.test(text));
      return [panicked === true, ...lines.map((text) => text.replace(/:\d+/, ''))];
    };
    expect(hang()).toEqual([false, 'INFO: task insmod blocked for more than 120 seconds.']);
    expect(hang(['kernel/hung_task_timeout_secs', '30'])).toEqual([
      false,
      'INFO: task insmod blocked for more than 30 seconds.',
    ]);
    expect(hang(['kernel/hung_task_timeout_secs', '0'])).toEqual([false]);
    expect(hang(['kernel/hung_task_warnings', '0'])).toEqual([false]);
    expect(hang(['kernel/hung_task_panic', '1'])).toEqual([
      true,
      'INFO: task insmod blocked for more than 120 seconds.',
      'Kernel panic - not syncing: hung_task: blocked tasks',
    ]);
    expect(echo(boot(), 'kernel/hung_task_warnings', '-2')).toBe(-22);
  });

  test('kernel.printk_devkmsg', () => {
    const machine = boot();
    const { printk } = machine.kernel;
    expect(echo(machine, 'kernel/printk_devkmsg', 'off\n')).toBe(0);
    expect(printk.devkmsgChoice).toBe(DEVKMSG_CHOICES.indexOf('off'));
    expect(echo(machine, 'kernel/printk_devkmsg', 'maybe\n')).toBe(-22);
    expect(echo(machine, 'kernel/printk_devkmsg', 'on\n')).toBe(0);
    expect(cat(machine, 'kernel/printk_devkmsg')).toBe('on\n');
    const locked = boot({ commandLine: 'printk.devkmsg=on' });
    expect(cat(locked, 'kernel/printk_devkmsg')).toBe('on\n');
    expect(echo(locked, 'kernel/printk_devkmsg', 'off\n')).toBe(-22);
  });

  test('the console level on the command line', () => {
    const level = (commandLine: string) => {
      const lines: string[] = [];
      const machine = boot({ commandLine, console: (line) => lines.push(line) });
      machine.kernel.printk.log(6, 'information');
      return [
        cat(machine, 'kernel/printk').split('\t')[0],
        lines.some((line) => line.includes('information')),
      ];
    };
    expect(level('')).toEqual(['7', true]);
    expect(level('quiet')).toEqual(['4', false]);
    expect(level('debug')).toEqual(['10', true]);
    expect(level('loglevel=0')).toEqual(['0', false]);
    expect(level('loglevel=3 ignore_loglevel')).toEqual(['3', true]);
  });

  test('%pGv and %pB', () => {
    const { machine } = load(10);
    const lines = moduleLog(machine).filter((text) => /^(flags|call)/.test(text));
    expect(lines.slice(0, 5)).toEqual([
      'flags read|write|mayread|maywrite|mayexec|',
      'flags |',
      'flags 0x2000000000|',
      'flags read|mergeable|',
      'flags 0x800|',
    ]);
    expect(lines[5]).toMatch(/^call show_pointers\+0x8\/0x[0-9a-f]+ \[demo\]$/);
    expect(lines[6]).toBe('call 0x0000000000000010');
  });

  test('kernel.printk says what reaches the console', () => {
    const lines: string[] = [];
    const machine = boot({ console: (line) => lines.push(line) });
    lines.length = 0;
    machine.insmod(ko, 'mistake=6');
    expect(lines.filter((line) => line.includes('pointer'))).toHaveLength(2);
    machine.rmmod('demo');
    expect(cat(machine, 'kernel/printk')).toBe('7\t4\t1\t7\n');
    expect(echo(machine, 'kernel/printk', '4')).toBe(0);
    machine.insmod(ko, 'mistake=6');
    expect(lines.filter((line) => line.includes('pointer'))).toHaveLength(2);
  });

  test('kernel.printk_delay holds writers up', () => {
    const machine = boot();
    expect(echo(machine, 'kernel/printk_delay', '100')).toBe(0);
    const before = machine.now;
    machine.insmod(ko, 'mistake=6');
    expect(machine.now - before).toBeGreaterThan(200e6);
    expect(echo(machine, 'kernel/printk_delay', '10001')).toBe(-22);
  });

  test('kernel.tainted takes flags and gives none back', () => {
    const machine = boot();
    expect(echo(machine, 'kernel/tainted', '512\n')).toBe(0);
    expect(echo(machine, 'kernel/tainted', '0\n')).toBe(0);
    expect(cat(machine, 'kernel/tainted')).toBe('512\n');
  });

  test('kernel.hostname, kernel.random', () => {
    const machine = boot();
    expect(echo(machine, 'kernel/hostname', `${'h'.repeat(70)}\n`)).toBe(0);
    expect(cat(machine, 'kernel/hostname')).toBe(`${'h'.repeat(64)}\n`);
    const id = cat(machine, 'kernel/random/boot_id');
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n$/);
    expect(cat(machine, 'kernel/random/boot_id')).toBe(id);
    expect(cat(machine, 'kernel/random/uuid')).not.toBe(cat(machine, 'kernel/random/uuid'));
  });

  test('on the command line', () => {
    const machine = boot({
      commandLine:
        'sysctl.kernel.panic_on_oops=1 sysctl.kernel.nosuch=2 sysctl.vm.min_free_kbytes=x sysctl.kernel.ostype=x',
    });
    expect(cat(machine, 'kernel/panic_on_oops')).toBe('1\n');
    expect(texts(machine).filter((text) => text.startsWith('Failed'))).toEqual([
      "Failed to set sysctl parameter 'kernel.nosuch=2': parameter not found",
      "Failed to set sysctl parameter 'vm.min_free_kbytes=x': invalid value",
      "Failed to set sysctl parameter 'kernel.ostype=x': permission denied",
    ]);
  });
});
