// SPDX-License-Identifier: MIT
/**
 * /proc/sys: settings of the kernel and of its modules as files.
 *
 * The kernel's own are a list of entries. Those of modules are tables in C (`struct ctl_table`): the kernel remembers
 * each by a header, linked from `sysctl_table_root`, that says to which folder it belongs. A folder is there while an
 * entry or a table needs it. A table that has gone with its module is passed over.
 */

import type { SysctlEntry } from '../../kernel/sysctl_entry.js';
import { CtlTable, CtlTableHeader } from '../../kernel/sysctl_types.js';
import { EACCES, EINVAL, EIO, ENOMEM } from '../../lib/errno.js';
import { bytesToPageEnd, readBytes, readS64, readUnsigned, writeS64 } from '../../lib/guest_access.js';
import type { StaticData } from '../../lib/static_data.js';
import { decodeUtf8, encodeUtf8 } from '../../lib/utf8.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import type { FsDeps } from '../fs_context.js';
import type { TextProvider } from '../text_files.js';

export type SysctlDeps = Pick<FsDeps, 'ram' | 'guest' | 'env' | 'callC' | 'kmalloc' | 'kfree' | 'symbol'>;

const ROOT = '/proc/sys';
const NAME_MAX = 255;
/** As often a file is read or written on before it is taken to have no end. */
const MOST_CALLS = 64;
/** In front of a handler's buffer: its length and the position in the file. */
const LENGTH = 0;
const POSITION = 8;
const BUFFER = 16;

/** An entry of a module's table. */
export interface TableEntry {
  readonly table: Vaddr;
  readonly name: string;
  readonly mode: number;
}

export class ProcSysctl {
  private readonly first: Handle;
  private readonly own = new Map<string, SysctlEntry>();

  constructor(
    readonly deps: SysctlDeps,
    data: StaticData,
  ) {
    this.first = data.declare('sysctl_table_root', 8);
  }

  /** Adds settings of the kernel's own. */
  add(entries: readonly SysctlEntry[]): void {
    for (const entry of entries) this.own.set(entry.path, entry);
  }

  // ---------------------------------------------------------------- tables

  header(header: Handle) {
    return CtlTableHeader.at(this.deps.ram, header);
  }

  /** Registered headers, newest first. */
  *headers(): Generator<Handle> {
    const { ram } = this.deps;
    for (let h = ram.ptr(this.first); h !== 0; h = this.header(h).next_header) yield h;
  }

  link(header: Handle): void {
    const { ram } = this.deps;
    this.header(header).next_header = ram.ptr(this.first);
    ram.setPtr(this.first, header);
  }

  unlink(header: Handle): void {
    const { ram } = this.deps;
    const next = this.header(header).next_header;
    if (ram.ptr(this.first) === header) {
      ram.setPtr(this.first, next);
      return;
    }
    for (const h of this.headers())
      if (this.header(h).next_header === header) this.header(h).next_header = next;
  }

  /** The folder that a header belongs to. */
  folderOf(header: Handle): string {
    return this.text(this.header(header).path) ?? '';
  }

  /** A string, or undefined where no memory is mapped. */
  private text(at: Vaddr): string | undefined {
    const { guest } = this.deps;
    const bytes: number[] = [];
    for (let a = at; bytes.length < 4096; a += bytesToPageEnd(a)) {
      if (guest.translate(a) < 0) return undefined;
      const part = readBytes(this.deps, a, bytesToPageEnd(a));
      const end = part.indexOf(0);
      bytes.push(...(end < 0 ? part : part.subarray(0, end)));
      if (end >= 0) break;
    }
    return decodeUtf8(Uint8Array.from(bytes));
  }

  /** Files of a table, as far as its memory is there. */
  *files(table: Vaddr, count: number): Generator<TableEntry> {
    const { deps } = this;
    const { o, size } = CtlTable;
    for (let i = 0, at = table; i < count; i++, at += size) {
      if (deps.guest.translate(at) < 0 || deps.guest.translate(at + size - 1) < 0) return;
      const nameAt = readS64(deps, at + o.procname);
      const name = nameAt === 0 ? undefined : this.text(nameAt);
      if (name === undefined) return;
      if (readS64(deps, at + o.child) === 0)
        yield { table: at, name: name.slice(0, NAME_MAX), mode: readUnsigned(deps, at + o.mode, 2) };
    }
  }

  private find(path: string): TableEntry | undefined {
    const slash = path.lastIndexOf('/');
    const folder = path.slice(0, Math.max(slash, 0));
    for (const header of this.headers()) {
      if (this.folderOf(header) !== folder) continue;
      const { ctl_table, count } = this.header(header);
      for (const file of this.files(ctl_table, count)) if (file.name === path.slice(slash + 1)) return file;
    }
    return undefined;
  }

