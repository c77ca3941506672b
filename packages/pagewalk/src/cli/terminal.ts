// SPDX-License-Identifier: MIT
/** The host's standard streams as the shell's. */

import type { Sink, Source } from '../fs/filesystem.js';

/** Waits when the host's stream is full; a reader that went away (`| head`) ends the process quietly. */
export function sinkOf(stream: NodeJS.WriteStream): Sink {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(141);
    throw error;
  });
  return {
    isTerminal: stream.isTTY === true,
    write: (bytes) =>
      new Promise((resolve) => {
        if (stream.write(bytes)) resolve();
        else stream.once('drain', resolve);
      }),
  };
}

/** Reads only when asked, so that a script's commands get what is theirs. */
export function sourceOfStdin(): Source {
  let iterator: AsyncIterator<Uint8Array> | undefined;
  return {
    isTerminal: process.stdin.isTTY === true,
    read: async () => {
      iterator ??= process.stdin[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
      const { value, done } = await iterator.next();
      return done ? undefined : new Uint8Array(value);
    },
  };
}

const BAR = 30;

/** A progress bar on standard error while the compiler loads; nothing where nobody sees it. */
export class ProgressBar {
  private shown = -1;

  constructor(
    private readonly label: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  show(done: number, total: number): void {
    const percent = total > 0 ? Math.floor((100 * done) / total) : 0;
    if (!this.stream.isTTY || percent === this.shown) return;
    const filled = Math.round((percent * BAR) / 100);
    const megabytes = `${(done / 1e6).toFixed(0)}/${(total / 1e6).toFixed(0)} MB`;
    this.stream.write(`\r${this.label} [${'#'.repeat(filled)}${' '.repeat(BAR - filled)}] ${megabytes}`);
    this.shown = percent;
    if (done >= total) this.clear();
  }

  /** Makes room for other output. */
  clear(): void {
    if (this.shown >= 0) this.stream.write('\r\x1b[K');
    this.shown = -1;
  }
}
