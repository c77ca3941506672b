// SPDX-License-Identifier: MIT
/** register_sysctl() and its kin: tables of settings come and go. */

import type { KernelExports } from '../../arch/wasm64/exports.js';
import { CHECKED_HANDLERS } from '../../kernel/sysctl.js';
import { CtlTable, CtlTableHeader } from '../../kernel/sysctl_types.js';
import { KERN_ERR } from '../../lib/env.js';
import { readCString, readS64, readUnsigned } from '../../lib/guest_access.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import type { Handle, Vaddr } from '../../machine/layout.js';
import type { ProcSysctl, SysctlDeps } from './proc_sysctl.js';

const PATH_MAX = 4096;
/** Entries that are looked at of tables which one call registers: C can tie them into a knot. */
const MOST_ENTRIES = 10000;
const PERMISSIONS = 0o666;
/** Handlers of one number only, with its size. */
const SCALARS: { readonly [handler: string]: number } = {
  proc_douintvec: 4,
  proc_douintvec_minmax: 4,
  proc_dou8vec_minmax: 1,
};

type Field = 'procname' | 'data' | 'child' | 'proc_handler';

/** A registration under way: how many entries it may still look at, and the headers it has made. */
interface Registration {
  entriesLeft: number;
  readonly headers: Handle[];
}

export class SysctlTables {
  private checked: Map<Vaddr, string> | undefined;

  constructor(private readonly sysctl: ProcSysctl) {}

  private get deps(): SysctlDeps {
    return this.sysctl.deps;
  }

  private field(table: Vaddr, name: Field): Vaddr {
    return readS64(this.deps, table + CtlTable.o[name]);
  }

  private name(table: Vaddr): string {
    return decodeUtf8(readCString(this.deps, this.field(table, 'procname'), PATH_MAX));
  }

  private error(text: string): void {
    this.deps.env.log.log(KERN_ERR, text);
  }

  /** Name of the kernel's own handler at an address that wants data and maxlen. */
  private handlerName(address: Vaddr): string | undefined {
    this.checked ??= new Map(CHECKED_HANDLERS.map((name) => [this.deps.symbol(name), name]));
    return this.checked.get(address);
  }

  /** Addresses of a table's entries; undefined if it has more than tables have. */
  private entries(table: Vaddr, registration: Registration): Vaddr[] | undefined {
    const found: Vaddr[] = [];
    for (let at = table; this.field(at, 'procname') !== 0; at += CtlTable.size) {
      if (--registration.entriesLeft < 0) return undefined;
      found.push(at);
    }
    return found;
  }

  /** What is wrong with an entry. @linux fs/proc/proc_sysctl.c:sysctl_check_table full */
  private *mistakes(entry: Vaddr, nested: boolean): Generator<string> {
    const { deps } = this;
    if (!nested && this.field(entry, 'child') !== 0) yield 'Not a file';
    const handler = this.field(entry, 'proc_handler');
    const name = this.handlerName(handler);
    const maxlen = readUnsigned(deps, entry + CtlTable.o.maxlen, 4);
    if (name !== undefined) {
      if (this.field(entry, 'data') === 0) yield 'No data';
      if (maxlen === 0) yield 'No maxlen';
      else if (maxlen !== (SCALARS[name] ?? maxlen)) yield 'array not allowed';
    }
    if (handler === 0) yield 'No proc_handler';
    const mode = readUnsigned(deps, entry + CtlTable.o.mode, 2);
    if ((mode & PERMISSIONS) !== mode) yield `bogus .mode 0${mode.toString(8)}`;
  }

  /** True if a folder can be made, or is there. @linux fs/proc/proc_sysctl.c:get_subdir full */
  private folderCanBe(path: string): boolean {
    const parts = path.split('/');
    for (let i = 1; i <= parts.length; i++) {
      if (!this.sysctl.isFile(parts.slice(0, i).join('/'))) continue;
      const above = parts.slice(0, i - 1).map((part) => `${part}/`);
      this.error(`sysctl could not get directory: /${above.join('')}${parts[i - 1]} -20`);
      return false;
    }
    return true;
  }

  /** True if no name is there already. @linux fs/proc/proc_sysctl.c:insert_entry full */
  private namesAreFree(folder: string, entries: readonly Vaddr[]): boolean {
    const names = new Set((this.sysctl.list(folder) ?? []).map((name) => name.replace(/\/$/, '')));
    for (const entry of entries) {
      const name = this.name(entry);
      if (names.has(name)) {
        this.error(`sysctl duplicate entry: /${folder === '' ? '' : `${folder}/`}${name}`);
        return false;
      }
      names.add(name);
    }
    return true;
  }

  private isEmptyFolder(folder: string): boolean {
    for (const h of this.sysctl.headers())
      if (this.sysctl.header(h).ctl_table === 0 && this.sysctl.folderOf(h) === folder) return true;
    return false;
  }

