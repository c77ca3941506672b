// SPDX-License-Identifier: MIT
/** /proc: files whose text is made when they are read. */

const utf8 = new (
  globalThis as unknown as { TextEncoder: new () => { encode(s: string): Uint8Array } }
).TextEncoder();

import type { Place } from '../namespace.js';
import type { TextProvider } from '../text_files.js';

/** Text of a file, made on each read. */
export type ProcFile = () => string;

/** Links of /proc; paths are below it. */
export interface ProcLinks {
  /** Text of a link; undefined if there is none. */
  target(path: string): string | undefined;
  /** The place that a link leads to without its text, held. */
  place(path: string): Place | undefined;
  /** Names of links, and folders of links, in a folder; undefined if it has none. */
  names(folder: string): readonly string[] | undefined;
}

export class ProcRoot {
  links: ProcLinks | undefined;
  private readonly files = new Map<string, ProcFile>();

  /** Adds a file; `path` is below /proc, with folders separated by slashes. */
  create(path: string, file: ProcFile): void {
    this.files.set(path, file);
  }

  private readonly computed: (() => ReadonlyMap<string, ProcFile>)[] = [];

  /** Adds files that come and go, such as those of tasks: asked for whenever somebody looks. */
  createComputed(files: () => ReadonlyMap<string, ProcFile>): void {
    this.computed.push(files);
  }

  private find(path: string): ProcFile | undefined {
    const file = this.files.get(path);
    if (file) return file;
    for (const files of this.computed) {
      const found = files().get(path);
      if (found) return found;
    }
    return undefined;
  }

  private paths(): string[] {
    return [...this.files.keys(), ...this.computed.flatMap((files) => [...files().keys()])];
  }

  /** Bytes of a file below /proc, or undefined if there is none. */
  read(path: string): Uint8Array | undefined {
    const file = this.find(path);
    return file && utf8.encode(file());
  }

  /** Names in a folder below /proc ('' is /proc itself), folders with a slash at the end; undefined if none. */
  list(folder: string): string[] | undefined {
    const prefix = folder === '' ? '' : `${folder}/`;
    const names = new Set<string>();
    for (const path of this.paths()) {
      if (!path.startsWith(prefix)) continue;
      const rest = path.slice(prefix.length);
      const slash = rest.indexOf('/');
      names.add(slash < 0 ? rest : rest.slice(0, slash + 1));
    }
    const links = this.links?.names(folder);
    for (const name of links ?? []) names.add(name);
    return names.size === 0 && !links ? undefined : [...names].sort();
  }

  /** What opens and stats these files. */
  provider(): TextProvider {
    const below = (path: string) =>
      path === '/proc' ? '' : path.startsWith('/proc/') ? path.slice(6) : undefined;
    return {
      mode: (path) => (this.find(below(path) ?? '') ? 0o444 : undefined),
      list: (path) => {
        const rest = below(path);
        return rest === undefined ? undefined : this.list(rest);
      },
      read: (path) => this.read(below(path) ?? ''),
      link: (path) => this.links?.target(below(path) ?? ''),
      place: (path) => this.links?.place(below(path) ?? ''),
    };
  }
}
