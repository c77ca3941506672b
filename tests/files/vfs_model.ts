// SPDX-License-Identifier: MIT
/**
 * A slow and obvious model of a tree of files: objects and Maps, and Linux's rules of which error comes first.
 *
 * It knows folders, ordinary files, links, hard links, open files. Everybody is root.
 */

export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_TRUNC = 0o1000;
export const O_APPEND = 0o2000;
export const O_DIRECTORY = 0o200000;
export const O_NOFOLLOW = 0o400000;

const PATH_MAX = 4096;
const NAME_MAX = 255;
const MAX_LINKS = 40;

interface Folder {
  readonly type: 'folder';
  readonly names: Map<string, Node>;
  parent: Folder;
  mode: number;
  removed: boolean;
}
interface Plain {
  readonly type: 'file';
  bytes: Uint8Array;
  nlink: number;
  mode: number;
}
interface Link {
  readonly type: 'link';
  readonly target: string;
  nlink: number;
  mode: number;
}
export type Node = Folder | Plain | Link;

interface OpenFile {
  readonly node: Folder | Plain;
  readonly flags: number;
  pos: number;
}

/** One operation; paths begin in the tree's own root. */
export type Op =
  | { readonly op: 'open'; readonly path: string; readonly flags: number; readonly mode: number }
  | { readonly op: 'read'; readonly slot: number; readonly count: number }
  | { readonly op: 'write'; readonly slot: number; readonly bytes: string }
  | { readonly op: 'ftruncate'; readonly slot: number; readonly size: number }
  | { readonly op: 'fstat' | 'close'; readonly slot: number }
  | { readonly op: 'mkdir' | 'chmod'; readonly path: string; readonly mode: number }
  | {
      readonly op: 'rmdir' | 'unlink' | 'stat' | 'lstat' | 'readlink' | 'readdir' | 'access';
      readonly path: string;
    }
  | { readonly op: 'rename' | 'link' | 'symlink'; readonly path: string; readonly to: string };

/** How an operation ends: an error's name, or what it tells. */
export type Result = { readonly error: string } | { readonly ok: unknown };

/** What stat tells, as far as all file systems agree: sizes of folders and how many names they have do not. */
export interface Told {
  readonly type: string;
  readonly mode: number;
  readonly nlink?: number;
  readonly size?: number;
}

class Failure extends Error {}
const fail = (error: string): never => {
  throw new Failure(error);
};

/** Where a path's last name lies. */
interface Parent {
  readonly dir: Folder;
  readonly last: string;
  readonly slash: boolean;
}

const length = (text: string) => new TextEncoder().encode(text).length;
const split = (path: string) => path.split('/').filter((name) => name !== '');

function makeFolder(parent: Folder | undefined, mode: number): Folder {
  const folder = { type: 'folder', names: new Map(), mode, removed: false } as unknown as Folder;
  folder.parent = parent ?? folder;
  return folder;
}

export class Model {
  readonly root = makeFolder(undefined, 0o755);
  private readonly files = new Map<number, OpenFile>();
  private leftRoot = false;

  /** @param base folders above the one that operations begin in */
  constructor(
    readonly base: readonly string[],
    private readonly umask = 0o022,
  ) {
    let at = this.root;
    for (const name of base) {
      const next = makeFolder(at, 0o755);
      at.names.set(name, next);
      at = next;
    }
  }

  private get start(): Folder {
    return this.base.reduce<Folder>((at, name) => at.names.get(name) as Folder, this.root);
  }

  /** Slots of open files. */
  get slots(): number[] {
    return [...this.files.keys()];
  }

  /** Does an operation; `slot` is where an open file goes. */
  run(op: Op, slot: number): Result {
    try {
      return { ok: this.apply(op, slot) };
    } catch (error) {
      if (error instanceof Failure) return { error: error.message };
      throw error;
    }
  }

  /** Whether an operation's paths lead above the first folder of the base: a greater tree has other things there. */
  leaves(op: Op): boolean {
    this.leftRoot = false;
    for (const path of [
      ...('path' in op ? [op.path] : []),
      ...(op.op === 'rename' || op.op === 'link' ? [op.to] : []),
    ])
      try {
        this.lookup(path, true);
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
      }
    return this.leftRoot;
  }

