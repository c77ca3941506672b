// SPDX-License-Identifier: MIT
/**
 * How a mount comes to its file system: an `fs_context` is made, takes the options one by one, and at the end holds
 * the root. Types that know only the older way, one function `mount` for all of it, are asked that way.
 *
 *     init_fs_context(fc) ─ parse_param(fc, "source"=…) ─ parse_param(fc, each option) ─ get_tree(fc) ─ fc->root
 *
 * @linux fs/fs_context.c partial: no fsopen(), no reconfiguration, no log but the kernel's
 */

import type { KernelExports } from '../arch/wasm64/exports.js';
import { EBUSY, EINVAL, ENODEV, ENOMEM } from '../lib/errno.js';
import { readCString, readS64, readU8 } from '../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../machine/layout.js';
import { objectAt } from './c_pointers.js';
import type { Dcache } from './dcache.js';
import type { FsDeps } from './fs_context.js';
import { SB_SILENT, type Supers } from './super.js';
import { FsContext, FsContextOperations, FsParameter } from './vfs_types.js';

export const ENOPARAM = 519;
const FS_VALUE_IS_FLAG = 1;
const FS_VALUE_IS_STRING = 2;
const SB_DIRSYNC = 0x80;
const SB_LAZYTIME = 2 ** 25;
const SB_MANDLOCK = 0x40;
const SB_RDONLY = 1;
const SB_SYNCHRONOUS = 0x10;
/** Options that every file system has: the flag, and whether it is set. */
const COMMON_FLAGS: { readonly [key: string]: readonly [flag: number, set: boolean] } = {
  dirsync: [SB_DIRSYNC, true],
  lazytime: [SB_LAZYTIME, true],
  mand: [SB_MANDLOCK, true],
  ro: [SB_RDONLY, true],
  sync: [SB_SYNCHRONOUS, true],
  async: [SB_SYNCHRONOUS, false],
  nolazytime: [SB_LAZYTIME, false],
  nomand: [SB_MANDLOCK, false],
  rw: [SB_RDONLY, false],
};

export class MountContexts {
  constructor(
    private readonly deps: FsDeps,
    private readonly dcache: Dcache,
    private readonly supers: Supers,
  ) {}

  private at(fc: Handle) {
    return FsContext.at(this.deps.ram, fc);
  }

  private operation(fc: Handle, name: keyof typeof FsContextOperations.o): Vaddr {
    return readS64(this.deps, this.at(fc).ops + FsContextOperations.o[name]);
  }

  private text(at: Vaddr): string {
    return at === 0 ? '' : decodeUtf8(readCString(this.deps, at, PAGE_SIZE));
  }

  private string(text: string): Vaddr {
    const bytes = encodeUtf8(text);
    const at = this.deps.kmalloc(bytes.length + 1);
    if (at !== 0) this.deps.guest.write(at, Uint8Array.of(...bytes, 0));
    return at;
  }

  // ---------------------------------------------------------------- mounting

  /**
   * Mounts a type: the root of its file system, held, with a count of its super block.
   * @param device, data addresses of strings; data may be 0
   * @returns a dentry, or a negative errno
   * @linux fs/namespace.c:do_new_mount full
   */
  mount(type: Vaddr, flags: number, device: Vaddr, data: Vaddr): number {
    const { supers } = this;
    if (!supers.getType(type)) return -ENODEV;
    const legacy = supers.field(type, 'init_fs_context') === 0;
    const root = legacy
      ? this.legacy(type, flags, device, data)
      : this.withContext(type, flags, (fc) => this.fill(fc, device, data));
    supers.putType(type);
    return root;
  }

  /** @linux fs/fs_context.c:legacy_get_tree full */
  private legacy(type: Vaddr, flags: number, device: Vaddr, data: Vaddr): number {
    const { supers, deps } = this;
    const mount = supers.field(type, 'mount');
    if (mount === 0) return -ENODEV;
    const empty = data !== 0 && readU8(deps, data) === 0;
    const root = deps.callC(mount, 'p:pipp', type, flags, device, empty ? 0 : data);
    if (root < 0 && root >= -4095) return root;
    return this.checkRoot(type, root);
  }

