// SPDX-License-Identifier: MIT
/** Classes of devices: /sys/class. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import type { FsDeps } from '../../fs/fs_context.js';
import type { Kernfs } from '../../fs/kernfs/kernfs.js';
import type { Sysfs } from '../../fs/sysfs/sysfs.js';
import { EEXIST, EINVAL, ENOMEM } from '../../lib/errno.js';
import { readCString, readS64, writeInteger } from '../../lib/guest_access.js';
import type { Kobjects } from '../../lib/kobject.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { Vaddr } from '../../machine/layout.js';
import { Class } from './device_types.js';

const C = Class.o;

export class Classes {
  constructor(
    private readonly deps: FsDeps,
    private readonly tree: Kernfs,
    private readonly kobjects: Kobjects,
    private readonly sysfs: Sysfs,
  ) {}

  private get(cls: Vaddr, field: keyof typeof C): Vaddr {
    return readS64(this.deps, cls + C[field]);
  }

  /** The class whose folder a kobject is; its node remembers. */
  classOf(kobj: Vaddr): Vaddr {
    const dir = this.sysfs.dirOf(kobj);
    return dir === 0 ? 0 : this.tree.at(dir).attr;
  }

  register(cls: Vaddr): number {
    const name = decodeUtf8(readCString(this.deps, this.get(cls, 'name'), 255));
    const parent = this.sysfs.kernelKobject('class_kobj');
    if (this.tree.find(this.tree.folder('sys/class'), name) !== 0) {
      // What createDir would log and return, without an object half made.
      return this.kobjects.createAndAdd(name, parent) === 0 ? -EEXIST : -EINVAL;
    }
    const kobj = this.kobjects.createAndAdd(name, parent);
    if (kobj === 0) return -ENOMEM;
    this.kobjects.set(kobj, 'ktype', this.deps.symbol('class_ktype'));
    writeInteger(this.deps, cls + C.p, kobj, 8);
    this.tree.at(this.sysfs.dirOf(kobj)).attr = cls;
    return this.sysfs.createGroups(kobj, this.get(cls, 'class_groups'));
  }

  unregister(cls: Vaddr): void {
    const kobj = this.get(cls, 'p');
    const release = this.get(cls, 'class_release');
    this.kobjects.putRef(kobj);
    if (release !== 0) this.deps.callC(release, 'v:p', cls);
  }

  create(owner: Vaddr, name: Vaddr): Vaddr {
    const cls = this.kobjects.allocate(Class.size);
    if (cls === 0) return -ENOMEM;
    writeInteger(this.deps, cls + C.owner, owner, 8);
    writeInteger(this.deps, cls + C.name, name, 8);
    writeInteger(this.deps, cls + C.class_release, this.deps.symbol('class_create_release'), 8);
    const error = this.register(cls);
    if (error === 0) return cls;
    this.deps.kfree(cls);
    return error;
  }

  exports(): KernelExports {
    const isClass = (cls: Vaddr) => cls !== 0 && !(cls < 0 && cls >= -4095);
    return {
      __class_create: ['p:ppp', (owner: Vaddr, name: Vaddr) => this.create(owner, name)],
      __class_register: ['i:pp', (cls: Vaddr) => this.register(cls)],
      class_unregister: ['v:p', (cls: Vaddr) => this.unregister(cls)],
      class_destroy: [
        'v:p',
        (cls: Vaddr): void => {
          if (isClass(cls)) this.unregister(cls);
        },
      ],
      class_create_file_ns: [
        'i:ppp',
        (cls: Vaddr, attr: Vaddr) => (cls === 0 ? -EINVAL : this.sysfs.createFile(this.get(cls, 'p'), attr)),
      ],
      class_remove_file_ns: [
        'v:ppp',
        (cls: Vaddr, attr: Vaddr): void => {
          if (cls !== 0) this.sysfs.removeFile(this.get(cls, 'p'), attr);
        },
      ],
      class_create_release: ['v:p', (cls: Vaddr) => this.deps.kfree(cls)],
    };
  }

  /** A class of the kernel's own, whose folder is there from power-on. */
  adopt(cls: Vaddr, name: string, nameAt: Vaddr): void {
    this.deps.guest.write(nameAt, encodeUtf8(`${name}\0`));
    writeInteger(this.deps, cls + C.name, nameAt, 8);
  }
}
