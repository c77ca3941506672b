// SPDX-License-Identifier: MIT
/** Inodes and their attributes as C works with them: `linux/fs.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EIO } from '../lib/errno.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CPointers, objectAt } from './c_pointers.js';
import { S_IFDIR, S_IFMT, S_IFREG, S_ISGID } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { File, Path } from './fs_types.js';
import { I_FREEING, I_NEW, I_WILL_FREE, type Inodes } from './inode.js';
import type { Vfs } from './vfs.js';
import { Iattr, Kstat } from './vfs_types.js';

const I_CREATING = 0x8000;
const I_DIRTY = 7;
const I_DIRTY_INODE = 3;
const NOTHING_NEW = I_NEW | I_CREATING;
const S_NOCMTIME = 0x80;

export function inodeExports(deps: FsDeps, vfs: Vfs): KernelExports {
  return {
    ...making(deps, vfs),
    ...finding(deps, vfs.inodes),
    ...state(deps, vfs),
    ...attributes(deps, vfs),
  };
}

function making(deps: FsDeps, { inodes, walker }: Vfs): KernelExports {
  const { inode, superBlock, orNull } = new CPointers(deps);
  const address = (handle: Handle): Vaddr => deps.ram.addressOf(handle);
  const stripped = (dir: Vaddr, mode: number): number => {
    const { i_mode, i_gid } = inodes.at(inode(dir));
    const folder = (mode & S_IFMT) === S_IFDIR;
    if (folder || !(i_mode & S_ISGID) || (mode & 0o2010) !== 0o2010) return mode;
    const { uid, gid } = walker();
    return uid === 0 || gid === i_gid ? mode : mode & ~S_ISGID;
  };
  return {
    new_inode: ['p:p', (sb: Vaddr) => address(inodes.create(superBlock(sb)))],
    new_inode_pseudo: ['p:p', (sb: Vaddr) => address(inodes.create(superBlock(sb)))],
    inode_init_once: ['v:p', (at: Vaddr) => inodes.initOnce(inode(at))],
    inode_init_owner: [
      'v:pppu',
      (_ns: Vaddr, at: Vaddr, dir: Vaddr, mode: number) =>
        inodes.initOwner(inode(at), orNull(dir, inode), mode, walker()),
    ],
    init_special_inode: [
      'v:puu',
      (at: Vaddr, mode: number, rdev: number) => inodes.initSpecial(inode(at), mode, rdev),
    ],
    get_next_ino: ['u:', () => inodes.nextIno()],
    iunique: [
      'z:pz',
      (sb: Vaddr, reserved: number) => {
        for (let ino = inodes.nextIno(); ; ino = inodes.nextIno()) {
          if (ino <= reserved) continue;
          const there = inodes.find(superBlock(sb), ino);
          if (there === 0) return ino;
          inodes.put(there);
        }
      },
    ],
    mode_strip_sgid: ['u:ppu', (_ns: Vaddr, dir: Vaddr, mode: number) => stripped(dir, mode)],
    inode_nohighmem: ['v:p', (at: Vaddr) => void inode(at)],
  };
}

function finding(deps: FsDeps, inodes: Inodes): KernelExports {
  const { ram, callC } = deps;
  const { inode, superBlock } = new CPointers(deps);
  const address = (handle: Handle): Vaddr => ram.addressOf(handle);
  const tester = (test: Vaddr, data: Vaddr) => (candidate: Handle) =>
    callC(test, 'i:pp', address(candidate), data) !== 0;
  /** @linux fs/inode.c:iget5_locked full */
  const get5 = (sb: Handle, hashval: number, test: Vaddr, set: Vaddr, data: Vaddr): Handle => {
    const found = inodes.findBy(sb, hashval, tester(test, data));
    if (found !== 0) return found;
    const fresh = inodes.create(sb);
    if (fresh === 0) return 0;
    if (callC(set, 'i:pp', address(fresh), data) !== 0) {
      inodes.put(fresh);
      return 0;
    }
    inodes.at(fresh).i_state = I_NEW;
    inodes.hash(fresh, hashval);
    return fresh;
  };
  return {
    ilookup: ['p:pz', (sb: Vaddr, ino: number) => address(inodes.find(superBlock(sb), ino))],
    ilookup5: [
      'p:pzpp',
      (sb: Vaddr, hashval: number, test: Vaddr, data: Vaddr) =>
        address(inodes.findBy(superBlock(sb), hashval, tester(test, data))),
    ],
    iget_locked: ['p:pz', (sb: Vaddr, ino: number) => address(inodes.getLocked(superBlock(sb), ino))],
    iget5_locked: [
      'p:pzppp',
      (sb: Vaddr, hashval: number, test: Vaddr, set: Vaddr, data: Vaddr) =>
        address(get5(superBlock(sb), hashval, test, set, data)),
    ],
    __insert_inode_hash: ['v:pz', (at: Vaddr, hashval: number) => inodes.hash(inode(at), hashval)],
    __remove_inode_hash: ['v:p', (at: Vaddr) => inodes.unhash(inode(at))],
  };
}

