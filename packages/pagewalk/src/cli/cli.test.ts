// SPDX-License-Identifier: MIT
/** The command line as a user starts it: the built program in a process of its own. */

import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from './commands.js';
import { CommandLineError } from './options.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const root = fileURLToPath(new URL('../../../../', import.meta.url));
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pagewalk-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  stdout: string;
  stderr: string;
  status: number | null;
}

function start(args: string[], input = '', script = program): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: folder,
      env: { ...process.env, HOME: folder },
    });
    const outcome: Outcome = { stdout: '', stderr: '', status: null };
    child.stdout.setEncoding('utf8').on('data', (text: string) => (outcome.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (outcome.stderr += text));
    child.on('error', reject).on('close', (status) => resolve({ ...outcome, status }));
    child.stdin.end(input);
  });
}

describe('command lines that make no sense', () => {
  const cases: [string[], string][] = [
    [['nosuch'], "got 'nosuch', expected 'run' or 'sh' or 'trace'"],
    [['--mem', '5M'], "--mem: got '5M', expected 8M to 2G in whole pages, for instance 64M"],
    [['--mem=1.5G'], "--mem: got '1.5G', expected 8M to 2G in whole pages, for instance 64M"],
    [['--smp', '9', 'sh', '-c', 'true'], "--smp: got '9', expected 1 to 8"],
    [['sh', '--seed', '-1', '-c', 'true'], '--seed'],
    [['run'], "run: got no file, expected 'run FILE.c'"],
    [['run', '--colour', 'x.c'], "unknown option '--colour'"],
    [['run', 'nosuch.c'], "run: cannot read 'nosuch.c': ENOENT"],
    [['run', 'x.c', 'a b'], "run: got 'a b', expected a .c or .ko file or PARAMETER=VALUE"],
    [['trace', 'true'], "trace: got no events, expected -e, for instance -e 'kmem:*'"],
    [['trace', '-e', 'kmem:*'], "trace: got no command, expected 'trace -e EVENTS -- COMMAND'"],
    [['trace', '-e', 'nosuch', '--', 'true'], "trace: got events 'nosuch', expected some of filemap:"],
    [['sh'], "sh: got neither a script nor -c, expected 'sh SCRIPT' or 'sh -c COMMANDS'"],
    [['--load', 'x', '--mem', '32M'], '--load and --mem: a machine that was saved has its own --mem'],
    [['sh', 'nosuch.sh'], "sh: cannot read 'nosuch.sh': ENOENT"],
  ];
  test.each(cases)('%j', async (args, message) => {
    const failure = main(args);
    await expect(failure).rejects.toThrow(CommandLineError);
    await expect(failure).rejects.toThrow(message);
  });

  test('are said on standard error, with status 2', async () => {
    expect(await start(['nosuch'])).toEqual({
      stdout: '',
      stderr: "pagewalk: got 'nosuch', expected 'run' or 'sh' or 'trace'\nTry 'pagewalk --help'.\n",
      status: 2,
    });
  });
});

test('--help and --version', async () => {
  const [help, run, version] = await Promise.all([
    start(['--help']),
    start(['run', '--help']),
    start(['--version']),
  ]);
  expect(help).toMatchObject({
    stderr: '',
    status: 0,
    stdout: expect.stringContaining('usage: pagewalk [OPTIONS] [COMMAND]'),
  });
  expect(run.stdout).toContain('usage: pagewalk [OPTIONS] run [OPTIONS] FILE.c...');
  expect(version.stdout).toMatch(/^pagewalk \d+\.\d+\.\d+\n$/);
});

test('sh: commands, files of the host, exit status', async () => {
  const { stdout, stderr, status } = await start([
    '--mem',
    '32M',
    'sh',
    '-c',
    'echo "$0 $1 $(pwd)" >made; cat made; grep -c MemTotal /proc/meminfo; echo oops >&2; exit 7',
    'me',
    'x',
  ]);
  expect({ stdout, stderr, status }).toEqual({ stdout: 'me x /host\n1\n', stderr: 'oops\n', status: 7 });
  expect(readFileSync(join(folder, 'made'), 'utf8')).toBe('me x /host\n');
});

test('sh: a script, its arguments and its standard input', async () => {
  writeFileSync(join(folder, 'script.sh'), 'read line\necho "$1: $line"\nset -e\nfalse\necho never\n');
  expect(await start(['sh', 'script.sh', '--flag'], 'typed\n')).toEqual({
    stdout: '--flag: typed\n',
    stderr: '',
    status: 1,
  });
});

test('sh --json', async () => {
  const { stdout, status } = await start([
    'sh',
    '--json',
    '--append',
    'quiet',
    '-c',
    'uname -m; cat /proc/cmdline; echo e >&2; exit 3',
  ]);
  expect(status).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    status: 3,
    stdout: 'wasm64\nquiet\n',
    stderr: 'e\n',
    log: expect.arrayContaining([]),
  });
});

test('without a terminal the shell reads commands from standard input', async () => {
  expect(await start([], 'for i in 1 2\ndo echo $i\ndone\ncat <<E\nhere\nE\nexit 4\necho no\n')).toEqual({
    stdout: '1\n2\nhere\n',
    stderr: '',
    status: 4,
  });
});

