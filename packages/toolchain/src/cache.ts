// SPDX-License-Identifier: MIT
/**
 * The build cache: results of compiles by a key that holds everything they depend on (version of clang, flags, the
 * source and every header it can include). An entry is never stale, so there is nothing to invalidate.
 */

export interface BuildCache {
  /** Undefined if there is no entry; never rejects: a cache that cannot be read is empty. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Never rejects: what cannot be stored will be built again. */
  put(key: string, value: Uint8Array): Promise<void>;
}

/** Keeps the most recently used entries, up to `maxBytes` in all. */
export class MemoryCache implements BuildCache {
  private readonly entries = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(private readonly maxBytes = 32 * 1024 * 1024) {}

  async get(key: string): Promise<Uint8Array | undefined> {
    const value = this.entries.get(key);
    if (value) {
      this.entries.delete(key);
      this.entries.set(key, value);
    }
    return value;
  }

  async put(key: string, value: Uint8Array): Promise<void> {
    this.bytes += value.length - (this.entries.get(key)?.length ?? 0);
    this.entries.delete(key);
    this.entries.set(key, value);
    for (const [oldest, { length }] of this.entries) {
      if (this.bytes <= this.maxBytes) break;
      this.entries.delete(oldest);
      this.bytes -= length;
    }
  }
}
