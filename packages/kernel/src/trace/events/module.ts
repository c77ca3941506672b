// SPDX-License-Identifier: MIT
/** module:*, with Linux's fields and text. */

import type { Env } from '../../lib/env.js';
import type { Tracepoint } from '../tracepoint.js';
import { eventTools } from './support.js';

type RefcountEvent = { ip: number; refcnt: number; name: string };

/** Bits of the taints that a module brings. */
const TAINTS: { readonly [letter: string]: number } = {
  P: 1 << 0,
  F: 1 << 1,
  C: 1 << 10,
  O: 1 << 12,
  E: 1 << 13,
};
const TAINT_ORDER = ['P', 'O', 'F', 'C', 'E'];

const taintLetters = (mask: number): string => TAINT_ORDER.filter((t) => mask & TAINTS[t]).join('');

export class ModuleTrace {
  readonly load: Tracepoint<{ taints: number; name: string }>;
  readonly free: Tracepoint<{ name: string }>;
  readonly get: Tracepoint<RefcountEvent>;
  readonly put: Tracepoint<RefcountEvent>;

  constructor(env: Env) {
    const { event, fn } = eventTools(env);
    const refcount = (name: string) =>
      event<RefcountEvent>(
        `module:${name}`,
        ['unsigned long ip', 'int refcnt', '__data_loc char[] name'],
        '"%s call_site=%ps refcnt=%d", __get_str(name), (void *)REC->ip, REC->refcnt',
        (f) => `${f.name} call_site=${fn(f.ip)} refcnt=${f.refcnt}`,
      );
    this.load = event(
      'module:module_load',
      ['unsigned int taints', '__data_loc char[] name'],
      '"%s %s", __get_str(name), __print_flags(REC->taints, "", ' +
        `${TAINT_ORDER.map((t) => `{ (1UL << ${Math.log2(TAINTS[t])}), "${t}" }`).join(', ')})`,
      (f) => `${f.name} ${taintLetters(f.taints)}`,
    );
    this.free = event(
      'module:module_free',
      ['__data_loc char[] name'],
      '"%s", __get_str(name)',
      (f) => f.name,
    );
    this.get = refcount('module_get');
    this.put = refcount('module_put');
  }

  /** @param taints letters of the taints that it brought */
  loaded(name: string, taints: string): void {
    this.load.emit({ name, taints: [...taints].reduce((mask, letter) => mask | (TAINTS[letter] ?? 0), 0) });
  }
}
