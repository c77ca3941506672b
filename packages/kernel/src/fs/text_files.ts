// SPDX-License-Identifier: MIT
/** Files whose text the kernel makes when they are read: /proc/meminfo, /sys/module/NAME/refcnt, … */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { crc32 } from '../lib/crc32.js';
import { EIO, ENOMEM } from '../lib/errno.js';
import { readS64, writeS64 } from '../lib/guest_access.js';
import { iterCount } from '../lib/iov_iter.js';
import { encodeUtf8 } from '../lib/utf8.js';
import type { Handle, Vaddr } from '../machine/layout.js';
import { objectAt } from './c_pointers.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from './file_modes.js';
import type { FsDeps } from './fs_context.js';
import { File, Kiocb, SeqFile } from './fs_types.js';
import type { Kernfs } from './kernfs/kernfs.js';
import type { Place } from './namespace.js';
import { copyInIter, copyOutIter } from './readers.js';

/** Numbers of texts' files lie above those of nodes. */
const TEXT_INO = 2 ** 32;
const FOLDER_MODE = 0o555;
const LINK_MODE = 0o777;

/** A part of the tree that is made when it is looked at. Paths are full: `/proc/meminfo`. */
export interface TextProvider {
  /** Permission bits of a file; undefined if there is none. */
  mode(path: string): number | undefined;
  /** Names in a folder, folders with a slash at the end; undefined if there is no such folder. */
  list(path: string): readonly string[] | undefined;
  read(path: string): Uint8Array | undefined;
  /** Text of a link; undefined if there is none at the path. */
  link?(path: string): string | undefined;
  /** The place that a link leads to, held; undefined if its text says it. */
  place?(path: string): Place | undefined;
  /** @returns 0 or a negative errno */
  write?(path: string, bytes: Uint8Array): number;
  /** Opened with O_TRUNC: what there was is forgotten. */
  truncate?(path: string): void;
}

export class TextFiles {
  readonly providers: TextProvider[] = [];

  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    /** The node of an open file. */
    private readonly nodeOf: (file: Handle) => Handle,
  ) {}

  private providerOf(path: string): TextProvider | undefined {
    return this.providers.find((provider) => provider.mode(path) !== undefined);
  }

  mode(path: string): number | undefined {
    for (const provider of this.providers) {
      const mode = provider.mode(path);
      if (mode !== undefined) return mode;
    }
    return undefined;
  }

  read(path: string): Uint8Array | undefined {
    return this.providerOf(path)?.read(path);
  }

  /** Somebody opens a text with O_TRUNC. */
  truncate(path: string): void {
    this.providerOf(path)?.truncate?.(path);
  }

  /** Names in a folder; undefined if no provider has it. */
  list(path: string): string[] | undefined {
    const lists = this.providers.map((provider) => provider.list(path)).filter((list) => list !== undefined);
    return lists.length === 0 ? undefined : [...new Set(lists.flat())];
  }

  private isFolder(path: string): boolean {
    return this.providers.some((provider) => provider.list(path) !== undefined);
  }

  /** Text of a link; undefined if there is none at a path. */
  link(path: string): string | undefined {
    for (const provider of this.providers) {
      const target = provider.link?.(path);
      if (target !== undefined) return target;
    }
    return undefined;
  }

  /** The place that a link leads to whatever its text is, held. */
  place(path: string): Place | undefined {
    return this.providers.find((provider) => provider.place)?.place?.(path);
  }

  /** Whether there is a text or a folder of texts at a path. */
  exists(path: string): boolean {
    return this.mode(path) !== undefined || this.link(path) !== undefined || this.isFolder(path);
  }

  /** The number of a text's file: always the same for the same path. */
  ino(path: string): number {
    return TEXT_INO + crc32(encodeUtf8(path));
  }

  /** A node for a text or a folder of texts, held by the caller; 0 if there is none of that name, or no memory. */
  node(folder: Handle, name: string): Handle {
    const path = `${this.tree.pathOf(folder)}/${name}`;
    const mode = this.mode(path);
    const ino = this.ino(path);
    if (mode !== undefined) {
      const fops = this.deps.symbol('text_fops');
      return this.tree.createText(folder, name, { mode: S_IFREG | mode, fops, ino });
    }
    if (this.link(path) !== undefined)
      return this.tree.createText(folder, name, { mode: S_IFLNK | LINK_MODE, ino });
    if (!this.isFolder(path)) return 0;
    return this.tree.createText(folder, name, { mode: S_IFDIR | FOLDER_MODE, ino });
  }

  private pathOf(file: Handle): string {
    return this.tree.pathOf(this.nodeOf(file));
  }

  /** Makes the text of an open file anew. */
  private fill(file: Handle): number {
    const { deps } = this;
    this.release(file);
    const text = this.read(this.pathOf(file)) ?? new Uint8Array();
    const record = deps.kmalloc(SeqFile.size);
    const buf = record === 0 ? 0 : deps.kmalloc(Math.max(text.length, 1));
    if (buf === 0) {
      if (record !== 0) deps.kfree(record);
      return -ENOMEM;
    }
    const m = deps.ram.handleOf(record);
    deps.ram.fill(m * 4, SeqFile.size, 0);
    const seq = SeqFile.at(deps.ram, m);
    seq.buf = buf;
    seq.count = text.length;
    deps.guest.write(buf, text);
    File.at(this.deps.ram, file).private_data = record;
    return 0;
  }

  private release(file: Handle): number {
    const { deps } = this;
    const f = File.at(this.deps.ram, file);
    if (f.private_data === 0) return 0;
    deps.kfree(SeqFile.at(deps.ram, deps.ram.handleOf(f.private_data)).buf);
    deps.kfree(f.private_data);
    f.private_data = 0;
    return 0;
  }

  exports(): KernelExports {
    const { deps } = this;
    return {
      text_read_iter: [
        'l:pp',
        (iocb: Vaddr, to: Vaddr) => {
          const file = objectAt(deps, readS64(deps, iocb + Kiocb.o.ki_filp), File.size);
          const fresh =
            readS64(deps, iocb + Kiocb.o.ki_pos) === 0 || File.at(deps.ram, file).private_data === 0;
          const error = fresh ? this.fill(file) : 0;
          if (error !== 0) return error;
          const seq = SeqFile.at(deps.ram, deps.ram.handleOf(File.at(deps.ram, file).private_data));
          return copyOutIter(deps, seq.buf, seq.count, iocb, to);
        },
      ],
      text_write_iter: [
        'l:pp',
        (iocb: Vaddr, from: Vaddr) => {
          const path = this.pathOf(objectAt(deps, readS64(deps, iocb + Kiocb.o.ki_filp), File.size));
          const write = this.providerOf(path)?.write;
          if (!write) return -EIO;
          const count = iterCount(deps, from);
          const n = Math.min(count, 65536);
          const copy = copyInIter(deps, n, from);
          if (copy < 0 && copy > -4096) return copy;
          const error = write(path, deps.guest.read(copy, n));
          deps.kfree(copy);
          if (error < 0) return error;
          const ppos = iocb + Kiocb.o.ki_pos;
          writeS64(deps, ppos, readS64(deps, ppos) + count);
          return count;
        },
      ],
      text_release: ['i:pp', (_inode: Vaddr, file: Vaddr) => this.release(deps.ram.handleOf(file))],
    };
  }
}
