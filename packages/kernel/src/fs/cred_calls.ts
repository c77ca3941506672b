// SPDX-License-Identifier: MIT
/** System calls that say who a task is: what its files belong to, and what it may open, depends on it. */

import { Cred } from '../kernel/cred.js';
import { TaskStruct } from '../kernel/sched.js';
import { EINVAL, ENOMEM, EPERM } from '../lib/errno.js';
import type { Handle } from '../machine/layout.js';
import type { FileCalls } from './file_calls.js';

/** Capabilities. */
const CAP_SETGID = 6;
const CAP_SETUID = 7;
/** An ID that nobody has. */
const INVALID_ID = 0xffffffff;

type Ids = ReturnType<typeof Cred.at>;

/** Registers the system calls. */
export function credCalls(calls: FileCalls): void {
  const { deps } = calls;
  const credOf = (task: Handle): Handle => TaskStruct.at(deps.ram, task).cred;
  const has = (cred: Ids, cap: number) => Math.floor(cred.cap_effective / 2 ** cap) % 2 === 1;

  /** A copy of a cred that its caller is about to change; 0 if there is no memory. @linux kernel/cred.c:prepare_creds full */
  const prepare = (old: Handle): Handle => {
    const { ram } = deps;
    const address = deps.kmalloc(Cred.size);
    if (address === 0) return 0;
    const cred = ram.handleOf(address);
    ram.u8.copyWithin(cred * 4, old * 4, old * 4 + Cred.size);
    Cred.at(ram, cred).usage = 0;
    return cred;
  };
  /** @linux kernel/cred.c:commit_creds partial: nobody is told */
  const commit = (task: Handle, cred: Handle): void => {
    const { ram } = deps;
    const t = TaskStruct.at(ram, task);
    const old = [t.cred, t.real_cred];
    t.cred = cred;
    t.real_cred = cred;
    Cred.at(ram, cred).usage = 2;
    for (const held of old) if (--Cred.at(ram, held).usage === 0) deps.kfree(ram.addressOf(held));
  };
  const change = (body: (now: Ids, old: Ids) => number): number => {
    const old = credOf(calls.task);
    const cred = prepare(old);
    if (cred === 0) return -ENOMEM;
    const error = body(Cred.at(deps.ram, cred), Cred.at(deps.ram, old));
    if (error === 0) commit(calls.task, cred);
    else deps.kfree(deps.ram.addressOf(cred));
    return error;
  };

  /** @linux kernel/sys.c:__sys_setuid full */
  const setuid = (uid: number): number =>
    change((now, old) => {
      if (has(old, CAP_SETUID)) {
        now.uid = uid;
        now.suid = uid;
      } else if (uid !== old.uid && uid !== old.suid) return -EPERM;
      now.euid = uid;
      now.fsuid = uid;
      dropCapabilities(now, old);
      return 0;
    });
  /** @linux kernel/sys.c:__sys_setgid full */
  const setgid = (gid: number): number =>
    change((now, old) => {
      if (has(old, CAP_SETGID)) {
        now.gid = gid;
        now.sgid = gid;
      } else if (gid !== old.gid && gid !== old.sgid) return -EPERM;
      now.egid = gid;
      now.fsgid = gid;
      return 0;
    });
  const isId = (id: number) => Number.isInteger(id) && id >= 0 && id < INVALID_ID;
  calls.add('setuid', (call, { argument = 0 }) =>
    calls.done(call, isId(argument) ? setuid(argument) : -EINVAL),
  );
  calls.add('setgid', (call, { argument = 0 }) =>
    calls.done(call, isId(argument) ? setgid(argument) : -EINVAL),
  );
}

/** Who is not root any more has no capabilities. @linux security/commoncap.c:cap_emulate_setxuid partial: no securebits */
function dropCapabilities(now: Ids, old: Ids): void {
  const wasRoot = [old.uid, old.euid, old.suid].includes(0);
  const isRoot = [now.uid, now.euid, now.suid].includes(0);
  if (wasRoot && !isRoot) {
    now.cap_permitted = 0;
    now.cap_effective = 0;
    now.cap_ambient = 0;
  }
  if (old.euid === 0 && now.euid !== 0) now.cap_effective = 0;
  if (old.euid !== 0 && now.euid === 0) now.cap_effective = now.cap_permitted;
}