  /** What a file system says is its root. @linux fs/super.c:vfs_get_tree full */
  private checkRoot(type: Vaddr, root: Vaddr): Handle {
    const { deps } = this;
    if (root === 0) {
      deps.env.log.log(3, `Filesystem ${this.supers.typeName(type)} get_tree() didn't set fc->root`);
      deps.env.reports.bug('fs/super.c', 1559, 'vfs_get_tree');
    }
    const dentry = objectAt(deps, root, 8);
    this.supers.at(this.dcache.at(dentry).d_sb);
    return dentry;
  }

  private withContext(type: Vaddr, flags: number, use: (fc: Handle) => number): number {
    const fc = this.create(type, flags);
    if (fc < 0) return fc;
    const error = use(fc);
    let result = error;
    if (error === 0) {
      result = this.at(fc).root;
      this.at(fc).root = 0;
    }
    this.put(fc);
    return result;
  }

  /** Gives a context its options, and has it get its root. */
  private fill(fc: Handle, device: Vaddr, data: Vaddr): number {
    const source = this.string('source');
    if (source === 0) return -ENOMEM;
    const error = this.parseString(fc, source, device) || this.parseMonolithic(fc, data);
    this.deps.kfree(source);
    return error || this.getTree(fc);
  }

  /** @linux fs/super.c:vfs_get_tree full */
  private getTree(fc: Handle): number {
    const { deps } = this;
    if (this.at(fc).root !== 0) return -EBUSY;
    const error = deps.callC(this.operation(fc, 'get_tree'), 'i:p', deps.ram.addressOf(fc));
    if (error < 0) return error;
    this.checkRoot(this.at(fc).fs_type, readS64(deps, deps.ram.addressOf(fc) + FsContext.o.root));
    return 0;
  }

  // ---------------------------------------------------------------- contexts

  /** @returns a negative errno if the type makes none @linux fs/fs_context.c:alloc_fs_context full */
  private create(type: Vaddr, flags: number): number {
    const { deps } = this;
    const address = deps.kmalloc(FsContext.size);
    if (address === 0) return -ENOMEM;
    const fc = deps.ram.handleOf(address);
    deps.ram.fill(fc * 4, FsContext.size, 0);
    const c = this.at(fc);
    c.fs_type = type;
    c.sb_flags = flags;
    c.user_ns = deps.symbol('init_user_ns');
    this.supers.getType(type);
    const error = deps.callC(this.supers.field(type, 'init_fs_context'), 'i:p', address);
    if (error < 0) {
      this.put(fc);
      return error;
    }
    c.need_free = 1;
    return fc;
  }

  /** @linux fs/fs_context.c:put_fs_context full */
  private put(fc: Handle): void {
    const { deps, supers } = this;
    const c = this.at(fc);
    if (c.root !== 0) {
      const sb = this.dcache.at(c.root).d_sb;
      this.dcache.put(c.root);
      c.root = 0;
      supers.deactivate(sb);
    }
    const free = c.need_free === 0 ? 0 : this.operation(fc, 'free');
    if (free !== 0) deps.callC(free, 'v:p', deps.ram.addressOf(fc));
    if (c.source !== 0) deps.kfree(c.source);
    supers.putType(c.fs_type);
    deps.kfree(deps.ram.addressOf(fc));
  }

  // ---------------------------------------------------------------- options

