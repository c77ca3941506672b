// SPDX-License-Identifier: MIT
/** `dynamic_debug/control`, in debugfs and in /proc: every pr_debug() call, and queries that switch them. */

import type { TextProvider } from '../../fs/text_files.js';
import { E2BIG } from '../../lib/errno.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { DynamicDebug } from './dynamic_debug.js';

const PARENTS = ['/sys/kernel/debug', '/proc'];
const FOLDER = 'dynamic_debug';
const FILE = 'control';
const MODE = 0o644;
/** Bytes of queries at once. */
const QUERY_MAX = 4096;

const isControl = (path: string) => PARENTS.some((parent) => path === `${parent}/${FOLDER}/${FILE}`);

/** @linux lib/dynamic_debug.c:dynamic_debug_init_control full */
export function dynamicDebugControl(debug: DynamicDebug): TextProvider {
  return {
    mode: (path) => (isControl(path) ? MODE : undefined),
    list: (path) => {
      if (PARENTS.includes(path)) return [`${FOLDER}/`];
      return PARENTS.some((parent) => path === `${parent}/${FOLDER}`) ? [FILE] : undefined;
    },
    read: (path) => (isControl(path) ? encodeUtf8(debug.show()) : undefined),
    write: (_path, bytes) => {
      if (bytes.length > QUERY_MAX) return -E2BIG;
      return Math.min(debug.exec(decodeUtf8(bytes)), 0);
    },
  };
}
