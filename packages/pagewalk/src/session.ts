// SPDX-License-Identifier: MIT
/** A machine with a file tree and commands: what a shell works in. */

import type { HostFolder } from '@pagewalk/kernel/fs/hostfs/hostfs';
import { MS_RDONLY } from '@pagewalk/kernel/fs/namespace';
import { VirtualClock } from './clock.js';
import { namesFolder } from './fs/names_folder.js';
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
import { userTools } from './tools/users.js';

export interface SessionOptions {
  machine: Machine;
  /** What /host shows; without it there is no /host. */
  host?: HostFolder | undefined;
  /** The kernel headers, shown where modules are built. */
  headers?: HostFolder | undefined;
  /** The manual's pages, shown in /usr/share/man. */
  manual?: HostFolder | undefined;
  /** A virtual second takes a second: where a person watches. */
  paced?: boolean;
  /** More commands: `make`. */
  extra?: CommandSet;
}

/** Folders of the root that the kernel does not make. */
const FOLDERS = [
  'bin',
  'etc',
  'home',
  'lib',
  'lib/modules',
  `lib/modules/${RELEASE}`,
  `lib/modules/${RELEASE}/build`,
  `lib/modules/${RELEASE}/build/include`,
  'mnt',
  'root',
  'run',
  'tmp',
  'usr',
  'usr/share',
  'usr/share/man',
  'var',
];
const S_ISVTX = 0o1000;
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n';
const encoder = new TextEncoder();

/** Makes what init would: the root of a machine that has just booted. */
function rootFolders(fs: Vfs): void {
  for (const folder of FOLDERS) fs.mkdir(`/${folder}`);
  fs.chmod('/root', 0o700);
  fs.chmod('/tmp', S_ISVTX | 0o777);
  for (const link of ['/usr/bin', '/sbin', '/usr/sbin']) fs.symlink('/bin', link);
  for (const list of ['modules.order', 'modules.builtin'])
    fs.writeFile(`/lib/modules/${RELEASE}/${list}`, new Uint8Array(0));
  fs.symlink('/proc/mounts', '/etc/mtab');
  fs.writeFile('/etc/hostname', encoder.encode('pagewalk\n'));
  fs.writeFile('/etc/passwd', encoder.encode(PASSWD));
  fs.writeFile('/etc/group', encoder.encode('root:x:0:\nnogroup:x:65534:\n'));
  fs.writeFile('/etc/os-release', encoder.encode('NAME="Pagewalk"\nID=pagewalk\nPRETTY_NAME="Pagewalk"\n'));
}

/** Shows folders of the host, those that are there. A machine that was loaded has the mounts already. */
function mountFolders(
  fs: Vfs,
  machine: Machine,
  folders: readonly (readonly [point: string, device: string, folder: HostFolder | undefined])[],
): void {
  const mounted = new Set(fs.mountTable().map(({ point }) => point));
  for (const [point, device, folder] of folders) {
    if (folder === undefined) continue;
    machine.files.offer(device, folder);
    if (mounted.has(point)) continue;
    if (!fs.exists(point)) fs.mkdir(point);
    fs.mount(device, point, 'hostfs', folder.change ? 0 : MS_RDONLY);
  }
}

export function createSession({ machine, host, headers, manual, paced, extra }: SessionOptions): Session {
  const clock = new VirtualClock(machine, paced);
  const commands: CommandTable = new Map();
  const fs = new Vfs(machine.files, 'init');
  if (!fs.exists('/tmp')) rootFolders(fs);
  const names = namesFolder(
    () => commands.keys(),
    (name) => `#!builtin ${name}\n`,
    machine.bootTime(),
  );
  mountFolders(fs, machine, [
    ['/bin', 'bin', names],
    ['/host', 'host', host],
    ['/usr/share/man', 'man', manual],
    [`/lib/modules/${RELEASE}/build/include`, 'headers', headers],
  ]);
  fs.exit();

  const sets: CommandSet[] = [
    textTools,
    grepTools,
    fileTools(clock),
    dumpTools,
    runTools,
    userTools,
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
    clock,
    isTask: (pid) => machine.tasks().some((task) => task.pid === pid),
    killTask: (pid, signal) => void machine.kill?.(pid, signal),
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
