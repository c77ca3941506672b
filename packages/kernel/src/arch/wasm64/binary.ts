// SPDX-License-Identifier: MIT
/** Reading and writing WebAssembly's binary format: bytes, LEB128 integers, names, vectors. */

/** A file that is not what it should be: shown to the user, so it says what was found. */
export class FormatError extends Error {
  override name = 'FormatError';
}

const utf8 = new (
  globalThis as unknown as { TextDecoder: new () => { decode(b: Uint8Array): string } }
).TextDecoder();

/** No integer of the format has more than 64 bits. */
const LEB64_BYTES = 10;

export class Reader {
  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {}

  get done(): boolean {
    return this.at >= this.end;
  }

  u8(): number {
    if (this.at >= this.end) throw new FormatError(`unexpected end at byte ${this.at}`);
    return this.bytes[this.at++];
  }

  /** An unsigned LEB128 integer: exact below 2^53. */
  uleb(): number {
    let result = 0;
    let scale = 1;
    for (let n = 0; n < LEB64_BYTES; n++) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      if (byte < 0x80) return result;
      scale *= 128;
    }
    throw this.tooLong();
  }

  /** A signed LEB128 integer: exact within ±2^53. */
  sleb(): number {
    let result = 0;
    let scale = 1;
    for (let n = 0; n < LEB64_BYTES; n++) {
      const byte = this.u8();
      result += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return byte & 0x40 ? result - scale : result;
    }
    throw this.tooLong();
  }

  /** An unsigned LEB128 integer of 64 bits, as a signed number: an address. Refuses what is not within ±2^52. */
  address(): number {
    let low = 0;
    let high = 0;
    for (let n = 0; n < LEB64_BYTES; n++) {
      const byte = this.u8();
      if (n < 4) low += (byte & 0x7f) * 2 ** (7 * n);
      else high += (byte & 0x7f) * 2 ** (7 * n - 28);
      if (byte >= 0x80) continue;
      const value = (high < 2 ** 35 ? high : high - 2 ** 36) * 2 ** 28 + low;
      if (Math.abs(value) < 2 ** 52) return value;
      throw new FormatError(`offset at byte ${this.at} names no address`);
    }
    throw this.tooLong();
  }

  private tooLong(): FormatError {
    return new FormatError(`integer of more than ${LEB64_BYTES} bytes at byte ${this.at}`);
  }

  skip(bytes: number): void {
    if (bytes > this.end - this.at) throw new FormatError(`unexpected end at byte ${this.end}`);
    this.at += bytes;
  }

  take(bytes: number): Uint8Array {
    const from = this.at;
    this.skip(bytes);
    return this.bytes.subarray(from, this.at);
  }

  name(): string {
    return utf8.decode(this.take(this.uleb()));
  }

  /** A reader over the next `bytes` bytes, which this reader passes. */
  sub(bytes: number): Reader {
    const from = this.at;
    this.skip(bytes);
    return new Reader(this.bytes, from, from + bytes);
  }

  /** Reads a vector: a count, then that many items. */
  vector<T>(item: (r: Reader, index: number) => T): T[] {
    const n = this.uleb();
    if (n > this.end - this.at)
      throw new FormatError(`vector of ${n} items at byte ${this.at} exceeds its section`);
    return Array.from({ length: n }, (_, i) => item(this, i));
  }
}

/** What a buffer begins with: most stay small, and there are thousands of them. */
const NOTHING = new Uint8Array(0);
const FIRST_BYTES = 64;

/** A growing byte buffer. */
export class Writer {
  bytes: Uint8Array<ArrayBuffer> = NOTHING;
  length = 0;

  private room(n: number): void {
    if (this.length + n <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(FIRST_BYTES, this.bytes.length * 2, this.length + n));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  u8(...values: number[]): this {
    this.room(values.length);
    for (const v of values) this.bytes[this.length++] = v;
    return this;
  }

  raw(source: Uint8Array, from = 0, to = source.length): this {
    this.room(to - from);
    for (let i = from; i < to; i++) this.bytes[this.length++] = source[i];
    return this;
  }

  /** An unsigned integer below 2^53. */
  uleb(value: number): this {
    while (value >= 0x80) {
      this.u8((value % 128) | 0x80);
      value = Math.floor(value / 128);
    }
    return this.u8(value);
  }

  /** A signed integer within ±2^53. */
  sleb(value: number): this {
    for (;;) {
      const low = ((value % 128) + 128) % 128;
      value = Math.floor(value / 128);
      if ((value === 0 && low < 0x40) || (value === -1 && low >= 0x40)) return this.u8(low);
      this.u8(low | 0x80);
    }
  }

  name(text: string): this {
    const ascii = Array.from(text, (c) => c.charCodeAt(0) & 0x7f);
    return this.uleb(ascii.length).u8(...ascii);
  }

  section(id: number, body: Writer): this {
    return this.u8(id).uleb(body.length).raw(body.bytes, 0, body.length);
  }

  finish(): Uint8Array {
    return this.bytes.slice(0, this.length);
  }
}