  isFile(path: string): boolean {
    return this.own.has(path) || this.find(path) !== undefined;
  }

  /** Names in a folder ('' is /proc/sys itself), folders with a slash at the end; undefined if there is no such folder. */
  list(folder: string): string[] | undefined {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = new Set<string>();
    let found = folder === '';
    const below = (path: string) => {
      if (!path.startsWith(prefix) || path === '') return;
      const rest = path.slice(prefix.length);
      const slash = rest.indexOf('/');
      names.add(slash < 0 ? rest : rest.slice(0, slash + 1));
    };
    for (const path of this.own.keys()) below(path);
    for (const header of this.headers()) {
      const path = this.folderOf(header);
      if (path !== folder) {
        below(`${path}/`);
        continue;
      }
      found = true;
      const { ctl_table, count } = this.header(header);
      for (const { name } of this.files(ctl_table, count)) names.add(name);
    }
    return found || names.size > 0 ? [...names].sort() : undefined;
  }

  // ---------------------------------------------------------------- files

  /** Whether there is such a file; the path is full. */
  has(path: string): boolean {
    return this.isFile(below(path) ?? '');
  }

  /** Whether reading a file runs C. */
  runsC(path: string): boolean {
    return !this.own.has(below(path) ?? '') && this.find(below(path) ?? '') !== undefined;
  }

  /**
   * Runs a table's handler on a buffer again and again, as a program does that reads to the end or writes all it has.
   * @returns what the handler last returned
   * @linux fs/proc/proc_sysctl.c:proc_sys_call_handler partial: an error of reading is the end of the file
   */
  private call(table: Vaddr, write: boolean, bytes: Uint8Array, got: (part: Uint8Array) => void): number {
    const { deps } = this;
    const handler = readS64(deps, table + CtlTable.o.proc_handler);
    if (handler === 0) return -EINVAL;
    const record = deps.kmalloc(BUFFER + bytes.length + 1);
    if (record === 0) return -ENOMEM;
    writeS64(deps, record + POSITION, 0);
    let error = 0;
    for (let done = 0, i = 0; done < bytes.length && i < MOST_CALLS; i++) {
      deps.guest.write(record + BUFFER, bytes.subarray(done));
      deps.guest.write(record + BUFFER + bytes.length - done, Uint8Array.of(0));
      writeS64(deps, record + LENGTH, bytes.length - done);
      const args = [table, Number(write), record + BUFFER, record + LENGTH, record + POSITION];
      error = deps.callC(handler, 'i:pippp', ...args);
      const count = readS64(deps, record + LENGTH);
      if (error !== 0 || count <= 0) break;
      if (write) done += count;
      else got(readBytes(deps, record + BUFFER, Math.min(count, bytes.length)));
    }
    deps.kfree(record);
    return error > 0 ? -EIO : error;
  }

  /** Root has the owner's rights, and no more. @linux fs/proc/proc_sysctl.c:test_perm full */
  private allows(mode: number, right: 0o400 | 0o200): boolean {
    return (mode & right) !== 0;
  }

  read(path: string): Uint8Array {
    const own = this.own.get(path);
    if (own) return this.allows(own.mode, 0o400) ? encodeUtf8(own.read()) : new Uint8Array();
    const entry = this.find(path);
    const parts: number[] = [];
    if (entry && this.allows(entry.mode, 0o400))
      this.call(entry.table, false, new Uint8Array(PAGE_SIZE), (part) => parts.push(...part));
    return Uint8Array.from(parts);
  }

  write(path: string, bytes: Uint8Array): number {
    const own = this.own.get(path);
    const mode = own?.mode ?? this.find(path)?.mode;
    if (mode === undefined || !this.allows(mode, 0o200)) return -EACCES;
    if (own) return bytes.length === 0 ? 0 : (own.write?.(bytes) ?? -EACCES);
    return this.call(this.find(path)!.table, true, bytes, () => {});
  }

  provider(): TextProvider {
    const mode = (path: string | undefined) =>
      path === undefined ? undefined : (this.own.get(path)?.mode ?? this.find(path)?.mode);
    return {
      mode: (path) => mode(below(path)),
      list: (path) => {
        if (path === '/proc') return ['sys/'];
        const folder = path === ROOT ? '' : below(path);
        return folder === undefined ? undefined : this.list(folder);
      },
      read: (path) => this.read(below(path) ?? ''),
      write: (path, bytes) => this.write(below(path) ?? '', bytes),
    };
  }
}

/** A path below /proc/sys; undefined if it is elsewhere. */
const below = (path: string): string | undefined =>
  path.startsWith(`${ROOT}/`) ? path.slice(ROOT.length + 1) : undefined;