  /**
   * Registers the files of one table.
   * @param path as given, with the slashes it has
   * @linux fs/proc/proc_sysctl.c:__register_sysctl_table full
   */
  private register(path: string, table: Vaddr, nested: boolean, registration: Registration): boolean {
    const { deps } = this;
    const all = table === 0 ? [] : this.entries(table, registration);
    const files = all?.filter((entry) => !nested || this.field(entry, 'child') === 0);
    const folder = path.split('/').filter(Boolean).join('/');
    let valid = files !== undefined;
    for (const entry of files ?? [])
      for (const mistake of this.mistakes(entry, nested)) {
        this.error(`sysctl table check failed: ${path}/${this.name(entry)} ${mistake}`);
        valid = false;
      }
    valid &&= this.folderCanBe(folder) && !this.isEmptyFolder(folder);
    if (table === 0) valid &&= (this.sysctl.list(folder) ?? []).length === 0;
    valid &&= this.namesAreFree(folder, files!);
    const bytes = encodeUtf8(folder);
    const record = valid ? deps.kmalloc(CtlTableHeader.size + bytes.length + 1) : 0;
    if (record === 0) {
      if (!valid) deps.env.reports.dumpStack(['__register_sysctl_table']);
      return false;
    }
    const header = deps.ram.handleOf(record);
    deps.ram.fill(header * 4, CtlTableHeader.size, 0);
    deps.guest.write(record + CtlTableHeader.size, Uint8Array.of(...bytes, 0));
    const h = this.sysctl.header(header);
    h.ctl_table = table;
    h.ctl_table_arg = table;
    h.count = all!.length;
    h.nreg = 1;
    h.path = record + CtlTableHeader.size;
    registration.headers.push(header);
    h.group = registration.headers[0];
    this.sysctl.link(header);
    return true;
  }

  /** Registers a table whose entries may be folders. @linux fs/proc/proc_sysctl.c:register_leaf_sysctl_tables full */
  private registerLeaves(path: string, table: Vaddr, registration: Registration): boolean {
    const entries = this.entries(table, registration);
    if (entries === undefined || path.length >= PATH_MAX) return false;
    const folders = entries.filter((entry) => this.field(entry, 'child') !== 0);
    if (
      (folders.length < entries.length || folders.length === 0) &&
      !this.register(path, table, true, registration)
    )
      return false;
    return folders.every((entry) =>
      this.registerLeaves(`${path}${this.name(entry)}/`, this.field(entry, 'child'), registration),
    );
  }

  /** Runs a registration; what it made is undone if it fails. @returns the first header, or NULL */
  private attempt(body: (registration: Registration) => boolean): Vaddr {
    const registration: Registration = { entriesLeft: MOST_ENTRIES, headers: [] };
    const done = body(registration);
    if (done) return this.deps.ram.addressOf(registration.headers[0]);
    for (const header of registration.headers) this.remove(header);
    return 0;
  }

  private remove(header: Handle): void {
    this.sysctl.unlink(header);
    this.deps.kfree(this.deps.ram.addressOf(header));
  }

  /** What was not registered is freed all the same: the slab allocator tells what that was. @linux fs/proc/proc_sysctl.c:unregister_sysctl_table full */
  private unregister(at: Vaddr): void {
    if (at === 0) return;
    const group = [...this.sysctl.headers()].filter(
      (h) => this.deps.ram.addressOf(this.sysctl.header(h).group) === at,
    );
    if (group.length === 0) this.deps.kfree(at);
    for (const header of group) this.remove(header);
  }

  private path(at: Vaddr): string {
    return decodeUtf8(readCString(this.deps, at, PATH_MAX));
  }

  /** The components of an array of struct ctl_path, each with a slash behind it. */
  private joined(paths: Vaddr): string {
    let path = '';
    for (let at = paths; path.length < PATH_MAX; at += 8) {
      const component = readS64(this.deps, at);
      if (component === 0) break;
      path += `${this.path(component)}/`;
    }
    return path;
  }

  exports(): KernelExports {
    return {
      register_sysctl: [
        'p:pp',
        (path: Vaddr, table: Vaddr) => this.attempt((r) => this.register(this.path(path), table, false, r)),
      ],
      register_sysctl_mount_point: [
        'p:p',
        (path: Vaddr) => this.attempt((r) => this.register(this.path(path), 0, false, r)),
      ],
      register_sysctl_table: [
        'p:p',
        (table: Vaddr) => this.attempt((r) => this.registerLeaves('', table, r)),
      ],
      register_sysctl_paths: [
        'p:pp',
        (path: Vaddr, table: Vaddr) => this.attempt((r) => this.registerLeaves(this.joined(path), table, r)),
      ],
      unregister_sysctl_table: ['v:p', (header: Vaddr) => this.unregister(header)],
    };
  }
}
