// SPDX-License-Identifier: MIT
/** Reference-counted kernel objects with a name, a parent, and a folder in sysfs. */

import type { KernelExports } from '../arch/wasm64/exports.js';
import type { Vaddr } from '../machine/layout.js';
import type { CallC } from './c_call.js';
import { KERN_ERR, type Log, type Reports } from './env.js';
import { EEXIST, EINVAL, ENOMEM } from './errno.js';
import { type GuestAccess, readCString, readS64, readUnsigned, writeInteger } from './guest_access.js';
import { GuestList } from './guest_list.js';
import { KOBJ_IN_SYSFS, KOBJ_INITIALIZED, Kobject, KobjType, Kset } from './kobject_types.js';
import { decodeUtf8, encodeUtf8 } from './utf8.js';

export interface KobjectDeps extends GuestAccess {
  readonly log: Log;
  readonly reports: Reports;
  readonly callC: CallC;
  kmalloc(bytes: number): Vaddr;
  kfree(address: Vaddr): void;
  symbol(name: string): Vaddr;
  format(format: Vaddr, args: Vaddr): Uint8Array;
  /** Makes an object's folder with the files of its type: 0 or a negative errno. */
  createDir(kobj: Vaddr): number;
  removeDir(kobj: Vaddr): void;
  renameDir(kobj: Vaddr, name: string): number;
}

const O = Kobject.o;

export class Kobjects {
  private readonly list: GuestList;

  constructor(private readonly deps: KobjectDeps) {
    this.list = new GuestList(deps);
  }

  get(kobj: Vaddr, field: 'name' | 'parent' | 'kset' | 'ktype' | 'sd'): Vaddr {
    return readS64(this.deps, kobj + O[field]);
  }

  set(kobj: Vaddr, field: 'name' | 'parent' | 'kset' | 'ktype' | 'sd', value: Vaddr): void {
    writeInteger(this.deps, kobj + O[field], value, 8);
  }

  private state(kobj: Vaddr): number {
    return readUnsigned(this.deps, kobj + O.state, 4);
  }

  private setState(kobj: Vaddr, bit: number, on: boolean): void {
    const state = this.state(kobj);
    writeInteger(this.deps, kobj + O.state, on ? state | bit : state & ~bit, 4);
  }

  refs(kobj: Vaddr): number {
    return readUnsigned(this.deps, kobj + O.kref, 4) | 0;
  }

  private setRefs(kobj: Vaddr, n: number): void {
    writeInteger(this.deps, kobj + O.kref, n, 4);
  }

  nameOf(kobj: Vaddr): string {
    const name = this.get(kobj, 'name');
    return name === 0 ? '(null)' : decodeUtf8(readCString(this.deps, name, 255));
  }

  /** Copies a name; a slash in it becomes an exclamation mark. */
  setName(kobj: Vaddr, text: string): number {
    const bytes = encodeUtf8(`${text.replaceAll('/', '!')}\0`);
    const copy = this.deps.kmalloc(bytes.length);
    if (copy === 0) return -ENOMEM;
    this.deps.guest.write(copy, bytes);
    const old = this.get(kobj, 'name');
    if (old !== 0) this.deps.kfree(old);
    this.set(kobj, 'name', copy);
    return 0;
  }

  init(kobj: Vaddr, ktype: Vaddr): void {
    const { log, reports } = this.deps;
    if (kobj === 0 || ktype === 0) {
      const what =
        kobj === 0 ? 'invalid kobject pointer!' : 'must have a ktype to be initialized properly!\n';
      log.log(KERN_ERR, `kobject (${kobj === 0 ? '(null)' : kobj}): ${what}`);
      reports.dumpStack();
      return;
    }
    if (this.state(kobj) & KOBJ_INITIALIZED) {
      log.log(KERN_ERR, 'kobject: tried to init an initialized object, something is seriously wrong.');
      reports.dumpStack();
    }
    this.setRefs(kobj, 1);
    this.list.init(kobj + O.entry);
    writeInteger(this.deps, kobj + O.state, KOBJ_INITIALIZED, 4);
    this.set(kobj, 'ktype', ktype);
  }

  add(kobj: Vaddr, parent: Vaddr, name: string): number {
    if (kobj === 0) return -EINVAL;
    if (!(this.state(kobj) & KOBJ_INITIALIZED)) {
      this.deps.log.log(
        KERN_ERR,
        `kobject '${this.nameOf(kobj)}': tried to add an uninitialized object, something is seriously wrong.`,
      );
      this.deps.reports.dumpStack();
      return -EINVAL;
    }
    const bad = this.setName(kobj, name);
    if (bad !== 0) return bad;
    this.set(kobj, 'parent', parent);
    return this.addInternal(kobj);
  }

