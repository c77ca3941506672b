// SPDX-License-Identifier: MIT
/** Runs shell scripts in tests. */

import { FakeMachine } from './fake_machine.js';
import type { Machine } from './machine.js';
import { createSession } from './session.js';
import { Shell } from './shell/interpreter.js';
import type { Descriptor, Session } from './shell/state.js';
import { ByteBuffer, emptySource, Input, sourceOf } from './shell/stream.js';

export interface Result {
  stdout: string;
  stderr: string;
  status: number;
}

/** Runs a script in a session. */
export async function runIn(session: Session, script: string, stdin?: string): Promise<Result> {
  const stdout = new ByteBuffer();
  const stderr = new ByteBuffer();
  const input = new Input(stdin === undefined ? emptySource : sourceOf(new TextEncoder().encode(stdin)));
  const descriptors = new Map<number, Descriptor>([
    [0, input],
    [1, stdout],
    [2, stderr],
  ]);
  const shell = new Shell(session, descriptors, new AbortController().signal);
  shell.export('HOME', '/root');
  const status = await shell.subshell(() => shell.run(script));
  return { stdout: stdout.text(), stderr: stderr.text(), status };
}

export const runShell = (
  script: string,
  stdin?: string,
  machine: Machine = new FakeMachine(),
): Promise<Result> => runIn(createSession({ machine }), script, stdin);
