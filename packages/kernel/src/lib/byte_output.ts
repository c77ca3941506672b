// SPDX-License-Identifier: MIT
/** Where formatted text goes: keeps the first `limit` bytes and counts them all, as snprintf does. */

export class ByteOutput {
  private buffer: Uint8Array;
  /** Bytes put so far, kept or not. */
  length = 0;

  /** @param limit how many bytes are kept, at least 0 */
  constructor(private readonly limit = Number.POSITIVE_INFINITY) {
    this.buffer = new Uint8Array(Math.min(128, limit));
  }

  byte(value: number): void {
    if (this.length < this.limit) {
      this.reserve(this.length + 1);
      this.buffer[this.length] = value;
    }
    this.length++;
  }

  fill(value: number, count: number): void {
    if (count <= 0) return;
    const end = Math.min(this.length + count, this.limit);
    if (end > this.length) {
      this.reserve(end);
      this.buffer.fill(value, this.length, end);
    }
    this.length += count;
  }

  bytes(source: Uint8Array): void {
    const room = Math.min(source.length, this.limit - this.length);
    if (room > 0) {
      this.reserve(this.length + room);
      this.buffer.set(room < source.length ? source.subarray(0, room) : source, this.length);
    }
    this.length += source.length;
  }

  /** Text of bytes: each character code is one byte. */
  ascii(text: string): void {
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  /** What was kept. */
  kept(): Uint8Array {
    return this.buffer.subarray(0, Math.min(this.length, this.limit));
  }

  private reserve(bytes: number): void {
    if (bytes <= this.buffer.length) return;
    const larger = new Uint8Array(
      Math.min(Math.max(bytes, this.buffer.length * 2), Math.max(bytes, this.limit)),
    );
    larger.set(this.buffer);
    this.buffer = larger;
  }
}
