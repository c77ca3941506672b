// SPDX-License-Identifier: MIT
/**
 * A process that runs cases of spoilt memory one after the other: `node cases.mjs JOB.json`. Prints a line of JSON for
 * each. A call that does not come back is shown with its stack by a second thread, which then ends the process.
 */

import { readFileSync, writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Random, spoil } from './spoil.mjs';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { Machine } = await import(job.kernel);
const modules = Object.fromEntries(
  Object.entries(job.modules).map(([name, file]) => [name, new Uint8Array(readFileSync(file))]),
);
const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);

// ------------------------------------------------------------------------------------------------
// The watch: [0] counts calls, [1] is 1 while one is under way.

const state = new Int32Array(new SharedArrayBuffer(8));
const WATCH = `
const { workerData } = require('node:worker_threads');
const { writeSync } = require('node:fs');
const { Session } = require('node:inspector');
const { state, limitMs } = workerData;
let seen = -1, since = 0, paused = false;
setInterval(() => {
  const now = Date.now();
  if (state[0] !== seen || state[1] === 0) { seen = state[0]; since = now; return; }
  if (paused || now - since < limitMs) return;
  paused = true;
  const session = new Session();
  session.connectToMainThread();
  const end = (stack) => {
    writeSync(1, JSON.stringify({ hang: true, stack }) + '\\n');
    process.kill(process.pid, 'SIGKILL');
  };
  const files = new Map();
  session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url.replace(/.*\\/dist\\//, '')));
  session.on('Debugger.paused', ({ params }) =>
    end(params.callFrames.slice(0, 20).map(({ functionName, location: l }) =>
      '    at ' + functionName + ' (' + files.get(l.scriptId) + ':' + (l.lineNumber + 1) + ')')));
  session.post('Debugger.enable');
  session.post('Debugger.pause');
  setTimeout(() => end(['    no stack: the engine does not pause']), 3000);
}, 50);
`;
new Worker(WATCH, { eval: true, workerData: { state, limitMs: job.limitMs } }).unref();

/** Makes one call into the machine under the watch. */
function watched(call) {
  state[0]++;
  state[1] = 1;
  try {
    return call();
  } finally {
    state[1] = 0;
  }
}

let slowest = 0;
/** The machine, with each of its methods under the watch. */
const watchedMachine = (machine) =>
  new Proxy(machine, {
    get(target, name) {
      const value = target[name];
      if (typeof value !== 'function') return value;
      return (...args) => {
        const start = performance.now();
        const result = watched(() => value.apply(target, args));
        slowest = Math.max(slowest, Math.round(performance.now() - start));
        return result;
      };
    },
  });

// ------------------------------------------------------------------------------------------------
// What is done with a machine whose memory is spoilt

const O_RDWR = 2;

function readAllProc(machine, folder = '/proc') {
  for (const name of machine.listProc(folder) ?? []) {
    const path = `${folder}/${name}`;
    if (name.endsWith('/')) readAllProc(machine, path.slice(0, -1));
    else machine.readProc(path);
  }
}

/** Reads some of the files in a folder, and below it. */
function readFiles(machine, random, folder, depth = 6) {
  const names = machine.readdir(folder);
  if (typeof names === 'number') return;
  for (const name of names) {
    if (names.length > 8 && random.below(names.length) > 8) continue;
    const path = `${folder}/${name}`;
    const stat = machine.stat(path);
    if (typeof stat === 'number') continue;
    if ((stat.mode & 0o170000) === 0o040000) {
      if (depth > 0) readFiles(machine, random, path, depth - 1);
    } else if ((stat.mode & 0o170000) === 0o100000) {
      const { status } = machine.open(path);
      if (status < 0) continue;
      machine.read(status, 4096);
      machine.close(status);
    }
  }
}

function useDevice(machine) {
  const { status: fd } = machine.open('/dev/resident', O_RDWR);
  machine.write(fd, new TextEncoder().encode('hello'));
  machine.lseek(fd, 0);
  machine.read(fd, 100);
  machine.poll(fd);
  machine.ioctl(fd, 1);
  machine.close(fd);
}

/** The same machine, loaded from its own file; itself if it cannot be saved. */
function saveAndLoad(machine) {
  try {
    return watchedMachine(watched(() => Machine.load(machine.save())));
  } catch (error) {
    if (error.name !== 'SnapshotError') throw error;
    return machine;
  }
}

const CALLS = {
  burst: (machine, random) => void machine.insmod(modules.burst, `seed=${1 + random.below(1e6)}`),
  'rmmod burst': (machine) => void machine.rmmod('burst'),
  'rmmod resident': (machine) => void machine.rmmod('resident'),
  resident: (machine) => void machine.insmod(modules.resident),
  sleep: (machine, random) => machine.sleep(1e6 * (1 + random.below(100))),
  proc: (machine) => readAllProc(machine),
  sys: (machine, random) => readFiles(machine, random, '/sys'),
  'proc files': (machine, random) => readFiles(machine, random, '/proc'),
  device: (machine) => useDevice(machine),
  irq: (machine) => machine.raiseIrq(5),
  lists: (machine) => void [machine.tasks(), machine.modules(), machine.dmesg()],
  save: (machine) => saveAndLoad(machine),
};
const NAMES = Object.keys(CALLS);
const CALLS_A_CASE = 10;

function runCase(seed, base) {
  const random = new Random(seed);
  let machine = watchedMachine(Machine.at(base));
  slowest = 0;
  const result = { seed, end: 'lives', slowest: 0, call: '' };
  const make = (name, call) => {
    result.call = name;
    say({ seed, call: name });
    const other = call();
    if (slowest > result.slowest) Object.assign(result, { slowest, slowestCall: name });
    return other ?? machine;
  };
  const words = spoil(machine, random);
  try {
    make('vandal', () => void machine.insmod(modules.vandal, words));
    for (let i = 0; i < CALLS_A_CASE; i++) {
      const name = random.pick(NAMES);
      machine = make(name, () => CALLS[name](machine, random));
    }
    machine = make('lists', () => CALLS.lists(machine));
  } catch (error) {
    return { ...result, end: 'escaped', error: String(error), stack: stackOf(error), words };
  }
  const { internalError } = machine.kernel.oops;
  if (internalError !== undefined)
    return { ...result, end: 'internal', error: String(internalError), stack: stackOf(internalError), words };
  const panic = machine.dmesg().find(({ text }) => text.startsWith('Kernel panic'));
  if (machine.kernel.panicked)
    Object.assign(result, { end: 'panics', error: panic?.text ?? 'no word in the log' });
  else if (machine.dmesg().some(({ text }) => text.includes('---[ end trace'))) result.end = 'oopses';
  return result;
}

const stackOf = (error) =>
  String(error?.stack ?? '')
    .split('\n')
    .filter((line) => line.startsWith('    at '))
    .slice(0, 14)
    .map((line) => line.replace(/file:.*\/dist\//, ''));

const first = new Machine({ memory: job.memory, cpus: job.cpus, commandLine: job.commandLine ?? '' });
const { status } = first.insmod(modules.resident);
if (status !== 0) throw new Error(`resident.ko cannot be loaded: ${JSON.stringify(first.dmesg())}`);
first.sleep(20e6);
const base = first.checkpoint();
for (let seed = job.first; seed < job.first + job.count; seed++) say(runCase(seed, base));
say({ done: true });
process.exit(0);
