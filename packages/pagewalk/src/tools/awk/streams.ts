// SPDX-License-Identifier: MIT
/** What an awk program reads and writes: records of files and commands, redirected output. */

import type { Sink } from '../../fs/filesystem.js';
import { FsError } from '../../fs/filesystem.js';
import type { CommandContext } from '../../shell/command.js';
import { ByteBuffer, Input, sourceOf } from '../../shell/stream.js';
import { awkRegExp } from './values.js';

const encoder = new TextEncoder();

/** Records of a stream. */
export class RecordReader {
  private text = '';
  private ended = false;
  private readonly decoder = new TextDecoder();

  constructor(private readonly input: Input) {}

  /** Whether a record can be had without waiting. */
  get ready(): boolean {
    return this.ended || this.text.includes('\n');
  }

  private async more(): Promise<boolean> {
    if (this.ended) return false;
    const chunk = await this.input.read();
    this.ended = chunk === undefined;
    this.text += chunk ? this.decoder.decode(chunk, { stream: true }) : this.decoder.decode();
    return !this.ended;
  }

  /** @param separator RS: one character, a regular expression, or empty for paragraphs */
  async next(separator: string): Promise<string | undefined> {
    const paragraphs = separator === '';
    for (;;) {
      if (paragraphs) this.text = this.text.replace(/^\n+/, '');
      const found = this.find(separator);
      if (found && (this.ended || found.end < this.text.length || separator.length === 1)) {
        const record = this.text.slice(0, found.start);
        this.text = this.text.slice(found.end);
        return record;
      }
      if (await this.more()) continue;
      if (this.find(separator)) continue;
      const rest = this.text;
      this.text = '';
      if (rest === '') return undefined;
      return paragraphs ? rest.replace(/\n$/, '') : rest;
    }
  }

  private find(separator: string): { start: number; end: number } | undefined {
    if (separator.length === 1) {
      const start = this.text.indexOf(separator);
      return start < 0 ? undefined : { start, end: start + 1 };
    }
    const match = (separator === '' ? /\n\n+/g : awkRegExp(separator)).exec(this.text);
    return match && match[0] !== '' ? { start: match.index, end: match.index + match[0].length } : undefined;
  }

  close(): void {
    this.input.close();
  }
}

/** Files and commands that the program has opened by name. */
export class Streams {
  private readonly readers = new Map<string, RecordReader>();
  private readonly sinks = new Map<string, { sink: Sink; command?: ByteBuffer }>();
  private waiting = '';

  constructor(private readonly context: CommandContext) {}

  /** Standard output; it leaves when something else is to be seen, or when there is nothing more to read. */
  print(text: string): void {
    this.waiting += text;
  }

  get full(): boolean {
    return this.waiting.length > 16_384;
  }

  async flush(): Promise<void> {
    const text = this.waiting;
    this.waiting = '';
    if (text !== '') await this.context.out(text);
  }

  async redirect(operator: '>' | '>>' | '|', name: string, text: string): Promise<void> {
    if (operator !== '|' && (name === '/dev/stdout' || name === '-')) return this.print(text);
    if (operator !== '|' && name === '/dev/stderr') {
      await this.flush();
      return this.context.err(text);
    }
    let stream = this.sinks.get(name);
    if (!stream) {
      if (operator === '|') {
        const command = new ByteBuffer();
        stream = { sink: command, command };
      } else stream = { sink: this.context.fs.openWrite(this.context.path(name), operator === '>>') };
      this.sinks.set(name, stream);
    }
    await stream.sink.write(encoder.encode(text));
  }

  /** The records of a file; undefined if it cannot be read. */
  file(name: string): RecordReader | undefined {
    let reader = this.readers.get(name);
    if (!reader) {
      try {
        const own = name === '-' || name === '/dev/stdin';
        reader = new RecordReader(
          own ? this.context.stdin : new Input(this.context.fs.openRead(this.context.path(name))),
        );
      } catch (error) {
        if (error instanceof FsError) return undefined;
        throw error;
      }
      this.readers.set(name, reader);
    }
    return reader;
  }

  /** The records that a command prints. */
  async command(text: string): Promise<RecordReader> {
    let reader = this.readers.get(text);
    if (!reader) {
      await this.flush();
      const stdout = new ByteBuffer();
      await this.context.run(['sh', '-c', text], { stdout });
      reader = new RecordReader(new Input(sourceOf(stdout.bytes())));
      this.readers.set(text, reader);
    }
    return reader;
  }

  async system(text: string): Promise<number> {
    await this.flush();
    return this.context.run(['sh', '-c', text]);
  }

  /** Ends a stream: a command that was written to runs now. -1 if there is none of that name. */
  async close(name: string): Promise<number> {
    const reader = this.readers.get(name);
    const stream = this.sinks.get(name);
    this.readers.delete(name);
    this.sinks.delete(name);
    reader?.close();
    if (!stream) return reader ? 0 : -1;
    if (!stream.command) {
      stream.sink.close?.();
      return 0;
    }
    await this.flush();
    return this.context.run(['sh', '-c', name], { stdin: new Input(sourceOf(stream.command.bytes())) });
  }

  async closeAll(): Promise<void> {
    await this.flush();
    for (const name of [...this.sinks.keys()]) await this.close(name);
  }
}
