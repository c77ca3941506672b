// SPDX-License-Identifier: MIT
/** sysfs: folders of kobjects, their attributes as files, groups of attributes, links. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { EEXIST, EINVAL, ENOENT, ENOMEM } from '../../lib/errno.js';
import { readCString, readS64, readUnsigned } from '../../lib/guest_access.js';
import type { Kobjects } from '../../lib/kobject.js';
import { Attribute, AttributeGroup, Kobject, KobjType } from '../../lib/kobject_types.js';
import type { StaticData } from '../../lib/static_data.js';
import { decodeUtf8 } from '../../lib/utf8.js';
import { type Handle, PAGE_MASK_LOW, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import { S_IFDIR, S_IFLNK, S_IFREG } from '../file_modes.js';
import type { FsDeps } from '../fs_context.js';
import { type Kernfs, NODE_SYSFS } from '../kernfs/kernfs.js';

/** Folders that have a kobject of the kernel's own, and the variable that C knows it by. */
const KERNEL_KOBJECTS = {
  kernel_kobj: 'sys/kernel',
  mm_kobj: 'sys/kernel/mm',
  hypervisor_kobj: 'sys/hypervisor',
  power_kobj: 'sys/power',
  firmware_kobj: 'sys/firmware',
  fs_kobj: 'sys/fs',
  class_kobj: 'sys/class',
  virtual_kobj: 'sys/devices/virtual',
  devices_kobj: 'sys/devices',
  misc_kobj: 'sys/class/misc',
} as const;
export type KernelKobject = keyof typeof KERNEL_KOBJECTS;

/** Bin attributes have their own functions; the size is right behind the attribute. */
const BIN_SIZE = 16;