  /** @linux fs/fs_context.c:vfs_parse_fs_param full */
  private parse(fc: Handle, param: Vaddr): number {
    const { deps } = this;
    const key = readS64(deps, param + FsParameter.o.key);
    if (key === 0) return this.invalid('Unnamed parameter');
    if (this.parseFlag(fc, this.text(key), param)) return 0;
    const own = this.operation(fc, 'parse_param');
    if (own !== 0) {
      const error = deps.callC(own, 'i:pp', deps.ram.addressOf(fc), param);
      if (error !== -ENOPARAM) return error;
    }
    const error = this.parseSource(fc, param);
    if (error !== -ENOPARAM) return error;
    return this.invalid(
      `${this.supers.typeName(this.at(fc).fs_type)}: Unknown parameter '${this.text(key)}'`,
    );
  }

  invalid(message: string): number {
    this.deps.env.log.log(3, message);
    return -EINVAL;
  }

  /** @linux fs/fs_context.c:vfs_parse_sb_flag full */
  private parseFlag(fc: Handle, key: string, param: Vaddr): boolean {
    if (
      readU8(this.deps, param + FsParameter.o.type) !== FS_VALUE_IS_FLAG ||
      !Object.hasOwn(COMMON_FLAGS, key)
    )
      return false;
    const [flag, set] = COMMON_FLAGS[key];
    const c = this.at(fc);
    c.sb_flags = set ? c.sb_flags | flag : c.sb_flags & ~flag;
    c.sb_flags_mask |= flag;
    return true;
  }

  /** @linux fs/fs_context.c:vfs_parse_fs_param_source full */
  private parseSource(fc: Handle, param: Vaddr): number {
    const { deps } = this;
    if (this.text(readS64(deps, param + FsParameter.o.key)) !== 'source') return -ENOPARAM;
    if (readU8(deps, param + FsParameter.o.type) !== FS_VALUE_IS_STRING)
      return this.invalid('Non-string source');
    const c = this.at(fc);
    if (c.source !== 0) return this.invalid('Multiple sources');
    c.source = readS64(deps, param + FsParameter.o.string);
    deps.ram.set64(objectAt(deps, param + FsParameter.o.string, 8), 0);
    return 0;
  }

  /** @param value 0 for an option without one @linux fs/fs_context.c:vfs_parse_fs_string full */
  private parseString(fc: Handle, key: Vaddr, value: Vaddr, bytes?: number): number {
    const { deps } = this;
    const text = value === 0 ? undefined : readCString(deps, value, bytes);
    const at = deps.kmalloc(FsParameter.size);
    const copy = at === 0 || text === undefined ? 0 : deps.kmalloc(text.length + 1);
    if (at === 0 || (text !== undefined && copy === 0)) {
      if (at !== 0) deps.kfree(at);
      return -ENOMEM;
    }
    const h = deps.ram.handleOf(at);
    deps.ram.fill(h * 4, FsParameter.size, 0);
    const p = FsParameter.at(deps.ram, h);
    p.key = key;
    p.type = text === undefined ? FS_VALUE_IS_FLAG : FS_VALUE_IS_STRING;
    p.string = copy;
    p.size = text?.length ?? 0;
    if (text !== undefined) deps.guest.write(copy, Uint8Array.of(...text, 0));
    const error = this.parse(fc, at);
    if (p.string !== 0) deps.kfree(p.string);
    deps.kfree(at);
    return error;
  }

  private parseMonolithic(fc: Handle, data: Vaddr): number {
    const own = this.operation(fc, 'parse_monolithic');
    if (own !== 0) return this.deps.callC(own, 'i:pp', this.deps.ram.addressOf(fc), data);
    return this.generic(fc, data);
  }

  /** Takes a text of options apart: `size=5,quiet`. @linux fs/fs_context.c:generic_parse_monolithic full */
  private generic(fc: Handle, data: Vaddr): number {
    for (const option of this.text(data).split(',')) {
      const [key, ...rest] = option.split('=');
      if (key === '') continue;
      const error = this.parseOption(fc, key, rest.length === 0 ? undefined : rest.join('='));
      if (error < 0) return error;
    }
    return 0;
  }

