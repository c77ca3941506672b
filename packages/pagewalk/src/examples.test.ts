// SPDX-License-Identifier: MIT
/** The examples, built by make and loaded, on the real kernel and compiler. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { closeToolchain, makeCommand } from './cli/toolchain.js';
import { bootMachine } from './kernel_machine.js';
import type { Machine } from './machine.js';
import { createSession } from './session.js';
import { type Result, runIn } from './testing.js';

const examples = fileURLToPath(new URL('../../../examples/', import.meta.url));
const chapter = fileURLToPath(new URL('../../../../shared/tutorial/mem_alloc.c', import.meta.url));

afterAll(closeToolchain);

/** A script in /root, where the files of a folder have been put, on a fresh machine. */
async function onMachine(
  files: Record<string, string>,
  script: string,
  machine = bootMachine({ memory: 64 * 2 ** 20, cpus: 1, seed: 1, commandLine: '' }),
): Promise<Result & { machine: Machine }> {
  const session = createSession({
    machine,
    extra: { make: [makeCommand(machine.kernelSymbols?.()), ''] },
  });
  for (const [name, text] of Object.entries(files))
    session.fs.writeFile(`/root/${name}`, new TextEncoder().encode(text));
  session.fs.exit();
  return { ...(await runIn(session, `cd /root\n${script}`)), machine };
}

