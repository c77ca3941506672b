// SPDX-License-Identifier: MIT
/** The tree of files: random operations against a model of it, and against the Linux below the tests. */

import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Machine } from '@pagewalk/kernel/machine';
import { expect, test } from 'vitest';
import { brokenInvariants, memoryLost, memoryOf } from '../support/memory.js';
import { boot } from '../support/modules.js';
import { checkRebuild } from '../support/rebuild.js';
import { Model, type Op } from './vfs_model.js';
import { BASE, Chooser, HostSubject, KernelSubject, type Subject } from './vfs_ops.js';

const SEED = Number(process.env.VFS_SEED ?? 1);
const RUNS = Number(process.env.VFS_RUNS ?? 4);
const STEPS = Number(process.env.VFS_STEPS ?? 120);

/** Operations that change nothing. */
const LOOKS = new Set(['read', 'fstat', 'close', 'stat', 'lstat', 'readlink', 'readdir', 'access']);

const show = (op: Op) =>
  JSON.stringify(op, (_, v) =>
    typeof v === 'string' && v.length > 300 ? `${v.slice(0, 20)}…(${v.length})` : v,
  );

/** Does the same with all subjects; the first is right. */
function compare(seed: number, model: Model, subjects: { [name: string]: Subject }, likeHost: boolean): void {
  const chooser = new Chooser(seed, likeHost);
  const history: string[] = [];
  let slot = 0;
  for (let step = 0; step < STEPS; step++) {
    const op = chooser.op(model.slots);
    if (model.leaves(op)) continue;
    slot++;
    history.push(show(op));
    const expected = model.run(op, slot);
    const tree = LOOKS.has(op.op) ? undefined : model.tree();
    for (const [name, subject] of Object.entries(subjects)) {
      const where = `${name}, seed ${seed}, step ${step}:\n${history.slice(-8).join('\n')}`;
      expect(subject.run(op, slot), where).toEqual(expected);
      if (tree) expect(subject.tree(), where).toEqual(tree);
    }
  }
}

/** A machine with an empty file system of a type at /t. */
function machineWith(type: string): Machine {
  const machine = boot();
  const process = machine.files.process('setup', true);
  expect(process.mkdir('/t').status).toBe(0);
  if (type !== 'rootfs') expect(process.mount('none', '/t', type).status).toBe(0);
  process.exit();
  return machine;
}

test.each(['rootfs', 'ramfs', 'tmpfs'])('%s does what the model does', (type) => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const machine = machineWith(type);
    const once = new KernelSubject(machine.files.process('test', true), '/t');
    once.clear();
    once.process.exit();
    const before = memoryOf(machine);
    const kernel = new KernelSubject(machine.files.process('test', true), '/t');
    const model = new Model(BASE);
    compare(seed, model, { kernel }, false);
    for (const line of model.tree()) {
      const [path, kind] = line.split('|');
      const above = BASE.slice(1).map((name) => `/${name}`);
      const inBase = path.startsWith(above.join(''));
      if (kind === 'folder' && inBase && path !== above.join('')) {
        const inner = path.slice(above.join('').length + 1);
        expect(kernel.folderLinks(inner), `names of ${inner}, seed ${seed}`).toBe(model.folderLinks(inner));
      }
    }
    checkRebuild(machine);
    kernel.clear();
    kernel.process.exit();
    expect(memoryLost(machine, before), `seed ${seed}`).toEqual([]);
    expect(brokenInvariants(machine)).toEqual([]);
    checkRebuild(machine);
  }
});

const isLinux = process.platform === 'linux';
if (!isLinux) console.warn('SKIPPED: the comparison of files with the real Linux, on this host that is none');

test.skipIf(!isLinux)('the Linux of the host does what the model does', () => {
  for (let seed = SEED; seed < SEED + RUNS; seed++) {
    const real = new HostSubject(mkdtempSync(`${tmpdir()}/pagewalk-vfs-`));
    const machine = machineWith('ramfs');
    const kernel = new KernelSubject(machine.files.process('test', true), '/t');
    kernel.process.umask(process.umask());
    try {
      compare(seed, new Model(BASE, process.umask()), { host: real, kernel }, true);
    } finally {
      real.clear();
    }
  }
});
