// SPDX-License-Identifier: MIT
/** The character devices that every machine has. */

import type { Machine } from '../machine.js';
import { FsError, type Sink, type Source } from './filesystem.js';
import type { Device } from './generated.js';

const CHUNK = 4096;
const discard = (): Sink => ({ write: async () => {} });

/** Pseudo-random bytes that the seed alone decides (mulberry32). */
function randomSource(seed: number): Source {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) & 0xff;
  };
  return { read: async () => Uint8Array.from({ length: CHUNK }, next) };
}

/** Records as /dev/kmsg gives them: `level,sequence,microseconds,-;text`. */
function kmsgSource(machine: Machine): Source {
  const lines = machine
    .dmesg()
    .map(({ level, ns, text }, index) => `${level},${index},${Math.floor(ns / 1000)},-;${text}\n`);
  let rest: Uint8Array | undefined = new TextEncoder().encode(lines.join(''));
  return {
    read: async () => {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
  };
}

export function devices(machine: Machine, seed: number): Map<string, Device> {
  const zeroes = (): Source => ({ read: async () => new Uint8Array(CHUNK) });
  const empty = (): Source => ({ read: async () => undefined });
  const full = (): Sink => ({
    write: async (bytes) => {
      if (bytes.length > 0) throw new FsError('ENOSPC', '/dev/full');
    },
  });
  const memory = (minor: number, read: () => Source, write: () => Sink): Device => ({
    major: 1,
    minor,
    mode: 0o666,
    read,
    write,
  });
  let randomStreams = 0;
  const random = () => randomSource(seed + 0x9e37 * ++randomStreams);
  return new Map<string, Device>([
    ['null', memory(3, empty, discard)],
    ['zero', memory(5, zeroes, discard)],
    ['full', memory(7, zeroes, full)],
    ['random', memory(8, random, discard)],
    ['urandom', memory(9, random, discard)],
    [
      'kmsg',
      { major: 1, minor: 11, mode: 0o644, read: () => kmsgSource(machine), write: () => kmsgSink(machine) },
    ],
  ]);
}

function kmsgSink(machine: Machine): Sink {
  return {
    write: async (bytes) => {
      if (!machine.writeKmsg) throw new FsError('EACCES', '/dev/kmsg');
      for (const line of new TextDecoder().decode(bytes).split('\n'))
        if (line !== '') machine.writeKmsg(line);
    },
  };
}