  private apply(op: Op, slot: number): unknown {
    switch (op.op) {
      case 'open':
        return this.open(op.path, op.flags, op.mode, slot);
      case 'read':
      case 'write':
      case 'ftruncate':
      case 'fstat':
      case 'close':
        return this.onFile(op);
      case 'mkdir':
        return this.create(op.path, true, (dir) => makeFolder(dir, op.mode & ~this.umask & 0o1777));
      case 'chmod':
        this.lookup(op.path, true).mode = op.mode & 0o7777;
        return undefined;
      case 'rmdir':
        return this.rmdir(op.path);
      case 'unlink':
        return this.unlink(op.path);
      case 'stat':
        return tell(this.lookup(op.path, true));
      case 'lstat':
        return tell(this.lookup(op.path, false));
      case 'access':
        this.lookup(op.path, true);
        return undefined;
      case 'readlink': {
        const node = this.lookup(op.path, false);
        return node.type === 'link' ? node.target : fail('EINVAL');
      }
      case 'readdir': {
        const node = this.lookup(op.path, true);
        return node.type === 'folder' ? [...node.names.keys()].sort() : fail('ENOTDIR');
      }
      case 'rename':
        return this.rename(op.path, op.to);
      case 'link':
        return this.link(op.path, op.to);
      case 'symlink':
        if (op.to === '') fail('ENOENT');
        if (length(op.to) >= PATH_MAX) fail('ENAMETOOLONG');
        return this.create(op.path, false, () => ({ type: 'link', target: op.to, nlink: 1, mode: 0o777 }));
    }
  }

  // ---------------------------------------------------------------- paths

  private find(dir: Folder, name: string): Node | undefined {
    if (length(name) > NAME_MAX) fail('ENAMETOOLONG');
    return dir.names.get(name);
  }

  private up(at: Folder): Folder {
    if (at.parent === this.root) this.leftRoot = true;
    return at.parent;
  }

  /** Goes through names from a folder on. */
  private walk(from: Folder, path: string, followLast: boolean, links: { count: number }): Node {
    let at: Node = path.startsWith('/') ? this.root : from;
    const names = split(path);
    for (const [i, name] of names.entries()) {
      if (at.type !== 'folder') return fail('ENOTDIR');
      if (name === '.') continue;
      if (name === '..') {
        at = this.up(at);
        continue;
      }
      const next: Node = this.find(at, name) ?? fail('ENOENT');
      const follow = followLast || i < names.length - 1;
      at = next.type === 'link' && follow ? this.follow(at, next, links) : next;
    }
    if (path.endsWith('/') && at.type !== 'folder') fail('ENOTDIR');
    return at;
  }

  private follow(dir: Folder, { target }: Link, links: { count: number }): Node {
    if (++links.count > MAX_LINKS) fail('ELOOP');
    return this.walk(dir, target, true, links);
  }

  private check(path: string): void {
    if (path === '') fail('ENOENT');
    if (length(path) >= PATH_MAX) fail('ENAMETOOLONG');
  }

  private lookup(path: string, follow: boolean): Node {
    this.check(path);
    return this.walk(this.start, path, follow || path.endsWith('/'), { count: 0 });
  }

  private parent(path: string, from = this.start, links = { count: 0 }): Parent {
    this.check(path);
    const names = split(path);
    const last = names.pop() ?? '';
    const above = `${path.startsWith('/') ? '/' : ''}${names.join('/')}`;
    const dir = above === '' ? from : this.walk(from, above, true, links);
    if (dir.type !== 'folder') return fail('ENOTDIR');
    return { dir, last, slash: path.endsWith('/') };
  }

  private isSpecial(last: string): boolean {
    return last === '' || last === '.' || last === '..';
  }

  // ---------------------------------------------------------------- names

