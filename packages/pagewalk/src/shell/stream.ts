// SPDX-License-Identifier: MIT
/** Pipes and buffers between commands. */

import type { Sink, Source } from '../fs/filesystem.js';

/** Bytes that may wait in a pipe before its writer does, as on Linux. */
const PIPE_BYTES = 65_536;

/** A write to a pipe that nobody reads: ends the writer silently, with status 141. */
export class BrokenPipe extends Error {
  override name = 'BrokenPipe';
}

export class Pipe {
  private readonly chunks: Uint8Array[] = [];
  private bytes = 0;
  private writerClosed = false;
  private readerClosed = false;
  private wakeups: (() => void)[] = [];

  private wake(): void {
    for (const wakeup of this.wakeups.splice(0)) wakeup();
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => this.wakeups.push(resolve));
  }

  readonly source: Source = {
    read: async () => {
      while (this.chunks.length === 0) {
        if (this.writerClosed) return undefined;
        await this.wait();
      }
      const chunk = this.chunks.shift()!;
      this.bytes -= chunk.length;
      this.wake();
      return chunk;
    },
    close: () => {
      this.readerClosed = true;
      this.wake();
    },
  };

  readonly sink: Sink = {
    write: async (bytes) => {
      while (this.bytes >= PIPE_BYTES && !this.readerClosed) await this.wait();
      if (this.readerClosed) throw new BrokenPipe();
      if (bytes.length === 0) return;
      this.chunks.push(bytes.slice());
      this.bytes += bytes.length;
      this.wake();
    },
    close: () => {
      this.writerClosed = true;
      this.wake();
    },
  };
}

/** Collects what is written. */
export class ByteBuffer implements Sink {
  private readonly chunks: Uint8Array[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(bytes.slice());
  }

  bytes(): Uint8Array {
    return concat(this.chunks);
  }

  text(): string {
    return new TextDecoder().decode(this.bytes());
  }
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  if (chunks.length === 1) return chunks[0];
  const result = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    result.set(chunk, at);
    at += chunk.length;
  }
  return result;
}

export function sourceOf(bytes: Uint8Array): Source {
  let rest: Uint8Array | undefined = bytes;
  return {
    read: async () => {
      const chunk = rest;
      rest = undefined;
      return chunk;
    },
  };
}

export const emptySource: Source = { read: async () => undefined };
export const nullSink: Sink = { write: async () => {} };

export async function readAll(source: Source): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let chunk = await source.read(); chunk; chunk = await source.read()) chunks.push(chunk);
  return concat(chunks);
}

/** Lines of a stream without their newlines, as they come; what is read past the last one is kept for the next reader. */
export class LineReader {
  private rest = new Uint8Array(0);

  constructor(private readonly source: Source) {}

  /** The next line and whether a newline ended it; undefined at the end. */
  async next(): Promise<{ bytes: Uint8Array; terminated: boolean } | undefined> {
    for (let from = 0; ; ) {
      const newline = this.rest.indexOf(10, from);
      if (newline >= 0) {
        const bytes = this.rest.subarray(0, newline);
        this.rest = this.rest.subarray(newline + 1);
        return { bytes, terminated: true };
      }
      from = this.rest.length;
      const chunk = await this.source.read();
      if (chunk)
        this.rest =
          this.rest.length === 0 ? chunk.slice() : (concat([this.rest, chunk]) as Uint8Array<ArrayBuffer>);
      else if (this.rest.length === 0) return undefined;
      else {
        const bytes = this.rest;
        this.rest = new Uint8Array(0);
        return { bytes, terminated: false };
      }
    }
  }
}

/** A source that takes bytes back: `read` consumes one line of what others read on. */
export class Input implements Source {
  private returned: Uint8Array[] = [];
  readonly isTerminal: boolean;

  constructor(private readonly source: Source) {
    this.isTerminal = source.isTerminal ?? false;
  }

  async read(): Promise<Uint8Array | undefined> {
    return this.returned.pop() ?? this.source.read();
  }

  unread(bytes: Uint8Array): void {
    if (bytes.length > 0) this.returned.push(bytes);
  }

  close(): void {
    this.source.close?.();
  }

  /** One line without its newline; undefined at the end. */
  async line(): Promise<{ text: string; terminated: boolean } | undefined> {
    const chunks: Uint8Array[] = [];
    for (let chunk = await this.read(); chunk; chunk = await this.read()) {
      const newline = chunk.indexOf(10);
      if (newline < 0) {
        chunks.push(chunk);
        continue;
      }
      this.unread(chunk.subarray(newline + 1));
      chunks.push(chunk.subarray(0, newline));
      return { text: new TextDecoder().decode(concat(chunks)), terminated: true };
    }
    return chunks.length > 0
      ? { text: new TextDecoder().decode(concat(chunks)), terminated: false }
      : undefined;
  }
}
