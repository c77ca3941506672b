// SPDX-License-Identifier: MIT
/** Paths, mounts, and what is done by name, as C works with them: `linux/namei.h`, `linux/mount.h`. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EACCES, EEXIST, EINVAL, ENOENT, ENOTDIR, EROFS } from '../lib/errno.js';
import { readCString, readS64, readUnsigned, writeInteger, writeS64 } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { CPointers, objectAt } from './c_pointers.js';
import { isError, textToEnd } from './dcache_exports.js';
import { S_IFDIR } from './file_modes.js';
import type { Name } from './folder_changes.js';
import type { FsDeps } from './fs_context.js';
import { File } from './fs_types.js';
import type { Place } from './namespace.js';
import type { Vfs } from './vfs.js';
import { Kstat, Kstatfs } from './vfs_types.js';

const PATH_BYTES = 4096;
const LOOKUP_FOLLOW = 1;
const LOOKUP_DIRECTORY = 2;
/** Offsets in struct renamedata. */
const OLD_DIR = 8;
const OLD_DENTRY = 16;
const NEW_DIR = 32;
const NEW_DENTRY = 40;
const RENAME_FLAGS = 56;

export function pathExports(deps: FsDeps, vfs: Vfs): KernelExports {
  return {
    ...lookups(deps, vfs),
    ...creating(deps, vfs),
    ...texts(deps, vfs),
    ...changes(deps, vfs),
    ...telling(deps, vfs),
    ...mountExports(deps, vfs),
  };
}

const textOf = (deps: FsDeps, at: Vaddr): string => decodeUtf8(readCString(deps, at, PATH_BYTES));

function lookups(deps: FsDeps, { namei, mounts, dcache, walker }: Vfs): KernelExports {
  const { dentry } = new CPointers(deps);
  const address = (handle: number): Vaddr => (handle <= 0 ? handle : deps.ram.addressOf(handle));
  const found = (place: Place | number, path: Vaddr): number => {
    if (typeof place === 'number') return place;
    mounts.writePath(path, place);
    return 0;
  };
  const flagsOf = (flags: number) => ({
    follow: (flags & LOOKUP_FOLLOW) !== 0,
    directory: (flags & LOOKUP_DIRECTORY) !== 0,
  });
  /** @linux fs/namei.c:lookup_one_len full */
  const one = (name: Vaddr, base: Vaddr, length: number): number => {
    const bytes = deps.guest.read(name, Math.max(0, Math.min(length, PATH_BYTES)));
    const text = decodeUtf8(bytes);
    if (length <= 0 || ['.', '..'].includes(text) || /[/\0]/.test(text)) return -EACCES;
    const dir = dentry(base);
    if (namei.typeOf(dir) !== S_IFDIR) return -ENOTDIR;
    return namei.permission(namei.inodeOf(dir), 1, walker()) || namei.lookupOne(dir, bytes);
  };
  const positive = (at: number): number => {
    if (at < 0 || namei.inodeOf(at) !== 0) return at;
    dcache.put(at);
    return -ENOENT;
  };
  const lookupOne = (name: Vaddr, base: Vaddr, length: number) => address(one(name, base, length));
  return {
    kern_path: [
      'i:pup',
      (name: Vaddr, flags: number, path: Vaddr) =>
        found(namei.lookup(textOf(deps, name), walker(), flagsOf(flags)), path),
    ],
    vfs_path_lookup: [
      'i:pppup',
      (base: Vaddr, mnt: Vaddr, name: Vaddr, flags: number, path: Vaddr) => {
        const root = { mnt: mounts.ofVfsmount(objectAt(deps, mnt, 8)), dentry: dentry(base) };
        const text = textOf(deps, name).replace(/^\/+/, '') || '.';
        return found(namei.lookup(text, { ...walker(), root, pwd: root }, flagsOf(flags)), path);
      },
    ],
    lookup_one_len: ['p:ppi', lookupOne],
    lookup_one_len_unlocked: ['p:ppi', (name: Vaddr, base: Vaddr, n: number) => lookupOne(name, base, n)],
    lookup_positive_unlocked: [
      'p:ppi',
      (name: Vaddr, base: Vaddr, n: number) => address(positive(one(name, base, n))),
    ],
    try_lookup_one_len: [
      'p:ppi',
      (name: Vaddr, base: Vaddr, n: number) => address(dcache.lookup(dentry(base), deps.guest.read(name, n))),
    ],
    lookup_one: ['p:pppi', (_ns: Vaddr, name: Vaddr, base: Vaddr, n: number) => lookupOne(name, base, n)],
    path_get: ['v:p', (path: Vaddr) => void mounts.get(mounts.placeAt(path))],
    path_put: ['v:p', (path: Vaddr) => mounts.put(mounts.placeAt(path))],
    follow_up: [
      'i:p',
      (path: Vaddr) => {
        const here = mounts.placeAt(path);
        const up = mounts.mountpoint({ mnt: here.mnt, dentry: mounts.at(here.mnt).mnt.mnt_root });
        if (up === undefined) return 0;
        mounts.writePath(path, mounts.get(up));
        mounts.put(here);
        return 1;
      },
    ],
    follow_down_one: [
      'i:p',
      (path: Vaddr) => {
        const here = mounts.placeAt(path);
        const mnt = mounts.lookup(here.mnt, here.dentry);
        if (mnt === 0) return 0;
        mounts.writePath(path, mounts.get({ mnt, dentry: mounts.at(mnt).mnt.mnt_root }));
        mounts.put(here);
        return 1;
      },
    ],
    // Folders are not locked: no two system calls change one at a time.
    lock_rename: ['p:pp', () => 0],
    unlock_rename: ['v:pp', () => undefined],
  };
}

