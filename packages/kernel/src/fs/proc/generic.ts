// SPDX-License-Identifier: MIT
/** Entries of /proc that modules make. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { ENOENT, ENOMEM } from '../../lib/errno.js';
import { readCString } from '../../lib/guest_access.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../file_modes.js';
import type { FileTable } from '../file_table.js';
import type { FsDeps } from '../fs_context.js';
import { Inode } from '../fs_types.js';
import { type Kernfs, NODE_PROC, type NodeShape } from '../kernfs/kernfs.js';
import type { SeqFiles } from '../seq_file.js';

export class ProcEntries {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly files: FileTable,
    private readonly seq: SeqFiles,
    /** Runs the release functions of who has an entry open. */
    private readonly rundown: (node: Handle) => void,
  ) {}

  private string(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, 4096));
  }

  private folderOf(parent: Vaddr): Handle {
    return parent === 0 ? this.tree.folder('proc') : this.deps.ram.handleOf(parent);
  }

  /** The folder in which the last part of a path lies, which may begin with folders; 0 if there is none. */
  private place(path: string, parent: Vaddr): { folder: Handle; name: string } {
    const parts = path.split('/');
    let folder = this.folderOf(parent);
    for (const part of parts.slice(0, -1)) folder = folder === 0 ? 0 : this.tree.find(folder, part);
    return { folder, name: parts[parts.length - 1] };
  }

  /** @linux fs/proc/generic.c:proc_register partial: an error is returned for a name that is there */
  private create(nameAt: Vaddr, parent: Vaddr, shape: NodeShape): Vaddr {
    const path = this.string(nameAt);
    const { folder, name } = this.place(path, parent);
    const warn = (message: string) =>
      this.deps.env.reports.warn('fs/proc/generic.c', 377, 'proc_register', message);
    if (folder === 0 || name === '') {
      warn(`name '${path}'`);
      return 0;
    }
    if (this.tree.find(folder, name) !== 0) {
      const where = this.tree
        .pathOf(folder)
        .replace(/^\/proc$/, '/proc')
        .replace(/^\/proc\//, '');
      warn(`proc_dir_entry '${where}/${name}' already registered`);
      return 0;
    }
    const node = this.tree.create(folder, name, { ...shape, flags: NODE_PROC });
    return node === 0 ? 0 : this.deps.ram.addressOf(node);
  }

  private file(name: Vaddr, mode: number, parent: Vaddr, shape: Omit<NodeShape, 'mode'>): Vaddr {
    const type = (mode & S_IFMT) === 0 ? S_IFREG : 0;
    const permissions = (mode & 0o777) === 0 ? 0o444 : 0;
    return this.create(name, parent, { ...shape, mode: mode | type | permissions });
  }

  private mkdir(name: Vaddr, mode: number, parent: Vaddr, priv: Vaddr): Vaddr {
    return this.create(name, parent, { mode: S_IFDIR | (mode === 0 ? 0o555 : mode & 0o7777), priv });
  }

  /** Takes an entry and all below it away. */
  private remove(node: Handle): void {
    for (const child of this.tree.children(node)) this.remove(child);
    this.rundown(node);
    this.tree.remove(node);
  }

  private removeNamed(nameAt: Vaddr, parent: Vaddr): number {
    const path = this.string(nameAt);
    const { folder, name } = this.place(path, parent);
    const node = folder === 0 ? 0 : this.tree.find(folder, name);
    if (node === 0) {
      this.deps.env.reports.warn('fs/proc/generic.c', 712, 'remove_proc_entry', `name '${path}'`);
      return -ENOENT;
    }
    this.remove(node);
    return 0;
  }

  /** The node of an inode; undefined if it is none of the kernel's tree. */
  private nodeOf(inode: Vaddr) {
    const node = this.files.kernelNode(this.deps.ram.handleOf(inode));
    return node === 0 ? undefined : this.tree.at(node);
  }

  exports(): KernelExports {
    const { deps, seq } = this;
    const { ram } = deps;
    const priv = (inode: Vaddr) => Inode.at(ram, ram.handleOf(inode)).i_private;
    return {
      proc_create: [
        'p:pupp',
        (name: Vaddr, mode: number, parent: Vaddr, fops: Vaddr) => this.file(name, mode, parent, { fops }),
      ],
      proc_create_data: [
        'p:puppp',
        (name: Vaddr, mode: number, parent: Vaddr, fops: Vaddr, data: Vaddr) =>
          this.file(name, mode, parent, { fops, priv: data }),
      ],
      proc_create_seq_private: [
        'p:puppup',
        (name: Vaddr, mode: number, parent: Vaddr, ops: Vaddr, stateSize: number, data: Vaddr) =>
          this.file(name, mode, parent, {
            fops: deps.symbol('proc_seq_ops'),
            attr: ops,
            stateSize,
            priv: data,
          }),
      ],
      proc_create_single_data: [
        'p:puppp',
        (name: Vaddr, mode: number, parent: Vaddr, show: Vaddr, data: Vaddr) =>
          this.file(name, mode, parent, { fops: deps.symbol('proc_single_ops'), attr: show, priv: data }),
      ],
      proc_mkdir: ['p:pp', (name: Vaddr, parent: Vaddr) => this.mkdir(name, 0, parent, 0)],
      proc_mkdir_mode: [
        'p:pup',
        (name: Vaddr, mode: number, parent: Vaddr) => this.mkdir(name, mode, parent, 0),
      ],
      proc_mkdir_data: [
        'p:pupp',
        (name: Vaddr, mode: number, parent: Vaddr, data: Vaddr) => this.mkdir(name, mode, parent, data),
      ],
      proc_symlink: [
        'p:ppp',
        (name: Vaddr, parent: Vaddr, target: Vaddr) =>
          this.create(name, parent, { mode: S_IFLNK | 0o777, target: this.string(target) }),
      ],
      proc_set_size: [
        'v:pl',
        (de: Vaddr, size: number): void => {
          this.tree.at(ram.handleOf(de)).size = size;
        },
      ],
      proc_set_user: [
        'v:puu',
        (de: Vaddr, uid: number, gid: number): void => {
          const n = this.tree.at(ram.handleOf(de));
          n.uid = uid;
          n.gid = gid;
        },
      ],
      proc_remove: [
        'v:p',
        (de: Vaddr): void => {
          if (de !== 0) this.remove(ram.handleOf(de));
        },
      ],
      remove_proc_entry: ['v:pp', (name: Vaddr, parent: Vaddr) => void this.removeNamed(name, parent)],
      remove_proc_subtree: ['i:pp', (name: Vaddr, parent: Vaddr) => this.removeNamed(name, parent)],
      pde_data: ['p:p', priv],
      proc_get_parent_data: ['p:p', (inode: Vaddr) => this.tree.at(this.nodeOf(inode)?.parent ?? 0).priv],
      proc_seq_open: [
        'i:pp',
        (inode: Vaddr, file: Vaddr) => {
          const n = this.nodeOf(inode);
          if (n === undefined) return -ENOENT;
          if (n.state_size === 0) return seq.open(file, n.attr);
          return seq.openPrivate(file, n.attr, n.state_size) === 0 ? -ENOMEM : 0;
        },
      ],
      proc_seq_release: [
        'i:pp',
        (inode: Vaddr, file: Vaddr) => {
          if ((this.nodeOf(inode)?.state_size ?? 0) > 0) deps.kfree(seq.of(file).private);
          return seq.release(file);
        },
      ],
      proc_single_open: [
        'i:pp',
        (inode: Vaddr, file: Vaddr) => seq.singleOpen(file, this.nodeOf(inode)?.attr ?? 0, priv(inode)),
      ],
    };
  }
}
