// SPDX-License-Identifier: MIT
/**
 * procfs, sysfs, debugfs and tracefs as the VFS sees them: dentries and inodes over nodes of the kernel's tree, made
 * when a path leads there and gone when nobody is there any more. The nodes are the truth.
 *
 * A folder shows its nodes, and the texts that a provider makes of what the kernel knows; a text, and a folder of
 * texts, has a node for as long as it has an inode.
 */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { ENOENT, ENOMEM, EPERM } from '../../lib/errno.js';
import { encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import { ATTR_GID, ATTR_MODE, ATTR_SIZE, ATTR_UID, type Attributes } from '../attr.js';
import type { Dcache } from '../dcache.js';
import { S_IALLUGO, S_IFCHR, S_IFDIR, S_IFLNK, S_IFMT, S_IFREG } from '../file_modes.js';
import type { FsDeps } from '../fs_context.js';
import { File, FileOperations } from '../fs_types.js';
import type { Inodes } from '../inode.js';
import type { Place } from '../namespace.js';
import type { OperationTables } from '../op_tables.js';
import type { SimpleFs } from '../simple_fs.js';
import type { Supers } from '../super.js';
import type { TextFiles } from '../text_files.js';
import { DelayedCall, DentryOperations, Iattr, InodeOperations, SuperOperations } from '../vfs_types.js';
import { type Kernfs, NODE_REMOVED, NODE_TEXT } from './kernfs.js';

/** Types, the folder of the kernel's tree that each shows, and its magic number. */
const TYPES: { readonly [name: string]: readonly [folder: string, magic: number] } = {
  sysfs: ['sys', 0x62656572],
  proc: ['proc', 0x9fa0],
  debugfs: ['sys/kernel/debug', 0x64626720],
  tracefs: ['sys/kernel/tracing', 0x74726163],
};

export class KernfsMounts {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly dcache: Dcache,
    private readonly inodes: Inodes,
    private readonly supers: Supers,
    private readonly simple: SimpleFs,
    private readonly attributes: Attributes,
    private readonly texts: TextFiles,
    tables: OperationTables,
  ) {
    tables.declare(FileOperations, {
      kernfs_dir_fops: {
        read: 'generic_read_dir',
        llseek: 'dcache_dir_lseek',
        iterate_shared: 'kernfs_fop_readdir',
      },
    });
    tables.declare(InodeOperations, {
      kernfs_dir_iops: { lookup: 'kernfs_iop_lookup', setattr: 'kernfs_iop_setattr' },
      kernfs_symlink_iops: { get_link: 'kernfs_iop_get_link', setattr: 'kernfs_iop_setattr' },
      kernfs_iops: { setattr: 'kernfs_iop_setattr' },
    });
    tables.declare(SuperOperations, {
      kernfs_sops: { statfs: 'simple_statfs', evict_inode: 'kernfs_evict_inode' },
    });
    tables.declare(DentryOperations, { kernfs_dops: { d_revalidate: 'kernfs_dop_revalidate' } });
    for (const name of Object.keys(TYPES))
      supers.declare({ name, mount: 'kernfs_mount', killSb: 'kernfs_kill_sb' });
  }

  /** The node of an inode; 0 if it is no file of the kernel's tree. */
  nodeOf(inode: Handle): Handle {
    const { i_sb, i_data } = this.inodes.at(inode);
    if (i_sb === 0 || this.supers.at(i_sb).s_op !== this.sops) return 0;
    return this.deps.ram.handleOf(i_data.private_data);
  }

  private sopsAddress: Vaddr = 0;
  private get sops(): Vaddr {
    this.sopsAddress ||= this.deps.symbol('kernfs_sops');
    return this.sopsAddress;
  }

  // ---------------------------------------------------------------- inodes

  /**
   * The inode of a node in a file system, held.
   * @returns 0 if there is no memory
   * @linux fs/kernfs/inode.c:kernfs_get_inode full
   */
  private getInode(sb: Handle, node: Handle): Handle {
    const n = this.tree.at(node);
    if (n.inode !== 0 && this.inodes.at(n.inode).i_sb === sb) return this.inodes.get(n.inode);
    const inode = this.inodes.create(sb);
    if (inode === 0) return 0;
    this.tree.get(node);
    if (n.inode === 0) n.inode = inode;
    const i = this.inodes.at(inode);
    i.i_data.private_data = this.deps.ram.addressOf(node);
    i.i_mode = n.mode;
    i.i_uid = n.uid;
    i.i_gid = n.gid;
    i.i_ino = n.ino;
    i.i_size = n.size;
    i.i_private = n.priv;
    this.inodes.touch(inode, 'i_atime', 'i_mtime', 'i_ctime');
    this.setOperations(inode, n.mode, n.fops, n.rdev);
    return inode;
  }

  private setOperations(inode: Handle, mode: number, fops: Vaddr, rdev: number): void {
    const { symbol } = this.deps;
    const i = this.inodes.at(inode);
    i.i_op = symbol('kernfs_iops');
    i.i_fop = fops;
    if ((mode & S_IFMT) === S_IFDIR) {
      i.i_op = symbol('kernfs_dir_iops');
      i.i_fop = symbol('kernfs_dir_fops');
      i.i_nlink = 2;
    } else if ((mode & S_IFMT) === S_IFLNK) {
      i.i_op = symbol('kernfs_symlink_iops');
    } else if ((mode & S_IFMT) === S_IFCHR) {
      this.inodes.initSpecial(inode, mode, rdev);
    }
  }

  /** @linux fs/kernfs/inode.c:kernfs_evict_inode full */
  private evict(inode: Handle): void {
    const node = this.nodeOf(inode);
    this.inodes.finish(inode);
    if (node === 0) return;
    const n = this.tree.at(node);
    n.size = this.inodes.at(inode).i_size;
    if (n.inode === inode) n.inode = 0;
    this.tree.put(node);
  }

  /** @linux fs/kernfs/inode.c:kernfs_iop_setattr partial: sizes are not changed; a text may have a meaning for it */
  private setattr(dentry: Handle, attr: Handle): number {
    const inode = this.dcache.at(dentry).d_inode;
    const node = this.nodeOf(inode);
    const a = Iattr.at(this.deps.ram, attr);
    const n = this.tree.at(node);
    if (n.flags & NODE_TEXT && a.ia_valid & (ATTR_MODE | ATTR_UID | ATTR_GID)) return -EPERM;
    if (n.flags & NODE_TEXT && a.ia_valid & ATTR_SIZE) this.texts.truncate(this.tree.pathOf(node));
    if (a.ia_valid & ATTR_MODE) n.mode = (n.mode & S_IFMT) | (a.ia_mode & S_IALLUGO);
    if (a.ia_valid & ATTR_UID) n.uid = a.ia_uid;
    if (a.ia_valid & ATTR_GID) n.gid = a.ia_gid;
    this.attributes.copy(inode, attr);
    return 0;
  }

  // ---------------------------------------------------------------- names

  /** What a name in a folder stands for: a node, held for the caller if it is a text's; 0 if nothing. */
  private child(folder: Handle, name: string): Handle {
    const found = this.tree.find(folder, name);
    return found !== 0 ? found : this.texts.node(folder, name);
  }

  /** @linux fs/kernfs/dir.c:kernfs_iop_lookup full */
  private lookup(dir: Handle, dentry: Handle): number {
    const node = this.child(this.nodeOf(dir), this.dcache.nameOf(dentry));
    if (node === 0) {
      this.dcache.add(dentry, 0);
      return 0;
    }
    const inode = this.getInode(this.inodes.at(dir).i_sb, node);
    if (this.tree.at(node).flags & NODE_TEXT) this.tree.put(node); // its inode keeps it
    if (inode === 0) return -ENOMEM;
    this.dcache.add(dentry, inode);
    return 0;
  }

  /** @linux fs/kernfs/dir.c:kernfs_dop_revalidate full */
  private revalidate(dentry: Handle): number {
    const { d_inode } = this.dcache.at(dentry);
    if (d_inode === 0) return 0;
    const node = this.nodeOf(d_inode);
    const { flags, parent } = this.tree.at(node);
    if (flags & NODE_REMOVED) return 0;
    if (parent === 0) return 1;
    const name = this.dcache.nameOf(dentry);
    if (flags & NODE_TEXT) return Number(this.texts.exists(this.tree.pathOf(node)));
    const above = this.nodeOf(this.dcache.at(this.dcache.at(dentry).d_parent).d_inode);
    return Number(this.tree.nameOf(node) === name && parent === above);
  }

  /** @linux fs/kernfs/dir.c:kernfs_fop_readdir full */
  private readdir(file: Handle, ctx: Vaddr): number {
    const folder = this.nodeOf(File.at(this.deps.ram, file).f_inode);
    const entries = this.tree.children(folder).map((node) => {
      const { ino, mode } = this.tree.at(node);
      return { name: this.tree.nameOf(node), ino, mode };
    });
    const known = new Set(entries.map(({ name }) => name));
    const path = this.tree.pathOf(folder);
    for (const text of this.texts.list(path) ?? []) {
      const name = text.replace(/\/$/, '');
      if (known.has(name)) continue;
      known.add(name);
      const isLink = this.texts.link(`${path}/${name}`) !== undefined;
      const mode = isLink ? S_IFLNK : text.endsWith('/') ? S_IFDIR : S_IFREG;
      entries.push({ name, ino: this.texts.ino(`${path}/${name}`), mode });
    }
    return this.simple.iterate(file, ctx, entries);
  }

  /** Address of a link's text. @param done what frees it @linux fs/kernfs/symlink.c:kernfs_iop_get_link full */
  private getLink(node: Handle, done: Handle): Vaddr {
    const { ram, kmalloc, guest, symbol } = this.deps;
    if (node === 0) return 0;
    const { flags, target } = this.tree.at(node);
    if (!(flags & NODE_TEXT)) return target;
    const bytes = encodeUtf8(this.texts.link(this.tree.pathOf(node)) ?? '');
    if (bytes.length === 0) return -ENOENT;
    const text = kmalloc(bytes.length + 1);
    if (text === 0) return -ENOMEM;
    guest.write(text, Uint8Array.of(...bytes, 0));
    ram.set64(done + DelayedCall.w.fn, symbol('kfree'));
    ram.set64(done + DelayedCall.w.arg, text);
    return text;
  }

  /** The place that a link of /proc leads to whatever its text is, held. @linux fs/namei.c:nd_jump_link full */
  jump(inode: Handle): Place | undefined {
    const node = this.nodeOf(inode);
    if (node === 0 || !(this.tree.at(node).flags & NODE_TEXT)) return undefined;
    return this.texts.place(this.tree.pathOf(node));
  }

  /**
   * The dentry of a node whose folder has one that stays, held.
   * @returns 0 if there is no memory
   */
  dentryOf(parent: Handle, node: Handle): Handle {
    const dentry = this.dcache.alloc(parent, encodeUtf8(this.tree.nameOf(node)));
    if (dentry === 0) return 0;
    const inode = this.getInode(this.dcache.at(parent).d_sb, node);
    if (inode === 0) {
      this.dcache.put(dentry);
      return 0;
    }
    this.dcache.add(dentry, inode);
    return dentry;
  }

  // ---------------------------------------------------------------- mounting

  /** All mounts of a type show the same file system. @linux fs/kernfs/mount.c:kernfs_get_tree full */
  private mount(type: Vaddr, flags: number): number {
    const { ram } = this.deps;
    const there = this.supers.all().find((sb) => this.supers.at(sb).s_type === type);
    if (there !== undefined) {
      this.supers.at(there).s_active++;
      return ram.addressOf(this.dcache.get(this.supers.at(there).s_root));
    }
    const [folder, magic] = TYPES[this.supers.typeName(type)];
    const sb = this.supers.create(type, flags);
    if (sb === 0) return -ENOMEM;
    const s = this.supers.at(sb);
    s.s_magic = magic;
    s.s_op = this.sops;
    s.s_d_op = this.deps.symbol('kernfs_dops');
    const node = this.tree.folder(folder);
    const root = this.dcache.makeRoot(this.getInode(sb, node));
    if (root === 0) {
      this.supers.deactivate(sb);
      return -ENOMEM;
    }
    s.s_root = root;
    this.tree.at(node).dentry = root;
    return ram.addressOf(this.dcache.get(root));
  }

  exports(): KernelExports {
    const { ram } = this.deps;
    const h = (address: Vaddr) => ram.handleOf(address);
    return {
      kernfs_mount: ['p:pipp', (type: Vaddr, flags: number) => this.mount(type, flags)],
      kernfs_kill_sb: ['v:p', (sb: Vaddr) => this.supers.shutdown(h(sb))],
      kernfs_iop_lookup: ['p:ppu', (dir: Vaddr, dentry: Vaddr) => this.lookup(h(dir), h(dentry))],
      kernfs_iop_setattr: [
        'i:ppp',
        (_ns: Vaddr, dentry: Vaddr, attr: Vaddr) => this.setattr(h(dentry), h(attr)),
      ],
      kernfs_iop_get_link: [
        'p:ppp',
        (_dentry: Vaddr, inode: Vaddr, done: Vaddr) => this.getLink(this.nodeOf(h(inode)), h(done)),
      ],
      kernfs_evict_inode: ['v:p', (inode: Vaddr) => this.evict(h(inode))],
      kernfs_dop_revalidate: ['i:pu', (dentry: Vaddr) => this.revalidate(h(dentry))],
      kernfs_fop_readdir: ['i:pp', (file: Vaddr, ctx: Vaddr) => this.readdir(h(file), ctx)],
    };
  }
}