function state(deps: FsDeps, { inodes, dcache }: Vfs): KernelExports {
  const { ram } = deps;
  const { inode, dentry } = new CPointers(deps);
  const { reports } = deps.env;
  const unlock = (i: ReturnType<Inodes['at']>): void => {
    if (!(i.i_state & I_NEW)) reports.warn('fs/inode.c', 1070, 'unlock_new_inode');
    i.i_state &= ~NOTHING_NEW;
  };
  const makeBad = (at: Vaddr): void => {
    const h = inode(at);
    inodes.unhash(h);
    const i = inodes.at(h);
    i.i_mode = S_IFREG;
    i.i_op = deps.symbol('bad_inode_ops');
    i.i_fop = deps.symbol('bad_file_ops');
  };
  const links = (change: (n: number) => number) => (at: Vaddr) => {
    const i = inodes.at(inode(at));
    i.i_nlink = change(i.i_nlink);
  };
  return {
    iput: ['v:p', (at: Vaddr) => (at === 0 ? undefined : inodes.put(inode(at)))],
    ihold: ['v:p', (at: Vaddr) => void inodes.get(inode(at))],
    igrab: [
      'p:p',
      (at: Vaddr) => {
        const h = inode(at);
        return inodes.at(h).i_state & (I_FREEING | I_WILL_FREE) ? 0 : ram.addressOf(inodes.get(h));
      },
    ],
    unlock_new_inode: ['v:p', (at: Vaddr) => unlock(inodes.at(inode(at)))],
    d_instantiate_new: [
      'v:pp',
      (name: Vaddr, at: Vaddr) => {
        dcache.instantiate(dentry(name), inode(at));
        unlock(inodes.at(inode(at)));
      },
    ],
    make_bad_inode: ['v:p', makeBad],
    is_bad_inode: ['b:p', (at: Vaddr) => inodes.at(inode(at)).i_op === deps.symbol('bad_inode_ops')],
    iget_failed: [
      'v:p',
      (at: Vaddr) => {
        makeBad(at);
        inodes.at(inode(at)).i_state &= ~NOTHING_NEW;
        inodes.put(inode(at));
      },
    ],
    bad_inode_error: ['i:', () => -EIO],
    clear_inode: ['v:p', (at: Vaddr) => inodes.clear(inode(at))],
    generic_drop_inode: [
      'i:p',
      (at: Vaddr) => Number(inodes.at(inode(at)).i_nlink === 0 || !inodes.isHashed(inode(at))),
    ],
    generic_delete_inode: ['i:p', () => 1],
    inc_nlink: ['v:p', links((n) => n + 1)],
    drop_nlink: [
      'v:p',
      links((n) => {
        if (n === 0) reports.warn('fs/inode.c', 331, 'drop_nlink');
        return n - 1;
      }),
    ],
    clear_nlink: ['v:p', links(() => 0)],
    set_nlink: ['v:pu', (at: Vaddr, n: number) => links(() => n)(at)],
    __mark_inode_dirty: ['v:pi', (at: Vaddr, flags: number) => markDirty(deps, inodes, inode(at), flags)],
  };
}

