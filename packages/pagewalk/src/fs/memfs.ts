// SPDX-License-Identifier: MIT
/** A file system in memory: the shell's root. */

import { type Filesystem, FsError, type Stat } from './filesystem.js';

interface Node {
  type: 'file' | 'directory' | 'symlink';
  mode: number;
  mtimeMs: number;
  /** A file's content; grows by doubling, so `size` says how much of it counts. */
  bytes: Uint8Array;
  size: number;
  target: string;
  entries: Map<string, Node>;
}

export class MemFs implements Filesystem {
  private readonly root: Node;

  /** @param now milliseconds since 1970, for the times of files */
  constructor(private readonly now: () => number) {
    this.root = this.node('directory', 0o755);
  }

  private node(type: Node['type'], mode: number, target = ''): Node {
    return { type, mode, mtimeMs: this.now(), bytes: new Uint8Array(0), size: 0, target, entries: new Map() };
  }

  private find(path: string): Node {
    let node = this.root;
    for (const part of path.split('/')) {
      if (part === '') continue;
      if (node.type !== 'directory') throw new FsError('ENOTDIR', path);
      const next = node.entries.get(part);
      if (!next) throw new FsError('ENOENT', path);
      node = next;
    }
    return node;
  }

  private parent(path: string): { folder: Node; name: string } {
    const slash = path.lastIndexOf('/');
    const folder = this.find(path.slice(0, slash));
    if (folder.type !== 'directory') throw new FsError('ENOTDIR', path);
    return { folder, name: path.slice(slash + 1) };
  }

  private add(path: string, node: Node): void {
    const { folder, name } = this.parent(path);
    if (name === '' || folder.entries.has(name)) throw new FsError('EEXIST', path);
    folder.entries.set(name, node);
    folder.mtimeMs = this.now();
  }

  lstat(path: string): Stat {
    const { type, mode, mtimeMs, size, target } = this.find(path);
    return { type, mode, mtimeMs, size: type === 'symlink' ? target.length : size };
  }

  readdir(path: string): string[] {
    return [...this.find(path).entries.keys()];
  }

  readFile(path: string): Uint8Array {
    const node = this.find(path);
    return node.bytes.slice(0, node.size);
  }

  writeFile(path: string, bytes: Uint8Array, append: boolean): void {
    const { folder, name } = this.parent(path);
    let node = folder.entries.get(name);
    if (name === '' || node?.type === 'directory') throw new FsError('EISDIR', path);
    if (!node) folder.entries.set(name, (node = this.node('file', 0o644)));
    const start = append ? node.size : 0;
    if (start + bytes.length > node.bytes.length) {
      const grown = new Uint8Array(Math.max(start + bytes.length, append ? node.bytes.length * 2 : 0));
      grown.set(node.bytes.subarray(0, start));
      node.bytes = grown;
    }
    node.bytes.set(bytes, start);
    node.size = start + bytes.length;
    node.mtimeMs = this.now();
  }

  readlink(path: string): string {
    return this.find(path).target;
  }

  mkdir(path: string): void {
    this.add(path, this.node('directory', 0o755));
  }

  rmdir(path: string): void {
    const node = this.find(path);
    if (node.type !== 'directory') throw new FsError('ENOTDIR', path);
    if (node === this.root) throw new FsError('EBUSY', path);
    if (node.entries.size > 0) throw new FsError('ENOTEMPTY', path);
    const { folder, name } = this.parent(path);
    folder.entries.delete(name);
  }

  unlink(path: string): void {
    if (this.find(path).type === 'directory') throw new FsError('EISDIR', path);
    const { folder, name } = this.parent(path);
    folder.entries.delete(name);
  }

  rename(from: string, to: string): void {
    const node = this.find(from);
    if (to === from) return;
    if (to.startsWith(`${from}/`)) throw new FsError('EINVAL', from);
    const target = this.parent(to);
    const old = target.folder.entries.get(target.name);
    if (old?.type === 'directory' && node.type !== 'directory') throw new FsError('EISDIR', to);
    if (old && old.type !== 'directory' && node.type === 'directory') throw new FsError('ENOTDIR', to);
    if (old && old.entries.size > 0) throw new FsError('ENOTEMPTY', to);
    const source = this.parent(from);
    source.folder.entries.delete(source.name);
    target.folder.entries.set(target.name, node);
  }

  symlink(target: string, path: string): void {
    this.add(path, this.node('symlink', 0o777, target));
  }

  link(from: string, to: string): void {
    const node = this.find(from);
    if (node.type === 'directory') throw new FsError('EPERM', from);
    this.add(to, node);
  }

  chmod(path: string, mode: number): void {
    this.find(path).mode = mode;
  }

  utimes(path: string, mtimeMs: number): void {
    this.find(path).mtimeMs = mtimeMs;
  }
}