  private create(path: string, folder: boolean, make: (dir: Folder) => Node): undefined {
    const { dir, last, slash } = this.parent(path);
    if (this.isSpecial(last)) fail('EEXIST');
    if (this.find(dir, last)) fail('EEXIST');
    if (slash && !folder) fail('ENOENT');
    if (dir.removed) fail('ENOENT');
    dir.names.set(last, make(dir));
    return undefined;
  }

  private rmdir(path: string): undefined {
    const { dir, last } = this.parent(path);
    if (last === '') fail('EBUSY');
    if (last === '.') fail('EINVAL');
    if (last === '..') fail('ENOTEMPTY');
    const node = this.find(dir, last) ?? fail('ENOENT');
    if (node.type !== 'folder') return fail('ENOTDIR');
    if (node.names.size > 0) fail('ENOTEMPTY');
    node.removed = true;
    dir.names.delete(last);
    return undefined;
  }

  private unlink(path: string): undefined {
    const { dir, last, slash } = this.parent(path);
    if (this.isSpecial(last)) fail('EISDIR');
    const node = this.find(dir, last) ?? fail('ENOENT');
    if (node.type === 'folder') return fail('EISDIR');
    if (slash) fail('ENOTDIR');
    node.nlink--;
    dir.names.delete(last);
    return undefined;
  }

  private link(from: string, to: string): undefined {
    const node = this.lookup(from, false);
    const { dir, last, slash } = this.parent(to);
    if (this.isSpecial(last)) fail('EEXIST');
    if (this.find(dir, last)) fail('EEXIST');
    if (slash) fail('ENOENT');
    if (dir.removed) fail('ENOENT');
    if (node.type === 'folder') return fail('EPERM');
    node.nlink++;
    dir.names.set(last, node);
    return undefined;
  }

  private contains(folder: Node | undefined, inner: Folder): boolean {
    for (let at = inner; ; at = at.parent) {
      if (at === folder) return true;
      if (at === at.parent) return false;
    }
  }

  private rename(from: string, to: string): undefined {
    const old = this.parent(from);
    const now = this.parent(to);
    if (this.isSpecial(old.last) || this.isSpecial(now.last)) fail('EBUSY');
    const node = this.find(old.dir, old.last) ?? fail('ENOENT');
    const target = this.find(now.dir, now.last);
    if (node.type !== 'folder' && (old.slash || now.slash)) fail('ENOTDIR');
    if (this.contains(node, now.dir)) fail('EINVAL');
    if (target && this.contains(target, old.dir)) fail('ENOTEMPTY');
    if (target === node) return undefined;
    if (now.dir.removed) fail('ENOENT');
    if (target) this.replace(node, target);
    old.dir.names.delete(old.last);
    now.dir.names.set(now.last, node);
    if (node.type === 'folder') node.parent = now.dir;
    return undefined;
  }

  private replace(node: Node, target: Node): void {
    if (target.type === 'folder') {
      if (node.type !== 'folder') fail('EISDIR');
      if (target.names.size > 0) fail('ENOTEMPTY');
      target.removed = true;
      return;
    }
    if (node.type === 'folder') fail('ENOTDIR');
    target.nlink--;
  }

  // ---------------------------------------------------------------- open files

  private open(path: string, flags: number, mode: number, slot: number): undefined {
    const node = flags & O_CREAT ? this.openOrCreate(path, flags, mode) : this.openOld(path, flags);
    this.files.set(slot, { node, flags, pos: 0 });
    return undefined;
  }

  private openOld(path: string, flags: number): Folder | Plain {
    const node = this.lookup(path, !(flags & O_NOFOLLOW));
    return this.mayOpen(node, flags);
  }

  private mayOpen(node: Node, flags: number): Folder | Plain {
    if (flags & O_CREAT && node.type === 'folder') return fail('EISDIR');
    if (flags & O_DIRECTORY && node.type !== 'folder') return fail('ENOTDIR');
    if (node.type === 'link') return fail('ELOOP');
    const writes = (flags & 3) !== 0 || (flags & O_TRUNC) !== 0;
    if (node.type === 'folder') return writes ? fail('EISDIR') : node;
    if (flags & O_TRUNC) node.bytes = new Uint8Array();
    return node;
  }