/** kern_path_create() and done_path_create(): a name that is to be made. */
function creating(deps: FsDeps, { namei, mounts, dcache, walker }: Vfs): KernelExports {
  const { dentry } = new CPointers(deps);
  /** @linux fs/namei.c:filename_create full */
  const create = (name: Vaddr, path: Vaddr, flags: number): Vaddr => {
    const parent = namei.parent(textOf(deps, name), walker());
    if (typeof parent === 'number') return parent;
    const special = ['', '.', '..'].includes(parent.name);
    const made = special ? -EEXIST : namei.lookupOne(parent.dir.dentry, encodeUtf8(parent.name), 0x600);
    const isFolder = (flags & LOOKUP_DIRECTORY) !== 0;
    let error = Math.min(made, 0);
    if (error === 0 && namei.inodeOf(made) !== 0) error = -EEXIST;
    else if (error === 0 && parent.slash && !isFolder) error = -ENOENT;
    else if (error === 0 && mounts.isReadOnly(parent.dir.mnt)) error = -EROFS;
    if (error === 0) {
      mounts.writePath(path, parent.dir);
      return deps.ram.addressOf(made);
    }
    if (made >= 0) dcache.put(made);
    mounts.put(parent.dir);
    return error;
  };
  return {
    kern_path_create: [
      'p:ippu',
      (_fd: number, name: Vaddr, path: Vaddr, flags: number) => create(name, path, flags),
    ],
    done_path_create: [
      'v:pp',
      (path: Vaddr, at: Vaddr) => {
        if (at !== 0 && !isError(at)) dcache.put(dentry(at));
        mounts.put(mounts.placeAt(path));
      },
    ],
    kern_path_locked: [
      'p:pp',
      (name: Vaddr, path: Vaddr) => {
        const parent = namei.parent(textOf(deps, name), walker());
        if (typeof parent === 'number') return parent;
        const special = ['', '.', '..'].includes(parent.name);
        const at = special ? -EINVAL : namei.lookupOne(parent.dir.dentry, encodeUtf8(parent.name));
        if (at < 0) {
          mounts.put(parent.dir);
          return at;
        }
        mounts.writePath(path, parent.dir);
        return deps.ram.addressOf(at);
      },
    ],
  };
}