export class Sysfs {
  kobjects!: Kobjects;
  private readonly objects: Handle;
  private readonly pointers: Handle[];

  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    data: StaticData,
  ) {
    const names = Object.keys(KERNEL_KOBJECTS);
    this.objects = data.declare('sysfs_kobjects', names.length * Kobject.size);
    this.pointers = names.map((name) => data.declare(name, 8));
  }

  boot(): void {
    const { ram } = this.deps;
    Object.values(KERNEL_KOBJECTS).forEach((path, i) => {
      const kobj = this.objects + (i * Kobject.size) / 4;
      const k = Kobject.at(ram, kobj);
      const node = this.tree.folder(path);
      k.name = this.tree.at(node).name;
      k.sd = ram.addressOf(node);
      k.kref = 1 << 20; // the kernel's own: nobody takes the last reference
      k.state = 3;
      k.ktype = this.deps.symbol('dynamic_kobj_ktype');
      ram.set64(this.pointers[i], ram.addressOf(kobj));
    });
  }

  kernelKobject(name: KernelKobject): Vaddr {
    const i = Object.keys(KERNEL_KOBJECTS).indexOf(name);
    return this.deps.ram.addressOf(this.objects + (i * Kobject.size) / 4);
  }

  /** The folder of a kobject; 0 if it has none. For no kobject at all, /sys. */
  dirOf(kobj: Vaddr): Handle {
    if (kobj === 0) return this.tree.folder('sys');
    const sd = this.kobjects.get(kobj, 'sd');
    return this.deps.ram.isDirect(sd) ? this.deps.ram.handleOf(sd) : 0;
  }

  /** Somebody makes a name that is there already. @linux fs/sysfs/dir.c:sysfs_warn_dup full */
  private duplicate(parent: Handle, name: string): number {
    const path = `${this.tree.pathOf(parent).replace(/^\/sys/, '')}/${name}`;
    this.deps.env.log.log(4, `sysfs: cannot create duplicate filename '${path}'`);
    this.deps.env.reports.dumpStack(['sysfs_warn_dup.cold']);
    return -EEXIST;
  }

  // ---------------------------------------------------------------- folders

  /** @linux fs/sysfs/dir.c:sysfs_create_dir_ns partial: no namespaces */
  createDir(kobj: Vaddr): number {
    const parent = this.kobjects.get(kobj, 'parent');
    return this.createDirIn(this.dirOf(parent), kobj);
  }

  /** Makes a kobject's folder in a given one, with the attributes of its type. */
  createDirIn(parent: Handle, kobj: Vaddr): number {
    const name = this.kobjects.nameOf(kobj);
    if (parent === 0) return -ENOENT;
    if (this.tree.find(parent, name) !== 0) return this.duplicate(parent, name);
    const node = this.tree.create(parent, name, { mode: S_IFDIR | 0o755, flags: NODE_SYSFS, priv: kobj });
    if (node === 0) return -ENOMEM;
    this.kobjects.set(kobj, 'sd', this.deps.ram.addressOf(node));
    const ktype = this.kobjects.get(kobj, 'ktype');
    const groups = ktype === 0 ? 0 : readS64(this.deps, ktype + KobjType.o.default_groups);
    const error = this.createGroups(kobj, groups);
    if (error !== 0) this.removeDir(kobj);
    return error;
  }

  removeDir(kobj: Vaddr): void {
    const node = this.dirOf(kobj);
    this.kobjects.set(kobj, 'sd', 0);
    if (node !== 0) this.tree.remove(node);
  }

  renameDir(kobj: Vaddr, name: string): number {
    const node = this.dirOf(kobj);
    const { parent } = this.tree.at(node);
    if (this.tree.find(parent, name) !== 0) return -EEXIST;
    return this.tree.rename(node, parent, name) ? 0 : -ENOMEM;
  }

  // ---------------------------------------------------------------- attributes

  private string(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, 255));
  }

  private nameOf(attr: Vaddr): string {
    return this.string(readS64(this.deps, attr + Attribute.o.name));
  }

  /** Makes a file of an attribute in a folder. @linux fs/sysfs/file.c:sysfs_add_file_mode_ns partial: no namespaces */
  private addFile(dir: Handle, kobj: Vaddr, attr: Vaddr, mode: number, fops: string): number {
    const name = this.nameOf(attr);
    if (name === '') return -EINVAL;
    if (this.tree.find(dir, name) !== 0) return this.duplicate(dir, name);
    const shape = {
      mode: S_IFREG | (mode & 0o777),
      flags: NODE_SYSFS,
      fops: this.deps.symbol(fops),
      priv: kobj,
      attr,
    };
    const node = this.tree.create(dir, name, shape);
    if (node === 0) return -ENOMEM;
    this.tree.at(node).size = fops === 'sysfs_bin_fops' ? readS64(this.deps, attr + BIN_SIZE) : PAGE_SIZE;
    return 0;
  }

  private modeOf(attr: Vaddr): number {
    return readUnsigned(this.deps, attr + Attribute.o.mode, 2);
  }

  /** @linux fs/sysfs/file.c:sysfs_create_file_ns partial: no namespaces */
  createFile(kobj: Vaddr, attr: Vaddr): number {
    if (kobj === 0 || attr === 0 || this.dirOf(kobj) === 0) {
      this.deps.env.reports.warn('fs/sysfs/file.c', 350, 'sysfs_create_file_ns');
      return -EINVAL;
    }
    return this.addFile(this.dirOf(kobj), kobj, attr, this.modeOf(attr), 'sysfs_file_fops');
  }

  private createBinFile(kobj: Vaddr, attr: Vaddr): number {
    if (kobj === 0 || this.dirOf(kobj) === 0) return -EINVAL;
    return this.addFile(this.dirOf(kobj), kobj, attr, this.modeOf(attr), 'sysfs_bin_fops');
  }

  /** Removes an attribute's file. */
  removeFile(kobj: Vaddr, attr: Vaddr): void {
    const dir = kobj === 0 ? 0 : this.dirOf(kobj);
    if (dir !== 0 && attr !== 0) this.removeNamed(dir, this.nameOf(attr));
  }

  private removeNamed(dir: Handle, name: string): void {
    const node = this.tree.find(dir, name);
    if (node !== 0) this.tree.remove(node);
  }

  /** Pointers of an array that ends with NULL. */
  private *pointersAt(array: Vaddr): Generator<Vaddr> {
    if (array === 0) return;
    for (let at = array; ; at += 8) {
      const pointer = readS64(this.deps, at);
      if (pointer === 0) return;
      yield pointer;
    }
  }

  private field(group: Vaddr, name: keyof typeof AttributeGroup.o): Vaddr {
    return readS64(this.deps, group + AttributeGroup.o[name]);
  }

  /** @linux fs/sysfs/group.c:internal_create_group partial: no update of groups */
  createGroup(kobj: Vaddr, group: Vaddr): number {
    const base = kobj === 0 ? 0 : this.dirOf(kobj);
    if (base === 0 || group === 0) return -EINVAL;
    const name = this.string(this.field(group, 'name'));
    let dir = base;
    if (name !== '') {
      if (this.tree.find(base, name) !== 0) return this.duplicate(base, name);
      dir = this.tree.create(base, name, { mode: S_IFDIR | 0o755, flags: NODE_SYSFS, priv: kobj });
      if (dir === 0) return -ENOMEM;
    }
    const error = this.fillGroup(dir, kobj, group);
    if (error !== 0) this.removeGroup(kobj, group);
    return error;
  }

  private fillGroup(dir: Handle, kobj: Vaddr, group: Vaddr): number {
    const kinds = [
      ['attrs', 'is_visible', 'sysfs_file_fops'],
      ['bin_attrs', 'is_bin_visible', 'sysfs_bin_fops'],
    ] as const;
    for (const [list, visible, fops] of kinds) {
      const isVisible = this.field(group, visible);
      let i = 0;
      for (const attr of this.pointersAt(this.field(group, list))) {
        const shown =
          isVisible === 0 ? this.modeOf(attr) : this.deps.callC(isVisible, 'u:ppi', kobj, attr, i);
        i++;
        if ((shown & 0xffff) === 0) continue;
        const error = this.addFile(dir, kobj, attr, shown & 0o777, fops);
        if (error !== 0) return error;
      }
    }
    return 0;
  }

  createGroups(kobj: Vaddr, groups: Vaddr): number {
    const done: Vaddr[] = [];
    for (const group of this.pointersAt(groups)) {
      const error = this.createGroup(kobj, group);
      if (error !== 0) {
        for (const made of done) this.removeGroup(kobj, made);
        return error;
      }
      done.push(group);
    }
    return 0;
  }

  /** @linux fs/sysfs/group.c:sysfs_remove_group full */
  removeGroup(kobj: Vaddr, group: Vaddr): void {
    const base = kobj === 0 ? 0 : this.dirOf(kobj);
    if (base === 0 || group === 0) return;
    const name = this.string(this.field(group, 'name'));
    if (name !== '') return this.removeNamed(base, name);
    for (const list of ['attrs', 'bin_attrs'] as const)
      for (const attr of this.pointersAt(this.field(group, list))) this.removeNamed(base, this.nameOf(attr));
  }

  removeGroups(kobj: Vaddr, groups: Vaddr): void {
    for (const group of this.pointersAt(groups)) this.removeGroup(kobj, group);
  }

  // ---------------------------------------------------------------- links

  /** Path of a node seen from a folder, as links of sysfs are: `../../devices/x`. */
  relative(from: Handle, to: Handle): string {
    const a = this.tree.pathOf(from).split('/').slice(1);
    const b = this.tree.pathOf(to).split('/').slice(1);
    let same = 0;
    while (same < a.length && same < b.length && a[same] === b[same]) same++;
    return [...a.slice(same).map(() => '..'), ...b.slice(same)].join('/');
  }

  /** @linux fs/sysfs/symlink.c:sysfs_create_link full */
  createLink(dir: Handle, target: Handle, name: string, priv: Vaddr = 0): number {
    if (dir === 0 || target === 0) return dir === 0 ? -EINVAL : -ENOENT;
    if (this.tree.find(dir, name) !== 0) return this.duplicate(dir, name);
    const shape = { mode: S_IFLNK | 0o777, flags: NODE_SYSFS, target: this.relative(dir, target), priv };
    return this.tree.create(dir, name, shape) === 0 ? -ENOMEM : 0;
  }

  /** Takes a link out of a folder. */
  removeLink(dir: Handle, name: string): void {
    if (dir !== 0) this.removeNamed(dir, name);
  }

  exports(): KernelExports {
    const each = (list: Vaddr, action: (attr: Vaddr) => number): number => {
      for (const attr of this.pointersAt(list)) {
        const error = action(attr);
        if (error !== 0) return error;
      }
      return 0;
    };
    const emit = (buf: Vaddr, at: number, fmt: Vaddr, args: Vaddr, func: string): number => {
      if (buf === 0 || (buf & PAGE_MASK_LOW) !== 0 || at < 0 || at >= PAGE_SIZE) {
        this.deps.env.reports.warn('fs/sysfs/file.c', 734, func, `invalid ${func}: buf:${buf} at:${at}`);
        return 0;
      }
      const text = this.deps.format(fmt, args, PAGE_SIZE - at - 1);
      this.deps.guest.write(buf + at, Uint8Array.of(...text, 0));
      return text.length;
    };
    return {
      sysfs_create_file_ns: ['i:ppp', (k: Vaddr, attr: Vaddr) => this.createFile(k, attr)],
      sysfs_create_files: ['i:pp', (k: Vaddr, list: Vaddr) => each(list, (attr) => this.createFile(k, attr))],
      sysfs_remove_file_ns: ['v:ppp', (k: Vaddr, attr: Vaddr) => this.removeFile(k, attr)],
      sysfs_remove_files: [
        'v:pp',
        (k: Vaddr, list: Vaddr): void => {
          for (const attr of this.pointersAt(list)) this.removeFile(k, attr);
        },
      ],
      sysfs_create_bin_file: ['i:pp', (k: Vaddr, attr: Vaddr) => this.createBinFile(k, attr)],
      sysfs_remove_bin_file: ['v:pp', (k: Vaddr, attr: Vaddr) => this.removeFile(k, attr)],
      sysfs_create_group: ['i:pp', (k: Vaddr, group: Vaddr) => this.createGroup(k, group)],
      sysfs_create_groups: ['i:pp', (k: Vaddr, groups: Vaddr) => this.createGroups(k, groups)],
      sysfs_remove_group: ['v:pp', (k: Vaddr, group: Vaddr) => this.removeGroup(k, group)],
      sysfs_remove_groups: ['v:pp', (k: Vaddr, groups: Vaddr) => this.removeGroups(k, groups)],
      sysfs_create_link: [
        'i:ppp',
        (k: Vaddr, target: Vaddr, name: Vaddr) =>
          this.createLink(this.dirOf(k), target === 0 ? 0 : this.dirOf(target), this.string(name)),
      ],
      sysfs_remove_link: [
        'v:pp',
        (k: Vaddr, name: Vaddr) => this.removeNamed(this.dirOf(k), this.string(name)),
      ],
      sysfs_notify: ['v:ppp', () => undefined],
      sysfs_emit: ['i:pp…', (buf: Vaddr, fmt: Vaddr, args: Vaddr) => emit(buf, 0, fmt, args, 'sysfs_emit')],
      sysfs_emit_at: [
        'i:pip…',
        (buf: Vaddr, at: number, fmt: Vaddr, args: Vaddr) => emit(buf, at, fmt, args, 'sysfs_emit_at'),
      ],
    };
  }
}
