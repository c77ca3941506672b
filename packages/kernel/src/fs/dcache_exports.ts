// SPDX-License-Identifier: MIT
/** Dentries as C works with them: `linux/dcache.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { ENAMETOOLONG, ENOMEM, ESTALE } from '../lib/errno.js';
import { readCString, readS64, readUnsigned } from '../lib/guest_access.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CPointers } from './c_pointers.js';
import { type Dcache, NAME_MAX, nameHash } from './dcache.js';
import type { FsDeps } from './fs_context.js';
import { Qstr } from './fs_types.js';

export const isError = (at: Vaddr): boolean => at < 0 && at >= -4095;

/** Writes a text so that it ends with the buffer; its address there, or -ENAMETOOLONG. */
export function textToEnd({ guest }: Pick<FsDeps, 'guest'>, text: string, buf: Vaddr, size: number): Vaddr {
  const bytes = Uint8Array.of(...encodeUtf8(text), 0);
  if (bytes.length > size) return -ENAMETOOLONG;
  guest.write(buf + size - bytes.length, bytes);
  return buf + size - bytes.length;
}

export function dcacheExports(deps: FsDeps, dcache: Dcache): KernelExports {
  const { dentry, inode, orNull } = new CPointers(deps);
  const address = (handle: Handle): Vaddr => deps.ram.addressOf(handle);
  const name = (qstr: Vaddr) =>
    deps.guest.read(
      readS64(deps, qstr + Qstr.o.name),
      Math.min(NAME_MAX, readUnsigned(deps, qstr + Qstr.o.len, 4)),
    );
  const add = (at: Vaddr, of: Vaddr) => dcache.add(dentry(at), orNull(of, inode));
  /** There is never a second name of a folder. */
  const splice = (at: Vaddr, of: Vaddr): Vaddr => {
    add(at, of);
    return 0;
  };
  const instantiate = (at: Vaddr, of: Vaddr) => dcache.instantiate(dentry(at), orNull(of, inode));
  const alias = (at: Vaddr) => address(dcache.findAlias(inode(at)));
  return {
    dget: ['p:p', (at: Vaddr) => address(dcache.get(orNull(at, dentry)))],
    dput: ['v:p', (at: Vaddr) => dcache.put(orNull(at, dentry))],
    dget_parent: ['p:p', (at: Vaddr) => address(dcache.get(dcache.at(dentry(at)).d_parent))],
    d_alloc: ['p:pp', (parent: Vaddr, qstr: Vaddr) => address(dcache.alloc(dentry(parent), name(qstr)))],
    d_alloc_name: [
      'p:pp',
      (parent: Vaddr, at: Vaddr) => address(dcache.alloc(dentry(parent), readCString(deps, at, NAME_MAX))),
    ],
    d_make_root: ['p:p', (at: Vaddr) => (at === 0 ? 0 : address(dcache.makeRoot(inode(at))))],
    d_instantiate: ['v:pp', instantiate],
    d_add: ['v:pp', add],
    d_splice_alias: ['p:pp', (of: Vaddr, at: Vaddr) => (isError(of) ? of : splice(at, of))],
    d_find_alias: ['p:p', alias],
    d_find_any_alias: ['p:p', (at: Vaddr) => alias(at)],
    d_obtain_alias: ['p:p', (at: Vaddr) => (at === 0 ? -ESTALE : isError(at) ? at : alias(at) || -ENOMEM)],
    // Names that nobody holds are not kept.
    d_prune_aliases: ['v:p', () => undefined],
    shrink_dcache_parent: ['v:p', () => undefined],
    shrink_dcache_sb: ['v:p', () => undefined],
    d_rehash: ['v:p', (at: Vaddr) => dcache.rehash(dentry(at))],
    d_drop: ['v:p', (at: Vaddr) => dcache.drop(dentry(at))],
    d_invalidate: ['v:p', (at: Vaddr) => dcache.drop(dentry(at))],
    d_delete: ['v:p', (at: Vaddr) => dcache.delete(dentry(at))],
    d_move: ['v:pp', (at: Vaddr, target: Vaddr) => dcache.move(dentry(at), dentry(target))],
    d_set_d_op: [
      'v:pp',
      (at: Vaddr, op: Vaddr) => {
        dcache.at(dentry(at)).d_op = op;
      },
    ],
    d_lookup: ['p:pp', (parent: Vaddr, qstr: Vaddr) => address(dcache.lookup(dentry(parent), name(qstr)))],
    d_hash_and_lookup: [
      'p:pp',
      (parent: Vaddr, qstr: Vaddr) => address(dcache.lookup(dentry(parent), name(qstr))),
    ],
    d_genocide: ['v:p', (at: Vaddr) => dcache.genocide(dentry(at))],
    full_name_hash: ['u:ppu', (_salt: Vaddr, at: Vaddr, n: number) => nameHash(deps.guest.read(at, n))],
    is_subdir: ['b:pp', (at: Vaddr, above: Vaddr) => dcache.isAncestor(dentry(above), dentry(at))],
    ...pathTexts(deps, dcache),
  };
}

/** Paths of dentries within their file system. */
function pathTexts(deps: FsDeps, dcache: Dcache): KernelExports {
  const { dentry } = new CPointers(deps);
  const deleted = (at: Handle) => (dcache.at(at).d_parent !== at && !dcache.isHashed(at) ? '//deleted' : '');
  return {
    dentry_path_raw: [
      'p:ppi',
      (at: Vaddr, buf: Vaddr, size: number) => textToEnd(deps, dcache.pathOf(dentry(at)), buf, size),
    ],
    dentry_path: [
      'p:ppi',
      (at: Vaddr, buf: Vaddr, size: number) =>
        textToEnd(deps, `${dcache.pathOf(dentry(at))}${deleted(dentry(at))}`, buf, size),
    ],
    simple_dname: [
      'p:ppi',
      (at: Vaddr, buf: Vaddr, size: number) =>
        textToEnd(deps, `/${dcache.nameOf(dentry(at))} (deleted)`, buf, size),
    ],
    dynamic_dname: [
      'p:pip…',
      (buf: Vaddr, size: number, format: Vaddr, args: Vaddr) => {
        const text = deps.format(format, args, 64);
        if (text.length > 63 || text.length + 1 > size) return -ENAMETOOLONG;
        deps.guest.write(buf + size - text.length - 1, Uint8Array.of(...text, 0));
        return buf + size - text.length - 1;
      },
    ],
  };
}