function texts(deps: FsDeps, { mounts, dcache, walker }: Vfs): KernelExports {
  /** @linux fs/d_path.c:d_path full */
  const dPath = (path: Vaddr, buf: Vaddr, size: number): Vaddr => {
    const place = mounts.placeAt(path);
    const own = dcache.operation(place.dentry, 'd_dname');
    const isRoot = dcache.at(place.dentry).d_parent === place.dentry && mounts.isInTree(place.mnt);
    if (own !== 0 && !isRoot) return deps.callC(own, 'p:ppi', deps.ram.addressOf(place.dentry), buf, size);
    return textToEnd(deps, mounts.pathOf(place, walker().root), buf, size);
  };
  return {
    d_path: ['p:ppi', dPath],
    d_absolute_path: [
      'p:ppi',
      (path: Vaddr, buf: Vaddr, size: number) =>
        textToEnd(deps, mounts.pathOf(mounts.placeAt(path)), buf, size),
    ],
    file_path: ['p:ppi', (file: Vaddr, buf: Vaddr, size: number) => dPath(file + File.o.f_path, buf, size)],
  };
}

function changes(deps: FsDeps, { namei, walker }: Vfs): KernelExports {
  const { dentry, inode } = new CPointers(deps);
  const { changes: k } = namei;
  const name = (dir: Vaddr, at: Vaddr): Name => ({ dir: inode(dir), dentry: dentry(at) });
  const pointer = (rd: Vaddr, offset: number) => readS64(deps, rd + offset);
  return {
    vfs_create: [
      'i:pppub',
      (_ns: Vaddr, dir: Vaddr, at: Vaddr, mode: number, excl: boolean) =>
        k.create(name(dir, at), mode, excl, walker()),
    ],
    vfs_mkdir: [
      'i:pppu',
      (_ns: Vaddr, dir: Vaddr, at: Vaddr, mode: number) => k.mkdir(name(dir, at), mode, walker()),
    ],
    vfs_mknod: [
      'i:pppuu',
      (_ns: Vaddr, dir: Vaddr, at: Vaddr, mode: number, rdev: number) =>
        k.mknod(name(dir, at), mode, rdev, walker()),
    ],
    vfs_symlink: [
      'i:pppp',
      (_ns: Vaddr, dir: Vaddr, at: Vaddr, target: Vaddr) => k.symlink(name(dir, at), target, walker()),
    ],
    vfs_link: [
      'i:ppppp',
      (old: Vaddr, _ns: Vaddr, dir: Vaddr, at: Vaddr) => k.link(dentry(old), name(dir, at), walker()),
    ],
    vfs_unlink: ['i:pppp', (_ns: Vaddr, dir: Vaddr, at: Vaddr) => k.unlink(name(dir, at), walker())],
    vfs_rmdir: ['i:ppp', (_ns: Vaddr, dir: Vaddr, at: Vaddr) => k.rmdir(name(dir, at), walker())],
    vfs_rename: [
      'i:p',
      (rd: Vaddr) =>
        k.rename(
          name(pointer(rd, OLD_DIR), pointer(rd, OLD_DENTRY)),
          name(pointer(rd, NEW_DIR), pointer(rd, NEW_DENTRY)),
          readUnsigned(deps, rd + RENAME_FLAGS, 4),
          walker(),
        ),
    ],
  };
}