/** @linux fs/fs-writeback.c:__mark_inode_dirty partial: nothing is written back */
function markDirty(deps: FsDeps, inodes: Inodes, inode: Handle, flags: number): void {
  const own = inodes.superOperation(inode, 'dirty_inode');
  if (flags & I_DIRTY_INODE && own !== 0)
    deps.callC(own, 'v:pi', deps.ram.addressOf(inode), flags & I_DIRTY_INODE);
  inodes.at(inode).i_state |= flags & I_DIRTY;
}

function attributes(deps: FsDeps, { inodes, attributes: k, dcache, walker, mounts }: Vfs): KernelExports {
  const { inode, dentry } = new CPointers(deps);
  const iattr = (at: Vaddr) => objectAt(deps, at, Iattr.size);
  const kstat = (at: Vaddr) => objectAt(deps, at, Kstat.size);
  const inodeOf = (at: Vaddr) => dcache.at(dentry(at)).d_inode;
  const writeTime = (at: Vaddr, { sec, nsec }: { sec: number; nsec: number }) => {
    writeS64(deps, at, sec);
    writeS64(deps, at + 8, nsec);
  };
  const prepare = (_ns: Vaddr, at: Vaddr, attr: Vaddr) => k.prepare(inodeOf(at), iattr(attr), walker());
  return {
    setattr_prepare: ['i:ppp', prepare],
    setattr_copy: ['v:ppp', (_ns: Vaddr, at: Vaddr, attr: Vaddr) => k.copy(inode(at), iattr(attr))],
    simple_setattr: [
      'i:ppp',
      (ns: Vaddr, at: Vaddr, attr: Vaddr) => prepare(ns, at, attr) || k.simple(inodeOf(at), iattr(attr)),
    ],
    notify_change: [
      'i:pppp',
      (_ns: Vaddr, at: Vaddr, attr: Vaddr) => k.notifyChange(dentry(at), iattr(attr), walker()),
    ],
    inode_newsize_ok: ['i:pl', (at: Vaddr, size: number) => k.sizeError(inode(at), size)],
    inode_owner_or_capable: ['b:pp', (_ns: Vaddr, at: Vaddr) => k.mayOwn(inode(at), walker())],
    generic_fillattr: ['v:ppp', (_ns: Vaddr, at: Vaddr, stat: Vaddr) => k.fill(inode(at), kstat(stat))],
    simple_getattr: [
      'i:pppuu',
      (_ns: Vaddr, path: Vaddr, stat: Vaddr) => {
        const h = inodeOf(readS64(deps, path + Path.o.dentry));
        k.fill(h, kstat(stat));
        return 0;
      },
    ],
    // C is given a struct timespec64: the first argument says where.
    current_time: ['v:pp', (to: Vaddr, at: Vaddr) => writeTime(to, inodes.currentTime(inode(at)))],
    timestamp_truncate: [
      'v:ppp',
      (to: Vaddr, time: Vaddr, at: Vaddr) =>
        writeTime(
          to,
          inodes.truncate(inode(at), { sec: readS64(deps, time), nsec: readS64(deps, time + 8) }),
        ),
    ],
    generic_update_time: [
      'i:ppi',
      (at: Vaddr, time: Vaddr, flags: number) => {
        const now = { sec: readS64(deps, time), nsec: readS64(deps, time + 8) };
        for (const [bit, field] of [
          [1, 'i_atime'],
          [2, 'i_mtime'],
          [4, 'i_ctime'],
        ] as const)
          if (flags & bit) inodes.setTime(inode(at), field, now);
        return 0;
      },
    ],
    touch_atime: ['v:p', (path: Vaddr) => k.touchAtime(mounts.placeAt(path))],
    file_update_time: [
      'i:p',
      (file: Vaddr) => {
        const h = inode(readS64(deps, file + File.o.f_inode));
        if (!(inodes.at(h).i_flags & S_NOCMTIME)) inodes.touch(h, 'i_mtime', 'i_ctime');
        return 0;
      },
    ],
  };
}