  private openOrCreate(path: string, flags: number, mode: number): Folder | Plain {
    const links = { count: 0 };
    let where = this.parent(path, this.start, links);
    for (;;) {
      const { dir, last, slash } = where;
      if (this.isSpecial(last)) return fail(flags & O_EXCL ? 'EEXIST' : 'EISDIR');
      if (slash) return fail('EISDIR');
      const node = this.find(dir, last);
      if (!node) return this.createFile(dir, last, flags, mode);
      if (flags & O_EXCL) return fail('EEXIST');
      if (node.type !== 'link' || flags & O_NOFOLLOW) return this.mayOpen(node, flags);
      if (++links.count > MAX_LINKS) return fail('ELOOP');
      where = this.parent(node.target, dir, links);
    }
  }

  private createFile(dir: Folder, name: string, flags: number, mode: number): Plain {
    if (dir.removed) fail('ENOENT');
    const node: Plain = {
      type: 'file',
      bytes: new Uint8Array(),
      nlink: 1,
      mode: mode & ~this.umask & 0o7777,
    };
    dir.names.set(name, node);
    if (flags & O_DIRECTORY) fail('ENOTDIR');
    return node;
  }

  private onFile(op: Op & { slot: number }): unknown {
    const file = this.files.get(op.slot) ?? fail('EBADF');
    const { node, flags } = file;
    const writable = (flags & 3) !== 0;
    if (op.op === 'close') return void this.files.delete(op.slot);
    if (op.op === 'fstat') return tell(node);
    if (op.op === 'ftruncate') {
      if (node.type === 'folder' || !writable) return fail('EINVAL');
      node.bytes = resized(node.bytes, op.size);
      return undefined;
    }
    if (op.op === 'read') {
      if ((flags & 3) === O_WRONLY) fail('EBADF');
      if (node.type === 'folder') return fail('EISDIR');
      const got = node.bytes.slice(file.pos, file.pos + op.count);
      file.pos += got.length;
      return String.fromCharCode(...got);
    }
    if (op.op === 'write') {
      if (!writable || node.type === 'folder') return fail('EBADF');
      const bytes = Uint8Array.from(op.bytes, (c) => c.charCodeAt(0));
      if (bytes.length === 0) return 0;
      if (flags & O_APPEND) file.pos = node.bytes.length;
      if (file.pos + bytes.length > node.bytes.length)
        node.bytes = resized(node.bytes, file.pos + bytes.length);
      node.bytes.set(bytes, file.pos);
      file.pos += bytes.length;
      return bytes.length;
    }
    return undefined;
  }

  // ---------------------------------------------------------------- the whole

  /** Every path, with what is there; hard links are told by the first path of the same file. */
  tree(): string[] {
    const first = new Map<Node, string>();
    const lines: string[] = [];
    const visit = (node: Node, path: string) => {
      const { type, mode, nlink, size } = tell(node);
      const same = first.get(node);
      if (same === undefined) first.set(node, path);
      const content =
        node.type === 'file' ? String.fromCharCode(...node.bytes) : node.type === 'link' ? node.target : '';
      lines.push([path, type, mode.toString(8), nlink ?? '', size ?? '', same ?? '', content].join('|'));
      if (node.type !== 'folder') return;
      for (const name of [...node.names.keys()].sort()) visit(node.names.get(name)!, `${path}/${name}`);
    };
    visit(this.root.names.get(this.base[0])!, '');
    return lines;
  }

  /** How many names a folder's inode has: 2, and one more for each folder in it. */
  folderLinks(path: string): number {
    const node = this.lookup(path, false);
    if (node.type !== 'folder') return fail('ENOTDIR');
    return 2 + [...node.names.values()].filter(({ type }) => type === 'folder').length;
  }
}

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  out.set(bytes.subarray(0, size));
  return out;
}

function tell(node: Node): Told {
  if (node.type === 'folder') return { type: 'folder', mode: node.mode };
  const size = node.type === 'file' ? node.bytes.length : length(node.target);
  return { type: node.type, mode: node.mode, nlink: node.nlink, size };
}
