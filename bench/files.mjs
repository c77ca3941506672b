// SPDX-License-Identifier: MIT
/**
 * System calls on files, as the shell's commands make them, against the host's: the same calls through node:fs on
 * files in memory (/dev/shm). What moves bytes is also compared with a copy of the same bytes between arrays.
 */

import fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { boot } from '../packages/kernel/dist/index.js';
import { formatTable, interleave, number, time } from './measure.mjs';

const KIB = 1024;
const FILE_BYTES = 4 * 2 ** 20;
const DEEP = 'a/b/c/d/e/f';
const ENTRIES = 1000;
const O_RDWR = 2;
const O_CREAT = 0o100;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const GOAL_US = { stat1: 15, read4: 30 };
const GOAL_COPY = { read128: 3, write128: 3 };

/** Fails where a call of the machine's did. */
function must(result) {
  if (result.status < 0 || result.panicked) throw new Error(`a system call failed: ${result.status}`);
  return result;
}

/** The machine's calls; paths begin at its root. */
function machineCalls() {
  const machine = boot({ memory: 64 * 2 ** 20 });
  const p = machine.files.process('sh', true);
  const at = (path) => `/${path}`;
  return {
    mkdir: (path) => must(p.mkdir(at(path))),
    stat: (path) => must(p.stat(at(path))),
    lstat: (path) => must(p.lstat(at(path))),
    open: (path) => must(p.open(at(path), O_RDWR | O_CREAT)).status,
    openOld: (path) => must(p.open(at(path))).status,
    close: (fd) => must(p.close(fd)),
    rewind: (fd) => must(p.lseek(fd, 0)),
    read: (fd, buffer) => must(p.read(fd, buffer.length)),
    write: (fd, buffer) => must(p.write(fd, buffer)),
    unlink: (path) => must(p.unlink(at(path))),
    readdir: (path) =>
      must(p.readdir(at(path))).told.map(({ name, type }) => ({ name, isFolder: type === S_IFDIR >> 12 })),
    readText(path) {
      const fd = must(p.open(at(path))).status;
      const { bytes } = must(p.read(fd, 64 * KIB));
      must(p.close(fd));
      return bytes;
    },
    isFolder: (path) => (must(p.lstat(at(path))).told.mode & S_IFMT) === S_IFDIR,
  };
}

/** The host's calls; paths begin at the current folder, but for those of its own /proc. */
function hostCalls() {
  let position = 0;
  return {
    mkdir: (path) => fs.mkdirSync(path),
    stat: (path) => fs.statSync(path),
    lstat: (path) => fs.lstatSync(path),
    open: (path) => fs.openSync(path, O_RDWR | O_CREAT),
    openOld: (path) => fs.openSync(path),
    close: (fd) => fs.closeSync(fd),
    rewind() {
      position = 0;
    },
    read(fd, buffer) {
      position += fs.readSync(fd, buffer, 0, buffer.length, position);
    },
    write(fd, buffer) {
      position += fs.writeSync(fd, buffer, 0, buffer.length, position);
    },
    unlink: (path) => fs.unlinkSync(path),
    readdir: (path) =>
      fs
        .readdirSync(path, { withFileTypes: true })
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() })),
    readText(path) {
      const fd = fs.openSync(`/${path}`);
      const buffer = Buffer.alloc(64 * KIB);
      const bytes = buffer.subarray(0, fs.readSync(fd, buffer, 0, buffer.length, 0));
      fs.closeSync(fd);
      return bytes;
    },
  };
}

/** The files that the calls are made on. */
function prepare(calls) {
  let path = '';
  for (const name of DEEP.split('/').slice(0, -1)) {
    path += path === '' ? name : `/${name}`;
    calls.mkdir(path);
  }
  for (const file of ['file', DEEP]) calls.close(calls.open(file));
  calls.mkdir('many');
  for (let i = 0; i < ENTRIES; i++) calls.close(calls.open(`many/entry-${i}`));
  const fd = calls.open('data');
  const block = Uint8Array.from({ length: 64 * KIB }, (_, i) => i * 7);
  for (let done = 0; done < FILE_BYTES; done += block.length) calls.write(fd, block);
  return fd;
}

/** All paths below a folder, those of folders with a slash at the end. */
function walk(calls, folder, found = []) {
  for (const { name, isFolder } of calls.readdir(folder)) {
    const path = `${folder}/${name}`;
    calls.lstat(path);
    found.push(isFolder ? `${path}/` : path);
    if (isFolder) walk(calls, path, found);
  }
  return found;
}

