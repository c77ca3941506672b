// SPDX-License-Identifier: MIT
/** A machine with a file tree and commands: what a shell works in. */

import { VirtualClock } from './clock.js';
import { devices } from './fs/devices.js';
import type { Filesystem } from './fs/filesystem.js';
import { DeviceFs, MachineFs, NamesFs, ReadOnlyFs } from './fs/generated.js';
import { KernelFs } from './fs/kernelfs.js';
import { MemFs } from './fs/memfs.js';
import { Vfs } from './fs/vfs.js';
import type { Machine } from './machine.js';
import { builtins } from './shell/builtins.js';
import type { Command, CommandTable } from './shell/command.js';
import type { Session } from './shell/state.js';
import { awk } from './tools/awk.js';
import { dumpTools } from './tools/dump.js';
import { fileTools } from './tools/files.js';
import { grepTools } from './tools/grep.js';
import { type CommandSet, kmodTools } from './tools/kmod.js';
import { man } from './tools/man.js';
import { memoryTools } from './tools/memory.js';
import { runTools } from './tools/run.js';
import { sed } from './tools/sed.js';
import { RELEASE, systemTools } from './tools/system.js';
import { taskTools } from './tools/tasks.js';
import { textTools } from './tools/text.js';
import { timeTools } from './tools/time.js';

export interface SessionOptions {
  machine: Machine;
  /** What /host shows; without it there is no /host. */
  host?: Filesystem | undefined;
  /** The kernel headers, shown where modules are built. */
  headers?: Filesystem | undefined;
  /** The manual's pages, shown in /usr/share/man. */
  manual?: Filesystem | undefined;
  /** Seeds /dev/random. */
  seed: number;
  /** A virtual second takes a second: where a person watches. */
  paced?: boolean;
  /** More commands: `make`. */
  extra?: CommandSet;
}

const FOLDERS = [
  'dev',
  'etc',
  'home',
  'lib',
  'lib/modules',
  `lib/modules/${RELEASE}`,
  `lib/modules/${RELEASE}/build`,
  'mnt',
  'proc',
  'root',
  'run',
  'sys',
  'tmp',
  'usr',
  'usr/share',
  'usr/share/man',
  'var',
];
const encoder = new TextEncoder();

function rootFolders(fs: MemFs): void {
  for (const folder of FOLDERS) fs.mkdir(`/${folder}`);
  for (const link of ['/usr/bin', '/sbin', '/usr/sbin']) fs.symlink('/bin', link);
  for (const list of ['modules.order', 'modules.builtin'])
    fs.writeFile(`/lib/modules/${RELEASE}/${list}`, new Uint8Array(0), false);
  fs.symlink('/proc/mounts', '/etc/mtab');
  fs.writeFile('/etc/hostname', encoder.encode('pagewalk\n'), false);
  fs.writeFile('/etc/passwd', encoder.encode('root:x:0:0:root:/root:/bin/sh\n'), false);
  fs.writeFile(
    '/etc/os-release',
    encoder.encode('NAME="Pagewalk"\nID=pagewalk\nPRETTY_NAME="Pagewalk"\n'),
    false,
  );
}

export function createSession({
  machine,
  host,
  headers,
  manual,
  seed,
  paced,
  extra,
}: SessionOptions): Session {
  const clock = new VirtualClock(machine, paced);
  const commands: CommandTable = new Map();
  const root = new MemFs(() => clock.dateMs);
  rootFolders(root);
  const fs = new Vfs();
  fs.mount('/', root, 'rootfs');
  const kernelFs = (prefix: string, own: Filesystem) =>
    machine.kernelFiles ? new KernelFs(machine.kernelFiles, prefix, own) : own;
  fs.mount('/proc', kernelFs('/proc', new MachineFs(machine, '/proc')), 'proc');
  fs.mount('/sys', kernelFs('/sys', new MachineFs(machine, '/sys')), 'sysfs');
  fs.mount('/dev', kernelFs('/dev', new DeviceFs(devices(machine, seed))), 'devtmpfs');
  fs.mount(
    '/bin',
    new NamesFs(
      () => commands.keys(),
      (name) => `#!builtin ${name}\n`,
    ),
    'binfs',
  );
  if (host) fs.mount('/host', host, 'hostfs');
  if (manual) fs.mount('/usr/share/man', new ReadOnlyFs(manual), 'hostfs');
  if (headers) fs.mount(`/lib/modules/${RELEASE}/build/include`, new ReadOnlyFs(headers), 'hostfs');

  const sets: CommandSet[] = [
    textTools,
    grepTools,
    fileTools(clock),
    dumpTools,
    runTools,
    timeTools(clock),
    memoryTools(clock),
    taskTools(machine, clock),
    kmodTools(machine),
    systemTools(machine, clock),
    extra ?? {},
  ];
  for (const set of sets) {
    for (const [name, [run, summary, usage]] of Object.entries(set))
      commands.set(name, { run, summary, usage });
  }
  commands.set('awk', {
    run: awk,
    summary: 'programs that match and change lines',
    usage: "usage: awk [-F FS] [-v NAME=VALUE] 'PROGRAM' [FILE]...",
  });
  commands.set('sed', { run: sed, summary: 'edit a stream of lines' });
  commands.set('man', {
    run: man(commands),
    summary: 'manual pages of kernel functions and commands',
    usage: 'usage: man [SECTION] NAME...  or  man -k WORD',
  });
  commands.set('which', { run: which(commands), summary: 'where a command is' });
  commands.set('help', { run: help(commands), summary: 'this list' });
  return {
    fs,
    commands,
    jobs: [],
    nextPid: 80,
    clock,
    isTask: (pid) => machine.tasks().some((task) => task.pid === pid),
    pause: () => new Promise((resolve) => setTimeout(resolve, 0)),
    now: () => performance.now(),
  };
}

const which =
  (commands: CommandTable): Command =>
  async (context) => {
    let status = 0;
    for (const name of context.args) {
      if (commands.has(name)) await context.out(`/bin/${name}\n`);
      else status = 1;
    }
    return status;
  };

const help =
  (commands: CommandTable): Command =>
  async (context) => {
    const name = context.args[0];
    if (name !== undefined) {
      const entry = commands.get(name);
      if (!entry) return context.fail(`no help on '${name}'; 'help' lists what there is`);
      await context.out(`${name}: ${entry.summary}\n${entry.usage ? `${entry.usage}\n` : ''}`);
      return 0;
    }
    await context.out(
      'Kernel modules: make, insmod FILE.ko, rmmod NAME, lsmod, modinfo FILE.ko, modprobe NAME, dmesg\n',
    );
    await context.out('Memory: cat /proc/meminfo, /proc/buddyinfo, /proc/slabinfo; free; slabtop -o\n');
    await context.out('First steps: man intro; a kernel function: man kmalloc; by word: man -k memory\n');
    await context.out("Your own files are in /host; 'exit' or Ctrl-D ends the shell.\n\n");
    for (const [key, entry] of [...commands].sort(([a], [b]) => (a < b ? -1 : 1)))
      await context.out(`  ${key.padEnd(12)} ${entry.summary}\n`);
    await context.out(`\nBuilt into the shell: ${[...builtins.keys()].sort().join(' ')}\n`);
    return 0;
  };