  private parseOption(fc: Handle, key: string, value: string | undefined): number {
    const name = this.string(key);
    const text = name === 0 || value === undefined ? 0 : this.string(value);
    const missing = name === 0 || (value !== undefined && text === 0);
    const error = missing ? -ENOMEM : this.parseString(fc, name, text);
    for (const at of [name, text]) if (at !== 0) this.deps.kfree(at);
    return error;
  }

  // ---------------------------------------------------------------- what C's get_tree calls

  /**
   * Gets a super block for a context, fills it if it is fresh, and makes its root the context's.
   * @param shares whether one that is there is the one wanted
   * @linux fs/super.c:vfs_get_super full
   */
  private getSuper(fcAddress: Vaddr, fill: Vaddr, shares: (sb: Handle) => boolean): number {
    const { deps, supers } = this;
    const c = this.at(objectAt(deps, fcAddress, FsContext.size));
    const there = supers.all().find((sb) => supers.at(sb).s_type === c.fs_type && shares(sb));
    if (there !== undefined) {
      supers.at(there).s_active++;
      c.root = this.dcache.get(supers.at(there).s_root);
      return 0;
    }
    const sb = supers.create(c.fs_type, c.sb_flags);
    if (sb === 0) return -ENOMEM;
    supers.at(sb).s_fs_info = c.s_fs_info;
    supers.at(sb).s_iflags = c.s_iflags;
    c.s_fs_info = 0;
    const error = deps.callC(fill, 'i:pp', deps.ram.addressOf(sb), fcAddress);
    if (error !== 0) {
      supers.deactivate(sb);
      return error;
    }
    const root = supers.activate(sb);
    c.root = root === 0 ? 0 : deps.ram.handleOf(root);
    return 0;
  }

  exports(): KernelExports {
    const { deps, supers } = this;
    const fc = (at: Vaddr) => objectAt(deps, at, FsContext.size);
    const single = (at: Vaddr, fill: Vaddr) => this.getSuper(at, fill, () => true);
    return {
      get_tree_nodev: ['i:pp', (at: Vaddr, fill: Vaddr) => this.getSuper(at, fill, () => false)],
      get_tree_single: ['i:pp', single],
      get_tree_single_reconf: ['i:pp', (at: Vaddr, fill: Vaddr) => single(at, fill)],
      get_tree_keyed: [
        'i:ppp',
        (at: Vaddr, fill: Vaddr, key: Vaddr) => {
          this.at(fc(at)).s_fs_info = key;
          return this.getSuper(at, fill, (sb) => supers.at(sb).s_fs_info === key);
        },
      ],
      vfs_get_tree: ['i:p', (at: Vaddr) => this.getTree(fc(at))],
      vfs_parse_fs_param: ['i:pp', (at: Vaddr, param: Vaddr) => this.parse(fc(at), param)],
      vfs_parse_fs_param_source: ['i:pp', (at: Vaddr, param: Vaddr) => this.parseSource(fc(at), param)],
      vfs_parse_fs_string: [
        'i:pppz',
        (at: Vaddr, key: Vaddr, value: Vaddr, bytes: number) => this.parseString(fc(at), key, value, bytes),
      ],
      generic_parse_monolithic: ['i:pp', (at: Vaddr, data: Vaddr) => this.generic(fc(at), data)],
      put_fs_context: ['v:p', (at: Vaddr) => this.put(fc(at))],
      fs_context_for_mount: [
        'p:pu',
        (type: Vaddr, flags: number) => {
          const made = this.create(type, flags & ~SB_SILENT);
          return made < 0 ? made : deps.ram.addressOf(made);
        },
      ],
      logfc: [
        'v:ppip…',
        (_log: Vaddr, prefix: Vaddr, level: number, format: Vaddr, args: Vaddr) => {
          const text = decodeUtf8(deps.format(format, args, 1024));
          const before = prefix === 0 ? '' : `${this.text(prefix)}: `;
          deps.env.log.log(level === 0x77 ? 4 : level === 0x65 ? 3 : 5, `${before}${text}`);
        },
      ],
    };
  }
}