/** Name → how often it is done in a run, and what is done. */
function operations(calls, fd) {
  const small = new Uint8Array(4 * KIB).fill(1);
  const large = new Uint8Array(128 * KIB).fill(2);
  const through = (bytes, move) => ({
    times: FILE_BYTES / bytes.length,
    before: () => calls.rewind(fd),
    once: () => move(fd, bytes),
  });
  return {
    stat1: { times: 500, once: () => calls.stat('file') },
    stat6: { times: 300, once: () => calls.stat(DEEP) },
    open: { times: 200, once: () => calls.close(calls.openOld('file')) },
    read4: through(small, calls.read),
    read128: through(large, calls.read),
    write4: through(small, calls.write),
    write128: through(large, calls.write),
    create: {
      times: 200,
      once() {
        calls.close(calls.open('new'));
        calls.unlink('new');
      },
    },
    readdir: { times: 5, once: () => calls.readdir('many') },
    meminfo: { times: 100, once: () => calls.readText('proc/meminfo') },
    sys: { times: 1, once: () => walk(calls, 'sys') },
  };
}

/** The same bytes from array to array. */
function copies() {
  const file = new Uint8Array(FILE_BYTES).fill(3);
  const copy = (size) => {
    const buffer = new Uint8Array(size);
    let at = 0;
    return {
      times: FILE_BYTES / size,
      before() {
        at = 0;
      },
      once() {
        buffer.set(file.subarray(at, at + size));
        at += size;
      },
    };
  };
  return { copy4: copy(4 * KIB), copy128: copy(128 * KIB) };
}

const timed =
  ({ times, before, once }) =>
  () =>
    time(() => {
      before?.();
      for (let i = 0; i < times; i++) once();
    }) / times;

/** Makes files and folders of the same names as the machine's. */
function mirror(calls, paths) {
  calls.mkdir('sys');
  for (const path of paths)
    if (path.endsWith('/')) calls.mkdir(path.slice(0, -1));
    else calls.close(calls.open(path));
}

/** @param quick a smoke run */
export async function run({ quick }) {
  const memory = fs.existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
  const folder = fs.mkdtempSync(join(memory, 'pagewalk-bench-'));
  const before = process.cwd();
  process.chdir(folder);
  try {
    const machine = machineCalls();
    const host = hostCalls();
    const variants = {};
    const sys = walk(machine, 'sys');
    mirror(host, sys);
    for (const [who, calls] of Object.entries({ machine, host }))
      for (const [name, operation] of Object.entries(operations(calls, prepare(calls))))
        variants[`${who}.${name}`] = timed(operation);
    for (const [name, operation] of Object.entries(copies())) variants[name] = timed(operation);
    if (!fs.existsSync('/proc/meminfo')) delete variants['host.meminfo'];
    const ns = await interleave(variants, quick ? { rounds: 1, warmUp: 0 } : { rounds: 21, warmUp: 5 });
    return { ns, sysFiles: sys.length, peer: memory };
  } finally {
    process.chdir(before);
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

const ROWS = [
  ['stat1', 'stat of a path of 1 name'],
  ['stat6', 'stat of a path of 6 names'],
  ['open', 'open, close'],
  ['read4', 'read of 4 KiB', 'copy4'],
  ['read128', 'read of 128 KiB', 'copy128'],
  ['write4', 'write of 4 KiB', 'copy4'],
  ['write128', 'write of 128 KiB', 'copy128'],
  ['create', 'create, close, unlink'],
  ['readdir', `readdir of ${ENTRIES} entries`],
  ['meminfo', 'open, read, close of /proc/meminfo'],
  ['sys', 'readdir and lstat of all below /sys'],
];

const verdict = (value, limit, unit) => `≤ ${limit}${unit}: ${value <= limit ? 'met' : 'missed'}`;

export function format({ ns, sysFiles, peer }) {
  const rows = ROWS.map(([name, label, copy]) => {
    const own = ns[`machine.${name}`];
    const host = ns[`host.${name}`];
    const goals = [];
    if (GOAL_US[name]) goals.push(verdict(own / 1000, GOAL_US[name], ' µs'));
    if (GOAL_COPY[name]) goals.push(verdict(own / ns[copy], GOAL_COPY[name], ' copies'));
    return [
      label,
      number(own / 1000),
      host === undefined ? '' : number(host / 1000),
      host === undefined ? '' : number(own / host),
      copy ? number(own / ns[copy]) : '',
      goals.join(', '),
    ];
  });
  return [
    `System calls on files; the host's are node:fs on ${peer}; ${sysFiles} files below /sys`,
    formatTable(['', 'µs', 'host, µs', '/ host', '/ copy', 'goal'], rows),
  ].join('\n');
}