function telling(deps: FsDeps, { namei, attributes, mounts, walker }: Vfs): KernelExports {
  const { dentry, inode } = new CPointers(deps);
  return {
    vfs_getattr: [
      'i:ppuu',
      (path: Vaddr, stat: Vaddr, mask: number, flags: number) =>
        attributes.getattr(mounts.placeAt(path), objectAt(deps, stat, Kstat.size), mask, flags),
    ],
    vfs_statfs: [
      'i:pp',
      (path: Vaddr, buf: Vaddr) =>
        attributes.fillStatfs(mounts.placeAt(path).dentry, objectAt(deps, buf, Kstatfs.size)),
    ],
    vfs_truncate: [
      'l:pl',
      (path: Vaddr, size: number) =>
        size < 0 ? -EINVAL : attributes.truncateAt(mounts.placeAt(path), size, walker()),
    ],
    vfs_get_link: [
      'p:pp',
      (at: Vaddr, done: Vaddr) => {
        const h = namei.inodeOf(dentry(at));
        return attributes.linkOf(h) || namei.getLink(dentry(at), h, done);
      },
    ],
    inode_permission: [
      'i:ppi',
      (_ns: Vaddr, at: Vaddr, mask: number) => namei.permission(inode(at), mask & 7, walker()),
    ],
    generic_permission: [
      'i:ppi',
      (_ns: Vaddr, at: Vaddr, mask: number) => namei.genericPermission(inode(at), mask & 7, walker()),
    ],
  };
}

function mountExports(deps: FsDeps, { mounts, supers, dcache }: Vfs): KernelExports {
  const { vfsmount, orNull } = new CPointers(deps);
  const mountOf = (at: Vaddr): Handle => mounts.ofVfsmount(vfsmount(at));
  const address = (mnt: number): Vaddr => (mnt < 0 ? mnt : deps.ram.addressOf(mounts.vfsmount(mnt)));
  const put = (at: Vaddr) => mounts.putMount(mounts.ofVfsmount(orNull(at, vfsmount)));
  const wants = (at: Vaddr): number => (mounts.isReadOnly(mountOf(at)) ? -EROFS : 0);
  const mountOfFile = (file: Vaddr): Vaddr => readS64(deps, file + File.o.f_path);
  const kernMount = (type: Vaddr): Vaddr => address(mounts.internal(supers.typeName(type)));
  return {
    mntget: [
      'p:p',
      (at: Vaddr) => {
        if (at !== 0) mounts.at(mountOf(at)).mnt_count++;
        return at;
      },
    ],
    mntput: ['v:p', put],
    kern_mount: ['p:p', kernMount],
    kern_unmount: ['v:p', (at: Vaddr) => (isError(at) ? undefined : put(at))],
    vfs_kern_mount: [
      'p:pipp',
      (type: Vaddr, flags: number, name: Vaddr, data: Vaddr) =>
        address(
          mounts.internal(
            supers.typeName(type),
            flags,
            name === 0 ? 'none' : textOf(deps, name),
            data === 0 ? '' : textOf(deps, data),
          ),
        ),
    ],
    /** @linux fs/libfs.c:simple_pin_fs full */
    simple_pin_fs: [
      'i:ppp',
      (type: Vaddr, mount: Vaddr, count: Vaddr) => {
        let mnt = readS64(deps, mount);
        if (mnt === 0) {
          mnt = kernMount(type);
          if (isError(mnt)) return mnt;
          writeS64(deps, mount, mnt);
        } else mounts.at(mountOf(mnt)).mnt_count++;
        writeInteger(deps, count, readUnsigned(deps, count, 4) + 1, 4);
        return 0;
      },
    ],
    /** @linux fs/libfs.c:simple_release_fs full */
    simple_release_fs: [
      'v:pp',
      (mount: Vaddr, count: Vaddr) => {
        const mnt = readS64(deps, mount);
        const left = (readUnsigned(deps, count, 4) - 1) | 0;
        writeInteger(deps, count, left, 4);
        if (left === 0) writeS64(deps, mount, 0);
        put(mnt);
      },
    ],
    mnt_want_write: ['i:p', wants],
    mnt_drop_write: ['v:p', () => undefined],
    mnt_want_write_file: ['i:p', (file: Vaddr) => wants(mountOfFile(file))],
    mnt_drop_write_file: ['v:p', () => undefined],
    __mnt_is_readonly: ['b:p', (at: Vaddr) => wants(at) !== 0],
    path_is_mountpoint: [
      'b:p',
      (path: Vaddr) => {
        const { mnt, dentry } = mounts.placeAt(path);
        return dcache.at(dentry).d_flags !== 0 && mounts.lookup(mnt, dentry) !== 0;
      },
    ],
  };
}