function filesOf(example: string): Record<string, string> {
  const folder = join(examples, example);
  const names = readdirSync(folder).filter((name) => name === 'Makefile' || name.endsWith('.c'));
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

const TAINT = (name: string) => [
  `${name}: loading out-of-tree module taints kernel.`,
  `${name}: module verification failed: signature and/or required key missing - tainting kernel`,
];

/** The log without what came before the module. */
const logOf = (machine: Machine): string[] => {
  const texts = machine.dmesg().map(({ text }) => text);
  return texts.slice(texts.findIndex((text) => text.includes('loading out-of-tree module')));
};

const MEM_ALLOC_LOG = [
  ...TAINT('mem_alloc'),
  'Initializing memory allocation module',
  'Hello from kernel module!',
  'Exiting memory allocation module',
];

test('mem_alloc: make, insmod, rmmod, dmesg', async () => {
  const script =
    'make\ninsmod mem_alloc.ko && lsmod | head -1 && sudo rmmod mem_alloc; echo $?; dmesg -t | tail -3';
  const { stdout, stderr, machine } = await onMachine(filesOf('mem_alloc'), script);
  expect(stderr).toBe('');
  expect(stdout).toBe(`make -C /lib/modules/6.1.0-pagewalk/build M=/root modules
make[1]: Entering directory '/lib/modules/6.1.0-pagewalk/build'
  CC [M]  /root/mem_alloc.o
  MODPOST /root/Module.symvers
  LD [M]  /root/mem_alloc.ko
make[1]: Leaving directory '/lib/modules/6.1.0-pagewalk/build'
Module                  Size  Used by
0
${MEM_ALLOC_LOG.slice(2).join('\n')}
`);
  expect(logOf(machine)).toEqual(MEM_ALLOC_LOG);
});

test.skipIf(!existsSync(chapter))("the chapter's own mem_alloc.c, unmodified", async () => {
  const files = { Makefile: filesOf('mem_alloc')['Makefile'], 'mem_alloc.c': readFileSync(chapter, 'utf8') };
  const { status, machine } = await onMachine(
    files,
    'make && sudo insmod mem_alloc.ko && sudo rmmod mem_alloc',
  );
  expect(status).toBe(0);
  expect(logOf(machine)).toEqual(MEM_ALLOC_LOG);
});

test('hello', async () => {
  const { status, machine } = await onMachine(filesOf('hello'), 'make -s && insmod hello.ko && rmmod hello');
  expect(status).toBe(0);
  expect(logOf(machine)).toEqual([
    ...TAINT('hello'),
    'hello: the kernel has 8-byte pointers',
    'hello: goodbye',
  ]);
});

test('object_list', async () => {
  const { status, machine } = await onMachine(
    filesOf('object_list'),
    'make -s && insmod object_list.ko && rmmod object_list',
  );
  expect(status).toBe(0);
  const log = logOf(machine)
    .slice(2)
    .map((text) => text.replace(/ffff8880[0-9a-f]{8}/, 'ADDRESS'));
  expect(log).toEqual([
    ...[1, 4, 9, 16, 25].map((square) => `item ${square} at ADDRESS`),
    '5 items, sum 55',
    'list is empty: 1',
  ]);
});

test('own_cache has a row in slabinfo while it is loaded', async () => {
  const script =
    'make -s && insmod own_cache.ko && grep own_record /proc/slabinfo && rmmod own_cache; grep -c own_record /proc/slabinfo';
  const { stdout, machine } = await onMachine(filesOf('own_cache'), script);
  expect(stdout).toMatch(/^own_record +\d+ +64 +64 +64 +1 : tunables +0 +0 +0 : slabdata +1 +1 +0\n0\n$/);
  expect(logOf(machine).slice(2)).toEqual([
    'own_cache: 20 records of 48 bytes each',
    'own_cache: cache destroyed',
  ]);
});

test('leak: the objects outlive the module', async () => {
  const script =
    'make -s && grep "^kmalloc-512 " /proc/slabinfo; insmod leak.ko && rmmod leak && grep "^kmalloc-512 " /proc/slabinfo';
  const { stdout } = await onMachine(filesOf('leak'), script);
  const [before, after] = stdout.split('\n').map((line) => Number(line.split(/\s+/)[1]));
  expect(after - before).toBeGreaterThanOrEqual(100);
});

test('null_pointer: an oops with file and line; the machine lives on', async () => {
  const script = 'make -s && insmod null_pointer.ko; echo $?; rmmod null_pointer; echo $?; lsmod';
  const { stdout, stderr, machine } = await onMachine(filesOf('null_pointer'), script);
  expect(stderr).toBe('Killed\nrmmod: ERROR: Module null_pointer is in use\n');
  expect(stdout).toMatch(/^137\n1\nModule {18}Size {2}Used by\nnull_pointer +\d+ {2}1\n$/);
  const log = logOf(machine).slice(2);
  expect(log.slice(0, 5)).toEqual([
    'null_pointer: reading the limit',
    'BUG: kernel NULL pointer dereference, address: 0000000000000004',
    '#PF: supervisor read access in kernel mode',
    '#PF: error_code(0x0000) - not-present page',
    'PGD 0 P4D 0 ',
  ]);
  const source = filesOf('null_pointer')['null_pointer.c'].split('\n');
  const line = source.findIndex((text) => text.includes('settings->limit')) + 1;
  expect(log.find((text) => text.startsWith('RIP:'))).toContain(
    `[null_pointer] (/root/null_pointer.c:${line})`,
  );
});

test('exports: a module that another one needs', async () => {
  const script = `make -s
t() { echo "$ $*"; "$@" 2>&1; echo "exit $?"; }
t insmod user.ko; t insmod provider.ko; t insmod user.ko; t lsmod; t rmmod provider; t rmmod user; t rmmod provider`;
  const { stdout, machine } = await onMachine(filesOf('exports'), script);
  expect(stdout.replace(/ +\d{4,} /g, ' SIZE ')).toBe(`$ insmod user.ko
insmod: ERROR: could not insert module user.ko: Unknown symbol in module
exit 1
$ insmod provider.ko
exit 0
$ insmod user.ko
exit 0
$ lsmod
Module                  Size  Used by
user SIZE  0
provider SIZE  1 user
exit 0
$ rmmod provider
rmmod: ERROR: Module provider is in use by: user
exit 1
$ rmmod user
exit 0
$ rmmod provider
exit 0
`);
  const log = logOf(machine).slice(2);
  expect(log).toEqual([
    'user: Unknown symbol provider_next (err -2)',
    'provider: ready',
    'user: got 1 and 2',
    'provider: was called 2 times',
  ]);
});

test('parameters', async () => {
  const script = `make -s
insmod parameters.ko count=2 name=kernel sizes=16,100; rmmod parameters
insmod parameters.ko count=abc; insmod parameters.ko "name=two words"; modinfo -p parameters.ko`;
  const { stdout, stderr, machine } = await onMachine(filesOf('parameters'), script);
  expect(stderr).toBe('insmod: ERROR: could not insert module parameters.ko: Invalid parameters\n');
  expect(logOf(machine).slice(2)).toEqual([
    'hello, kernel',
    'hello, kernel',
    'asked for 16 bytes, got 16',
    'asked for 100 bytes, got 128',
    "parameters: `abc' invalid for parameter `count'",
    'hello, two words',
    'asked for 32 bytes, got 32',
  ]);
  expect(stdout.split('\n').sort()).toEqual([
    '',
    'count:how often to greet (int)',
    'name:whom to greet (charp)',
    'sizes:bytes to allocate, up to 8 numbers (array of int)',
  ]);
});

test('a mistake in C is shown whole, and make fails', async () => {
  const files = {
    ...filesOf('hello'),
    'hello.c': '#include <linux/module.h>\nint init_module(void) { return nosuch; }\n',
  };
  const { stderr, status } = await onMachine(files, 'make');
  expect(stderr).toContain("/root/hello.c:2:32: error: use of undeclared identifier 'nosuch'");
  expect(status).toBe(2);
});

test('producer_consumer: two threads and a wait queue', async () => {
  const script =
    'make -s && insmod producer_consumer.ko count=3 && ps -eo comm= && sleep 1 && rmmod producer_consumer && ps -eo comm= | grep -c er$';
  const { stdout, machine } = await onMachine(filesOf('producer_consumer'), script);
  expect(stdout).toBe('sh\nconsumer\nproducer\nps\n0\n');
  expect(logOf(machine).slice(2)).toEqual([
    ...[1, 2, 3].map((number) => `producer_consumer: order ${number}`),
    'producer_consumer: 3 orders made, 3 taken',
  ]);
});

test('vmalloc_guard: the byte behind the area is an oops that names it', async () => {
  const { machine } = await onMachine(filesOf('vmalloc_guard'), 'make -s; insmod vmalloc_guard.ko');
  expect(logOf(machine).join('\n')).toMatch(
    /two pages at \w{16}\nBUG: unable to handle page fault for address: \w{16}\n#PF: supervisor write access in kernel mode\n.*\nvmalloc: address is in the guard page after /,
  );
});

test('use_after_free: slub_debug finds it when the object is used again', async () => {
  const machine = bootMachine({ memory: 2 ** 25, cpus: 1, seed: 1, commandLine: 'slub_debug=FZPU' });
  const { log } = await onMachine(
    filesOf('use_after_free'),
    'make -s; insmod use_after_free.ko',
    machine,
  ).then((result) => ({ log: logOf(result.machine).join('\n') }));
  expect(log).toContain('): Poison overwritten');
  expect(log).toContain('First byte 0x21 instead of 0x6b');
  expect(log).toMatch(/Freed in use_after_free_init\+0x\w+\/0x\w+ \[use_after_free\]/);
});

test('echo_device: the shell talks to C through /dev and /proc', async () => {
  const script = [
    'make -s && insmod echo_device.ko',
    'echo one > /dev/echo; cat /dev/echo; echo two > /dev/echo; cat /dev/echo /proc/echo',
    'dd if=/dev/zero of=/dev/echo bs=100 count=1',
    'rmmod echo_device; cat /dev/echo',
  ].join('\n');
  const { stdout, stderr } = await onMachine(filesOf('echo_device'), script);
  expect(stdout).toBe('one\ntwo\nreads 4\nwrites 2\n');
  expect(stderr).toBe(
    "dd: error writing '/dev/echo': Invalid argument\ncat: /dev/echo: No such file or directory\n",
  );
});

test('process_list: the parents of a task, and a line for each', async () => {
  const script =
    'make -s && insmod process_list.ko && cat /proc/process_list; rmmod process_list; insmod process_list.ko pid=4444';
  const { stdout, stderr, machine } = await onMachine(filesOf('process_list'), script);
  expect(stdout).toMatch(/^ {2}PID {2}PPID S COMMAND\n(.*\n)* +\d+ +\d+ S sh\n +\d+ +\d+ R cat\n$/);
  expect(stderr).toBe('insmod: ERROR: could not insert module process_list.ko: Invalid parameters\n');
  const log = logOf(machine).slice(2);
  expect(log[0]).toMatch(/^process_list: insmod, pid \d+, state R$/);
  expect(log.slice(1).map((text) => text.replace(/^process_list: \S+ is a child/, 'child'))).toEqual([
    ...log.slice(1, -1).map(() => expect.stringMatching(/^child of \S+$/)),
    'process_list: there is no task 4444',
  ]);
  expect(log.at(-2)).toMatch(/ is a child of swapper\/0$/);
});

test('settings: sysctl reads and writes them, and what is out of range is refused', async () => {
  const script = `make -s && insmod settings.ko && sysctl settings settings.volume=7; sysctl settings.volume=11
echo right > /proc/sys/settings/speaker; cat /proc/sys/settings/speaker; rmmod settings; ls /proc/sys/settings`;
  const { stdout, stderr, machine } = await onMachine(filesOf('settings'), script);
  expect(stdout).toBe('settings.speaker = left\nsettings.volume = 5\nsettings.volume = 7\nright\n');
  expect(stderr).toBe(`sysctl: setting key "settings.volume": Invalid argument
ls: cannot access '/proc/sys/settings': No such file or directory
`);
  expect(logOf(machine).slice(2)).toEqual([
    'settings: the volume is 7 now',
    'settings: volume 7 on the right',
  ]);
});

test('tracing: the filter lets the large ones through, trace_printk stands between them', async () => {
  const source = filesOf('tracing')['tracing.c'];
  const commands = [...source.matchAll(/^ \* {5}((?:cd|echo) .*)$/gm)].map((match) => match[1]);
  expect(commands).toHaveLength(3);
  const script = `make -s; (${commands.join('; ')}); insmod tracing.ko; grep -v '^#' /sys/kernel/tracing/trace`;
  const { stdout } = await onMachine(filesOf('tracing'), script);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.filter((line) => !/^ +insmod-\d+ /.test(line))).toEqual([]);
  expect(lines.map((line) => /(asked for.*|bytes_req=\d+)/.exec(line)?.[0])).toEqual([
    'asked for 16, got 16',
    'bytes_req=200',
    'asked for 200, got 256',
    'asked for 64, got 64',
    'bytes_req=3000',
    'asked for 3000, got 4096',
  ]);
  expect(lines[0]).toContain(': take_and_give_back: ');
});