test('run: the log, parameters, --json and exit statuses', async () => {
  const parameters = join(root, 'examples', 'parameters', 'parameters.c');
  const good = await start(['run', parameters, 'count=2', 'name=you']);
  expect(good).toMatchObject({ stderr: '', status: 0 });
  expect(good.stdout).toMatch(/^\[ {4}0\.\d{6}\] parameters: loading out-of-tree module taints kernel\.\n/);
  expect(good.stdout.match(/hello, you/g)).toHaveLength(2);

  const refused = await start(['run', parameters, 'count=many']);
  expect(refused).toMatchObject({
    status: 1,
    stderr: 'insmod: ERROR: could not insert module parameters: Invalid parameters\n',
  });

  const json = JSON.parse(
    (await start(['run', '--json', join(root, 'examples', 'null_pointer', 'null_pointer.c')])).stdout,
  );
  expect(json).toMatchObject({
    module: 'null_pointer',
    build: { ok: true },
    insmod: { signal: 9 },
    status: 3,
  });
  expect(
    json.log.some(({ text }: { text: string }) => text.startsWith('BUG: kernel NULL pointer dereference')),
  ).toBe(true);

  writeFileSync(join(folder, 'broken.c'), '#include <linux/module.h>\nint x = ;\n');
  const broken = await start(['run', 'broken.c']);
  expect(broken).toMatchObject({
    stdout: '',
    status: 1,
    stderr: expect.stringContaining('broken.c:2:9: error: expected expression'),
  });
});

/** What scripts/start.mjs does once everything is built. */
function startDemo(): Promise<Outcome> {
  writeFileSync(
    join(folder, 'demo.mjs'),
    `import { demo } from ${JSON.stringify(new URL('../../dist/cli/demo.js', import.meta.url).href)};
process.exitCode = await demo(${JSON.stringify(join(root, 'examples', 'mem_alloc'))}, []);`,
  );
  return start([], '', join(folder, 'demo.mjs'));
}

test('npm start tells what happened to memory', async () => {
  const { stdout, status } = await startDemo();
  expect(status).toBe(0);
  for (const command of ['make', 'insmod mem_alloc.ko', 'rmmod mem_alloc', 'dmesg | tail']) {
    expect(stdout).toContain(`root@pagewalk:~/mem_alloc# ${command}\n`);
  }
  expect(stdout).toMatch(/Hello from kernel module!\n.*Exiting memory allocation module\n/);
  expect(stdout).toMatch(/asked for +256 bytes, by mem_alloc_init\+0x/);
  expect(stdout).toMatch(/object +ffff8880[0-9a-f]{8}, number \d+ of its slab/);
  expect(stdout).toMatch(/cache +kmalloc-256\n/);
  expect(stdout).toMatch(/slab's page +frame 0x[0-9a-f]+ .*\n +zone +DMA32\n +freed +by mem_alloc_init/);
  expect(stdout.match(/(before|during|after) +kmalloc-256 +\d+ +\d+ +256 +16 +1 :/g)).toHaveLength(3);
});

describe('--save and --load', () => {
  test('a machine goes on in another process', async () => {
    cpSync(join(root, 'examples', 'mem_alloc'), join(folder, 'mem_alloc'), { recursive: true });
    const make =
      'cd mem_alloc && make -s && insmod mem_alloc.ko && echo kept >/root/note && mkdir /mnt/t && mount -t tmpfs none /mnt/t && ln -s /root/note /mnt/t/link && exit 3';
    expect(await start(['--mem', '16M', '--save', 'machine.pw', 'sh', '-c', make])).toMatchObject({
      stderr: '',
      status: 3,
    });
    const look =
      'cat /mnt/t/link; ls /host/mem_alloc/*.ko; lsmod | grep -c mem_alloc; rmmod mem_alloc; dmesg | tail -1; grep MemTotal /proc/meminfo';
    const loaded = await start(['sh', '--load', 'machine.pw', '--save', 'later.pw', '-c', look]);
    expect(loaded).toMatchObject({ stderr: '', status: 0 });
    expect(loaded.stdout).toMatch(
      /^kept\n\/host\/mem_alloc\/mem_alloc\.ko\n1\n\[.*\] Exiting memory allocation module\nMemTotal: +1\d{4} kB\n$/,
    );
    const typed = await start(['--load', 'later.pw'], 'lsmod\ndmesg | grep -c module!\n');
    expect(typed).toMatchObject({ stderr: '', stdout: expect.stringMatching(/^Module .*\n1\n$/) });
  });

  test('what cannot be loaded or saved is said, with status 1', async () => {
    writeFileSync(join(folder, 'text.pw'), 'no machine\n');
    const say = (stderr: string | RegExp) => ({
      stdout: '',
      stderr: expect.stringMatching(stderr),
      status: 1,
    });
    expect(await start(['--load', 'text.pw'])).toEqual(
      say("^pagewalk: --load 'text.pw': this is not a saved machine\n$"),
    );
    expect(await start(['--load', 'nosuch.pw'])).toEqual(say("^pagewalk: --load 'nosuch.pw': ENOENT"));
    expect(await start(['--save', 'no/such', 'sh', '-c', 'true'])).toEqual(
      say("^pagewalk: --save 'no/such': ENOENT"),
    );
  });
});

test('trace runs a command, and shows its events below', async () => {
  const { stdout, status } = await start(['trace', '-e', 'kmem:kmalloc', '--', 'echo', 'a  b']);
  expect(stdout).toMatch(/^a {2}b\n# tracer: nop\n#\n# entries-in-buffer\/entries-written: 0\/0 {3}#P:1\n/);
  expect(status).toBe(0);
  expect(await start(['trace', '--list'])).toMatchObject({
    stdout: expect.stringContaining('kmem:mm_page_alloc\n'),
  });
});
