// SPDX-License-Identifier: MIT
/** poll() of several files, dup(), fcntl() and SIGIO. */

import { readFileSync } from 'node:fs';
import type { Process } from '@pagewalk/kernel/fs/process';
import type { Machine } from '@pagewalk/kernel/machine';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { type MemoryState, memoryLost, memoryOf } from '../support/memory.js';
import { boot, build, closeCompiler, moduleLog } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';

const [O_RDONLY, O_RDWR, O_CREAT, O_APPEND, O_NONBLOCK, O_ASYNC] = [0, 2, 0o100, 0o2000, 0o4000, 0o20000];
const [F_DUPFD, F_GETFL, F_SETFL, F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG] = [0, 3, 4, 8, 9, 10, 11];
const [POLLIN, POLLPRI, POLLNVAL, POLLRDNORM] = [1, 2, 0x20, 0x40];
const ESRCH = -3;
const EINTR = -4;
const EBADF = -9;
const EINVAL = -22;
const SIGIO = 29;

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined) => new TextDecoder().decode(data);

let ko: Uint8Array;
let machine: Machine;
let before: MemoryState;
let p: Process;
let other: Process;
let a: number;
let b: number;

beforeAll(async () => {
  ko = await build('events', readFileSync(new URL('events.c', import.meta.url), 'utf8'));
});
afterAll(closeCompiler);

beforeEach(() => {
  machine = boot();
  for (const round of [1, 2]) {
    expect(machine.insmod(ko)).toEqual({ status: 0 });
    p = machine.files.process('poller', true);
    other = machine.files.process('writer', true);
    p.mkdir('/t');
    a = p.open('/dev/event0', O_RDWR).status;
    b = p.open('/dev/event1', O_RDWR).status;
    expect([a, b]).toEqual([0, 1]);
    if (round === 2) break;
    p.close(p.open('/t/f', O_CREAT).status);
    p.unlink('/t/f');
    p.exit();
    expect(machine.rmmod('events')).toEqual({ status: 0 });
    before = memoryOf(machine);
  }
});

afterEach(() => {
  p.exit();
  other.exit();
  expect(machine.rmmod('events')).toEqual({ status: 0 });
  checkRebuild(machine);
  expect(memoryLost(machine, before)).toEqual([]);
});

/** Makes something happen at a device. */
function happen(device: number, what: string): void {
  const fd = other.open(`/dev/event${device}`, O_RDWR).status;
  expect(other.write(fd, bytes(what)).status).toBe(1);
  other.close(fd);
}
const both = (events = POLLIN) => [
  { fd: a, events },
  { fd: b, events },
];

test('what is ready now', () => {
  expect(p.pollAll(both(), 0)).toEqual({ status: 0, told: [0, 0] });
  happen(1, 'r');
  expect(p.pollAll(both(), 0)).toEqual({ status: 1, told: [0, POLLIN] });
  expect(p.pollAll(both(POLLIN | POLLRDNORM), -1)).toEqual({ status: 1, told: [0, POLLIN | POLLRDNORM] });
  expect(p.pollAll(both(POLLPRI), 0)).toEqual({ status: 0, told: [0, 0] });
  happen(0, 'p');
  expect(p.pollAll(both(POLLIN | POLLPRI), -1)).toEqual({ status: 2, told: [POLLPRI, POLLIN] });
  const fds = [{ fd: 77, events: POLLIN }, { fd: -1, events: POLLIN }, ...both()];
  expect(p.pollAll(fds, -1)).toEqual({ status: 2, told: [POLLNVAL, 0, 0, POLLIN] });
  // A file without a poll function is always ready.
  const file = p.open('/t/f', O_CREAT | O_RDWR).status;
  expect(p.pollAll([{ fd: file, events: POLLIN | POLLPRI }], -1)).toEqual({ status: 1, told: [POLLIN] });
  p.close(file);
  p.unlink('/t/f');
});

test('a timeout is as long as it says', () => {
  const start = machine.now;
  expect(p.pollAll(both(), 250)).toEqual({ status: 0, told: [0, 0] });
  const took = (machine.now - start) / 1e6;
  expect(took).toBeGreaterThanOrEqual(250);
  expect(took).toBeLessThan(255);
  expect(p.pollAll([], 100)).toEqual({ status: 0, told: [] });
  expect((machine.now - start) / 1e6).toBeGreaterThanOrEqual(350);
});

test('a sleeping poll is woken by what it waits for', () => {
  expect(p.pollAll(both())).toMatchObject({ blocked: true });
  happen(0, 'w');
  expect(p.waitPoll()).toMatchObject({ blocked: true });
  happen(0, 'p');
  expect(p.waitPoll()).toMatchObject({ blocked: true });
  happen(1, 'r');
  expect(p.waitPoll()).toEqual({ status: 1, told: [0, POLLIN] });
  // By a timer of the driver's, before the timeout.
  happen(0, '0');
  happen(1, '0');
  happen(0, 't');
  const start = machine.now;
  expect(p.pollAll(both(), 1000)).toEqual({ status: 1, told: [POLLIN, 0] });
  expect((machine.now - start) / 1e6).toBeLessThan(70);
});