test('init_memory: make warns, and the thread that runs what is gone dies', async () => {
  const source = filesOf('init_memory')['init_memory.c'];
  const { stdout, stderr, machine } = await onMachine(
    filesOf('init_memory'),
    'make -s; insmod init_memory.ko; sleep 1; rmmod init_memory; echo $?',
  );
  const warning = /section mismatch in reference: .*/.exec(source)![0];
  expect(stderr).toBe(`WARNING: modpost: /root/init_memory.o: ${warning}\n`);
  expect(stdout).toBe('0\n');
  const withoutAddresses = (text: string) => text.replace(/[0-9a-f]{16}|0x[0-9a-f]+/g, 'N');
  const log = logOf(machine).map(withoutAddresses);
  expect(log.slice(2, 5)).toEqual([
    'init_memory: good morning',
    'init_memory: once more',
    'BUG: unable to handle page fault for address: N',
  ]);
  // The lines of the report that the comment explains are those that the kernel prints.
  const explained = [...source.matchAll(/^ \* {5}((?:BUG|#PF|RIP| greet).*?)(?: {3}.*)?$/gm)];
  expect(explained).toHaveLength(5);
  for (const [, line] of explained)
    expect(
      log.some((text) => text.startsWith(withoutAddresses(line))),
      line,
    ).toBe(true);
});

test('platform_driver: bound when both are there, taken apart in order', async () => {
  const script =
    'make -s && insmod platform_driver.ko; ls /sys/bus/platform/drivers/lamp; cat /proc/ioports; rmmod platform_driver';
  const { stdout, machine } = await onMachine(filesOf('platform_driver'), script);
  expect(stdout).toBe('lamp.0\n0340-0347 : lamp.0\n');
  expect(logOf(machine).slice(2)).toEqual([
    'lamp lamp.0: probe: [io  0x0340-0x0347], irq 20',
    'lamp lamp.0: remove: the lamp is on',
    'the lamp is off',
  ]);
});

test('keyboard: each interrupt is one key, and its thread says so', async () => {
  const { stdout, machine } = await onMachine(
    filesOf('keyboard'),
    'make -s && insmod keyboard.ko keys=abc; sleep 1; cat /proc/interrupts; rmmod keyboard; tail -1 /proc/interrupts',
  );
  expect(stdout).toBe(
    `           CPU0       \n 12:          3      None      keyboard\n 12:          3      None    \n`,
  );
  expect(logOf(machine).slice(2)).toEqual([
    "keyboard: key 'a' (0x61), handled by irq/12-keyboard",
    "keyboard: key 'b' (0x62), handled by irq/12-keyboard",
    "keyboard: key 'c' (0x63), handled by irq/12-keyboard",
    'keyboard: 3 interrupts, 0 keys lost',
  ]);
});

test('file_reader: the kernel adds a line to what the shell has written', async () => {
  const script = `make -s; printf 'first\\nsecond\\n' > /tmp/notes; insmod file_reader.ko; rmmod file_reader
insmod file_reader.ko; cat /tmp/notes; insmod file_reader.ko path=/; echo $?`;
  const { stdout, machine } = await onMachine(filesOf('file_reader'), script);
  expect(stdout).toBe('first\nsecond\nline 3, from the kernel\nline 4, from the kernel\n1\n');
  expect(logOf(machine).slice(2)).toEqual([
    'file_reader: notes had 2 lines, and has 37 bytes now',
    'file_reader: notes had 3 lines, and has 61 bytes now',
  ]);
});

test('ram_file_system: mounted, used, and given back', async () => {
  const script = `make -s && insmod ram_file_system.ko && mkdir /tmp/box && mount -t ram_file_system none /tmp/box
cd /tmp/box; mkdir folder; seq 3000 > list; mv list folder; wc -l folder/list; ln folder/list same
cd /; rmmod ram_file_system; umount /tmp/box; rmmod ram_file_system; mount -t ram_file_system none /tmp/box`;
  const { stdout, stderr, machine } = await onMachine(filesOf('ram_file_system'), script);
  expect(stdout).toBe('3000 folder/list\n');
  expect(stderr).toBe(`rmmod: ERROR: Module ram_file_system is in use
mount: /tmp/box: unknown filesystem type 'ram_file_system'.
`);
  const log = logOf(machine).slice(2);
  expect(log.map((text) => text.replace(/inode \d+/, 'inode'))).toEqual([
    'ram_file_system: inode is folder',
    'ram_file_system: inode is list',
    'ram_file_system: inode goes, with 4 pages',
    'ram_file_system: inode goes, with 0 pages',
    'ram_file_system: inode goes, with 0 pages',
  ]);
});
