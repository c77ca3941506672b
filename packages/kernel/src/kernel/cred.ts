// SPDX-License-Identifier: MIT
/** `struct cred`: who a task is. */

import { kgid, kuid, named } from '../lib/c_types.js';
import { addr, array, int, ptr, struct, u64, uint } from '../lib/struct.js';

const capabilities = named(u64, 'kernel_cap_t');

/** All capabilities, CAP_CHOWN (0) to CAP_CHECKPOINT_RESTORE (40). */
export const CAP_FULL_SET = 2 ** 41 - 1;

export const Cred = struct('cred', {
  usage: named(int, 'atomic_t'),
  uid: kuid,
  gid: kgid,
  suid: kuid,
  sgid: kgid,
  euid: kuid,
  egid: kgid,
  fsuid: kuid,
  fsgid: kgid,
  securebits: uint,
  cap_inheritable: capabilities,
  cap_permitted: capabilities,
  cap_effective: capabilities,
  cap_bset: capabilities,
  cap_ambient: capabilities,
  user: ptr('struct user_struct'),
  user_ns: addr('struct user_namespace'),
  group_info: addr('struct group_info'),
  rcu: array(addr(), 2),
});