test('a file that is closed elsewhere stays until the poll ends; a signal ends it', () => {
  expect(p.pollAll(both())).toMatchObject({ blocked: true });
  checkRebuild(machine);
  expect(p.interrupt().status).toBe(EINTR);
  expect(p.pollAll(both(), 0)).toEqual({ status: 0, told: [0, 0] });
  // Both readers of the log and those who poll for it hear of a record.
  const log = p.open('/dev/kmsg', O_NONBLOCK).status;
  p.lseek(log, 0, 2);
  expect(p.pollAll([{ fd: log, events: POLLIN }])).toMatchObject({ blocked: true });
  machine.kernel.printk.log(6, 'a record');
  expect(p.waitPoll()).toEqual({ status: 1, told: [POLLIN] });
  p.close(log);
});

test('a poll function that crashes takes its task along, and leaves nothing behind', () => {
  happen(1, 'x');
  expect(p.pollAll(both())).toMatchObject({ signal: 9 });
  expect(p.pid).toBe(0);
  happen(0, 'r');
  happen(1, 'r');
});

test('dup, dup2 and F_DUPFD share a file', () => {
  const fd = p.open('/t/f', O_CREAT | O_RDWR).status;
  const second = p.dup(fd).status;
  expect(second).toBe(fd + 1);
  expect(p.write(fd, bytes('one ')).status).toBe(4);
  expect(p.write(second, bytes('two')).status).toBe(3);
  expect(p.dup2(second, 9).status).toBe(9);
  expect(p.dup2(9, 9).status).toBe(9);
  expect(p.fcntl(fd, F_DUPFD, 5).status).toBe(5);
  p.lseek(9, 0);
  expect(text(p.read(5, 20).bytes)).toBe('one two');
  p.close(fd);
  p.close(second);
  p.lseek(5, 4);
  expect(text(p.read(9, 20).bytes)).toBe('two');
  // What was open there is closed, and its module let go.
  const device = p.open('/dev/event0', O_RDONLY).status;
  expect(p.dup2(9, device).status).toBe(device);
  p.close(device);
  for (const [call, error] of [
    [p.dup(200), EBADF],
    [p.dup2(200, 5), EBADF],
    [p.dup2(5, 256), EBADF],
    [p.dup2(5, -1), EBADF],
    [p.fcntl(5, F_DUPFD, -1), EINVAL],
    [p.fcntl(200, F_GETFL), EBADF],
    [p.fcntl(5, 4711), EINVAL],
  ] as const)
    expect(call.status).toBe(error);
  p.close(5);
  p.close(9);
  p.unlink('/t/f');
});

test('flags of an open file', () => {
  const fd = p.open('/t/f', O_CREAT | O_RDWR).status;
  expect(p.fcntl(fd, F_GETFL).status).toBe(O_RDWR);
  expect(p.write(fd, bytes('abc')).status).toBe(3);
  expect(p.fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK | O_CREAT).status).toBe(0);
  expect(p.fcntl(fd, F_GETFL).status).toBe(O_RDWR | O_APPEND | O_NONBLOCK);
  p.lseek(fd, 0);
  expect(p.write(fd, bytes('d')).status).toBe(1);
  expect(p.fstat(fd).told).toMatchObject({ size: 4 });
  expect(p.fcntl(fd, F_SETFL, 0).status).toBe(0);
  expect(p.fcntl(fd, F_GETFL).status).toBe(O_RDWR);
  p.close(fd);
  p.unlink('/t/f');
});

test('SIGIO to the owner', () => {
  const { signals } = machine.kernel.taskServices;
  const task = () => machine.kernel.tasks.all().find((t) => machine.kernel.tasks.commOf(t) === 'poller')!;
  expect(p.fcntl(a, F_GETOWN).status).toBe(0);
  expect(p.fcntl(a, F_SETOWN, 99999).status).toBe(ESRCH);
  expect(p.fcntl(a, F_SETOWN, p.pid).status).toBe(0);
  expect(p.fcntl(a, F_GETOWN).status).toBe(p.pid);
  expect(p.fcntl(a, F_SETSIG, 65).status).toBe(EINVAL);
  expect(p.fcntl(a, F_GETSIG).status).toBe(0);
  happen(0, 'r');
  expect(signals.pending(task())).toBe(false);
  expect(p.fcntl(a, F_SETFL, O_ASYNC).status).toBe(0);
  expect(p.fcntl(a, F_GETFL).status).toBe(O_RDWR | O_ASYNC);
  happen(1, 'r');
  expect(signals.pending(task())).toBe(false);
  happen(0, 'r');
  expect(signals.pending(task())).toBe(true);
  expect(moduleLog(machine)).toEqual([expect.stringContaining('fasync 0 on 1: 1, flag 1')]);
  expect(SIGIO).toBe(29);
  p.close(a);
  expect(moduleLog(machine).at(-1)).toContain('fasync -1 on 0: 1, flag 0');
});
