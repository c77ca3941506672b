// SPDX-License-Identifier: MIT
/** The last names of a path, from the dentry at its end: what %pd and %pD print. */

import { type GuestAccess, readBytes, readCString, readS64 } from '../lib/guest_access.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Vaddr } from '../machine/layout.js';
import { Dentry, File, Path, Qstr } from './fs_types.js';

const NAME_MAX = 255;
const SLASH = 0x2f;

/**
 * Up to so many names, with slashes between them; if that is all of the path, it begins with a slash.
 * @linux lib/vsprintf.c:dentry_name full
 */
export function dentryNames(mem: GuestAccess, dentry: Vaddr, depth: number): Uint8Array {
  const names: Uint8Array[] = [];
  for (let at = dentry; names.length < depth; ) {
    const parent = readS64(mem, at + Dentry.o.d_parent);
    const isRoot = parent === at;
    const name = readS64(mem, at + Dentry.o.d_name + Qstr.o.name);
    names.unshift(isRoot && names.length > 0 ? new Uint8Array() : readCString(mem, name, NAME_MAX));
    if (isRoot) break;
    at = parent;
  }
  return Uint8Array.from(names.flatMap((name, i) => (i === 0 ? [...name] : [SLASH, ...name])));
}

/** The same of an open file. */
export function fileNames(mem: GuestAccess, file: Vaddr, depth: number): Uint8Array {
  readBytes(mem, file, 1);
  const dentry = readS64(mem, file + File.o.f_path + Path.o.dentry);
  return dentry === 0 ? encodeUtf8('(null)') : dentryNames(mem, dentry, depth);
}