  /** Adds an object whose name and parent are set. */
  addInternal(kobj: Vaddr): number {
    const name = this.nameOf(kobj);
    if (this.get(kobj, 'name') === 0 || name === '') {
      this.deps.reports.warn(
        'lib/kobject.c',
        223,
        'kobject_add_internal',
        'kobject: attempted to be registered with empty name!',
      );
      return -EINVAL;
    }
    const kset = this.get(kobj, 'kset');
    let parent = this.get(kobj, 'parent');
    if (kset !== 0) {
      if (parent === 0) parent = kset + Kset.o.kobj;
      this.list.addTail(kobj + O.entry, kset + Kset.o.list);
      this.getRef(kset + Kset.o.kobj);
      this.set(kobj, 'parent', parent);
    }
    if (parent !== 0) this.getRef(parent);
    const error = this.deps.createDir(kobj);
    if (error === 0) {
      this.setState(kobj, KOBJ_IN_SYSFS, true);
      return 0;
    }
    this.leave(kobj);
    if (error === -EEXIST)
      this.deps.log.log(
        KERN_ERR,
        `kobject_add_internal failed for ${name} with -EEXIST, don't try to register things with the same name in the same directory.`,
      );
    return error;
  }

  private leave(kobj: Vaddr): void {
    const kset = this.get(kobj, 'kset');
    if (kset !== 0 && this.list.next(kobj + O.entry) !== kobj + O.entry) {
      this.list.delInit(kobj + O.entry);
      this.putRef(kset + Kset.o.kobj);
    }
    const parent = this.get(kobj, 'parent');
    this.set(kobj, 'parent', 0);
    if (parent !== 0) this.putRef(parent);
  }

  del(kobj: Vaddr): void {
    if (kobj === 0 || !(this.state(kobj) & KOBJ_IN_SYSFS)) return;
    this.deps.removeDir(kobj);
    this.setState(kobj, KOBJ_IN_SYSFS, false);
    this.leave(kobj);
  }

  getRef(kobj: Vaddr): Vaddr {
    if (kobj !== 0) this.setRefs(kobj, this.refs(kobj) + 1);
    return kobj;
  }

  getUnlessZero(kobj: Vaddr): Vaddr {
    return kobj === 0 || this.refs(kobj) === 0 ? 0 : this.getRef(kobj);
  }

  putRef(kobj: Vaddr): void {
    if (kobj === 0) return;
    const refs = this.refs(kobj);
    if (refs <= 0) {
      this.deps.reports.warn(
        'lib/refcount.c',
        28,
        'refcount_warn_saturate',
        'refcount_t: underflow; use-after-free.',
      );
      return;
    }
    this.setRefs(kobj, refs - 1);
    if (refs === 1) this.cleanup(kobj);
  }

  private cleanup(kobj: Vaddr): void {
    const name = this.get(kobj, 'name');
    const ktype = this.get(kobj, 'ktype');
    this.del(kobj);
    const release = ktype === 0 ? 0 : readS64(this.deps, ktype + KobjType.o.release);
    if (release !== 0) this.deps.callC(release, 'v:p', kobj);
    if (name !== 0) this.deps.kfree(name);
  }

  /** A kobject of its own, freed with its last reference. */
  createAndAdd(name: string, parent: Vaddr): Vaddr {
    const { deps } = this;
    const kobj = this.allocate(Kobject.size);
    if (kobj === 0) return 0;
    this.init(kobj, deps.symbol('dynamic_kobj_ktype'));
    if (this.add(kobj, parent, name) === 0) return kobj;
    this.putRef(kobj);
    return 0;
  }

  /** Zeroed memory. */
  allocate(bytes: number): Vaddr {
    const at = this.deps.kmalloc(bytes);
    if (at !== 0) this.deps.guest.write(at, new Uint8Array(bytes));
    return at;
  }

  private ksetInit(kset: Vaddr): void {
    writeInteger(this.deps, kset + Kset.o.list_lock, 0, 4);
    this.list.init(kset + Kset.o.list);
    this.init(kset + Kset.o.kobj, this.get(kset + Kset.o.kobj, 'ktype') || this.deps.symbol('kset_ktype'));
  }

