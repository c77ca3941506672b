// SPDX-License-Identifier: MIT
/**
 * The file of each loaded module, kept in pages of RAM without its debugging information: from it a machine that
 * was loaded from a snapshot translates the module's code anew.
 *
 *     module_files → | list, module, bytes | next | data … | → | next | data … | → …
 */

import { Reader, Writer } from '../../arch/wasm64/binary.js';
import { initListHead, ListHead, listAddTail, listDel, listEntries } from '../../lib/list.js';
import type { StaticData } from '../../lib/static_data.js';
import { addr, ptr, struct, ulong } from '../../lib/struct.js';
import { type Handle, PAGE_SIZE, type Vaddr } from '../../machine/layout.js';
import type { Ram } from '../../machine/ram.js';

/** The head of a file's first page. */
const ModuleFile = struct('module_file', {
  list: ListHead,
  module: ptr('struct module'),
  bytes: ulong,
  /** Where its init area was loaded: code and data still name addresses in it when it is gone. 0 if it had none. */
  init: addr(),
  /** The next page; it begins with such a pointer too. */
  next: ptr('void'),
});
const NEXT_BYTES = 8;

/** Sections that nothing reads after the module was built. */
const DEBUG_SECTION = /^(reloc\.)?\.debug_|^producers$|^target_features$/;

/** A module's file without debugging information. Emptied sections stay in place, since others refer to their index. */
export function stripObject(file: Uint8Array): Uint8Array {
  const out = new Writer().raw(file, 0, 8);
  const r = new Reader(file, 8);
  while (!r.done) {
    const id = r.u8();
    const body = r.sub(r.uleb());
    const start = body.at;
    if (id === 0 && DEBUG_SECTION.test(body.name())) out.section(0, new Writer().name(''));
    else
      out
        .u8(id)
        .uleb(body.end - start)
        .raw(file, start, body.end);
  }
  return out.finish();
}

/** Pages of memory, by the handle of their first word. */
export interface PageSource {
  /** 0 if there is none. */
  alloc(): Handle;
  free(page: Handle): void;
}

export class ModuleFiles {
  private readonly head: Handle;

  constructor(
    private readonly ram: Ram,
    data: StaticData,
    private readonly pages: PageSource,
  ) {
    this.head = data.declare('module_files', ListHead.size);
  }

  boot(): void {
    initListHead(this.ram, this.head);
  }

  /** Keeps a file for a module, and where its init area lies; false if there is no memory. */
  keep(module: Handle, file: Uint8Array, init: Vaddr): boolean {
    const first = this.pages.alloc();
    if (first === 0) return false;
    const f = ModuleFile.at(this.ram, first);
    f.module = module;
    f.bytes = file.length;
    f.init = init;
    f.next = 0;
    listAddTail(this.ram, first + ModuleFile.w.list, this.head);
    for (
      let done = this.fill(first, ModuleFile.size, file, 0), link = first + ModuleFile.w.next;
      done < file.length;
    ) {
      const page = this.pages.alloc();
      if (page === 0) {
        this.drop(module);
        return false;
      }
      this.ram.setPtr(page, 0);
      this.ram.setPtr(link, page);
      link = page;
      done += this.fill(page, NEXT_BYTES, file, done);
    }
    return true;
  }

  /** Copies what fits into a page behind its head; returns how much that was. */
  private fill(page: Handle, at: number, file: Uint8Array, from: number): number {
    const part = file.subarray(from, from + PAGE_SIZE - at);
    this.ram.u8.set(part, page * 4 + at);
    return part.length;
  }

  private find(module: Handle): Handle {
    for (const first of listEntries(this.ram, this.head))
      if (ModuleFile.at(this.ram, first).module === module) return first;
    return 0;
  }

  /** Where a module's init area is or was. */
  initBase(module: Handle): Vaddr {
    const first = this.find(module);
    return first === 0 ? 0 : ModuleFile.at(this.ram, first).init;
  }

  /** A module's file. */
  read(module: Handle): Uint8Array {
    const first = this.find(module);
    if (first === 0) return new Uint8Array();
    const f = ModuleFile.at(this.ram, first);
    const file = new Uint8Array(f.bytes);
    let done = 0;
    for (let page = first, at: number = ModuleFile.size, next = f.next; done < file.length; ) {
      const n = Math.min(file.length - done, PAGE_SIZE - at);
      file.set(this.ram.u8.subarray(page * 4 + at, page * 4 + at + n), done);
      done += n;
      if (next === 0) break;
      page = next;
      next = this.ram.ptr(page);
      at = NEXT_BYTES;
    }
    return file;
  }

  /** Gives back the memory of a module's file. */
  drop(module: Handle): void {
    const first = this.find(module);
    if (first === 0) return;
    listDel(this.ram, first + ModuleFile.w.list);
    for (let page = first, next = ModuleFile.at(this.ram, first).next; ; ) {
      this.pages.free(page);
      if (next === 0) return;
      page = next;
      next = this.ram.ptr(page);
    }
  }
}
