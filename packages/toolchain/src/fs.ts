// SPDX-License-Identifier: MIT
/** The file system that `make` works in: the host's folders, a virtual machine's, or a map in memory. */

export interface FileStat {
  readonly directory: boolean;
  /** Time of the last change, in milliseconds since any fixed moment. */
  readonly mtimeMs: number;
}

/** Paths are absolute, with `/`. What does not exist is undefined; other failures reject. */
export interface BuildFs {
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Creates or replaces. The folder exists, or is made. */
  writeFile(path: string, content: Uint8Array): Promise<void>;
  /** Names in a folder, in any order. */
  readdir(path: string): Promise<string[] | undefined>;
  stat(path: string): Promise<FileStat | undefined>;
  /** Removes a file; none there is no error. */
  unlink(path: string): Promise<void>;
}

const utf8 = new TextDecoder();
const encoder = new TextEncoder();

export async function readText(fs: BuildFs, path: string): Promise<string | undefined> {
  const bytes = await fs.readFile(path);
  return bytes && utf8.decode(bytes);
}

export const writeText = (fs: BuildFs, path: string, text: string): Promise<void> =>
  fs.writeFile(path, encoder.encode(text));

/** Files in a map. Each write is one millisecond after the one before. */
export class MemoryFs implements BuildFs {
  private readonly files = new Map<string, { content: Uint8Array; mtimeMs: number }>();
  private clockMs = 0;

  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    for (const [path, content] of Object.entries(files)) this.set(path, content);
  }

  set(path: string, content: string | Uint8Array): void {
    const bytes = typeof content === 'string' ? encoder.encode(content) : content.slice();
    this.files.set(path, { content: bytes, mtimeMs: ++this.clockMs });
  }

  /** All paths, sorted. */
  paths(): string[] {
    return [...this.files.keys()].sort();
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    return this.files.get(path)?.content;
  }

  async writeFile(path: string, content: Uint8Array): Promise<void> {
    this.set(path, content);
  }

  async readdir(path: string): Promise<string[] | undefined> {
    const prefix = path === '/' ? '/' : `${path}/`;
    const names = new Set<string>();
    for (const file of this.files.keys())
      if (file.startsWith(prefix)) names.add(file.slice(prefix.length).split('/')[0]);
    return names.size > 0 ? [...names] : undefined;
  }

  async stat(path: string): Promise<FileStat | undefined> {
    const file = this.files.get(path);
    if (file) return { directory: false, mtimeMs: file.mtimeMs };
    return (await this.readdir(path)) && { directory: true, mtimeMs: 0 };
  }

  async unlink(path: string): Promise<void> {
    this.files.delete(path);
  }
}