  private ksetCreate(name: string, uevent: Vaddr, parent: Vaddr): Vaddr {
    const kset = this.allocate(Kset.size);
    if (kset === 0) return 0;
    const kobj = kset + Kset.o.kobj;
    writeInteger(this.deps, kset + Kset.o.uevent_ops, uevent, 8);
    this.ksetInit(kset);
    if (this.add(kobj, parent, name) === 0) return kset;
    this.putRef(kobj);
    return 0;
  }

  private path(kobj: Vaddr): string {
    const parts: string[] = [];
    for (let at = kobj; at !== 0; at = this.get(at, 'parent')) parts.unshift(this.nameOf(at));
    return `/${parts.join('/')}`;
  }

  private duplicate(text: string): Vaddr {
    const bytes = encodeUtf8(`${text}\0`);
    const at = this.deps.kmalloc(bytes.length);
    if (at !== 0) this.deps.guest.write(at, bytes);
    return at;
  }

  exports(): KernelExports {
    const { deps } = this;
    const text = (fmt: Vaddr, args: Vaddr) => decodeUtf8(deps.format(fmt, args));
    const string = (at: Vaddr) => decodeUtf8(readCString(deps, at, 255));
    return {
      kobject_set_name: ['i:pp…', (k: Vaddr, fmt: Vaddr, args: Vaddr) => this.setName(k, text(fmt, args))],
      kobject_set_name_vargs: [
        'i:ppp',
        (k: Vaddr, fmt: Vaddr, args: Vaddr) => this.setName(k, text(fmt, args)),
      ],
      kobject_init: ['v:pp', (k: Vaddr, ktype: Vaddr) => this.init(k, ktype)],
      kobject_add: [
        'i:ppp…',
        (k: Vaddr, parent: Vaddr, fmt: Vaddr, args: Vaddr) => this.add(k, parent, text(fmt, args)),
      ],
      kobject_init_and_add: [
        'i:pppp…',
        (k: Vaddr, ktype: Vaddr, parent: Vaddr, fmt: Vaddr, args: Vaddr) => {
          this.init(k, ktype);
          return this.add(k, parent, text(fmt, args));
        },
      ],
      kobject_del: ['v:p', (k: Vaddr) => this.del(k)],
      kobject_create_and_add: [
        'p:pp',
        (name: Vaddr, parent: Vaddr) => this.createAndAdd(string(name), parent),
      ],
      kobject_rename: [
        'i:pp',
        (k: Vaddr, name: Vaddr) => {
          if (this.get(k, 'parent') === 0) return -EINVAL;
          return deps.renameDir(k, string(name)) || this.setName(k, string(name));
        },
      ],
      kobject_get: ['p:p', (k: Vaddr) => this.getRef(k)],
      kobject_get_unless_zero: ['p:p', (k: Vaddr) => this.getUnlessZero(k)],
      kobject_put: ['v:p', (k: Vaddr) => this.putRef(k)],
      kobject_get_path: ['p:pu', (k: Vaddr) => this.duplicate(this.path(k))],
      kobject_uevent: ['i:pi', () => 0],
      kobject_uevent_env: ['i:pip', () => 0],
      kset_init: ['v:p', (kset: Vaddr) => this.ksetInit(kset)],
      kset_register: [
        'i:p',
        (kset: Vaddr) => {
          if (kset === 0) return -EINVAL;
          this.ksetInit(kset);
          return this.addInternal(kset + Kset.o.kobj);
        },
      ],
      kset_unregister: [
        'v:p',
        (kset: Vaddr) => {
          if (kset === 0) return;
          this.del(kset + Kset.o.kobj);
          this.putRef(kset + Kset.o.kobj);
        },
      ],
      kset_create_and_add: [
        'p:ppp',
        (name: Vaddr, uevent: Vaddr, parent: Vaddr) => this.ksetCreate(string(name), uevent, parent),
      ],
      kset_find_obj: ['p:pp', (kset: Vaddr, name: Vaddr) => this.findIn(kset, string(name))],
      dynamic_kobj_release: ['v:p', (k: Vaddr) => deps.kfree(k)],
      kset_release: ['v:p', (k: Vaddr) => deps.kfree(k - Kset.o.kobj)],
    };
  }

  private findIn(kset: Vaddr, name: string): Vaddr {
    for (const entry of this.list.nodes(kset + Kset.o.list))
      if (this.nameOf(entry - O.entry) === name) return this.getUnlessZero(entry - O.entry);
    return 0;
  }
}
