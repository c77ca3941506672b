// SPDX-License-Identifier: MIT
/**
 * A process of its own for one part of a run: `node process.mjs JOB.json`. The job names the machine's options or a
 * saved machine, the steps, the modules' files, and where to save the machine. Prints what `replay` gives.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { replay } from './replay.mjs';

const job = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const { Machine } = await import(job.kernel);
const modules = Object.fromEntries(
  Object.entries(job.modules).map(([name, file]) => [name, new Uint8Array(readFileSync(file))]),
);
const decompress = (bytes, size) => inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) });
const machine = job.load
  ? Machine.load(new Uint8Array(readFileSync(job.load)), { decompress })
  : new Machine(job.options);
const result = replay(machine, job.steps, modules);
if (job.save) writeFileSync(job.save, machine.save({ compress: deflateRawSync }));
process.stdout.write(JSON.stringify(result));
