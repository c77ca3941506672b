// SPDX-License-Identifier: MIT
/** What the definitions of events share. */

import type { Env } from '../../lib/env.js';
import {
  contextOf,
  type PointerText,
  type RecordSchema,
  type TraceFields,
  Tracepoint,
} from '../tracepoint.js';

/** %px. */
export const bareAddress: PointerText = (address) => {
  const hi = Math.floor(address / 4294967296) >>> 0;
  return hi.toString(16).padStart(8, '0') + (address >>> 0).toString(16).padStart(8, '0');
};

export interface EventTools {
  /** Defines an event. */
  event<F extends TraceFields>(
    name: string,
    fields: readonly string[],
    print: string,
    text: (f: F, pointer: PointerText) => string,
    more?: RecordSchema<F>['more'],
  ): Tracepoint<F>;
  /** %ps: a function's name. */
  fn(address: number): string;
}

export function eventTools(env: Env): EventTools {
  const context = contextOf(env);
  return {
    event: (name, fields, print, text, more) =>
      new Tracepoint(name, context, (f, pointer = bareAddress) => text(f, pointer), {
        fields,
        print,
        ...(more && { more }),
      }),
    fn: (address) => env.reports.symbolize(address).replace(/\+0x[0-9a-f]+\/0x[0-9a-f]+/, ''),
  };
}
