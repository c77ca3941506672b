// SPDX-License-Identifier: MIT
/**
 * Runs clang and its companions (wasm-ld, addr2line, …), which are WebAssembly programs of about 100 MB.
 *
 * They run in a worker: the host's thread stays live, and an AbortSignal ends even a compile that is under way, by
 * ending the thread. The worker starts at the first request and is kept warm: a cold compile takes more than a
 * second, the next about a tenth of one.
 */

export interface ToWorker {
  readonly id: number;
  readonly args: string[];
  readonly files: Record<string, string | Uint8Array>;
  readonly outputs: string[];
}

export type FromWorker =
  | { kind: 'progress'; id: number; doneBytes: number; totalBytes: number }
  | ({ kind: 'result'; id: number } & ToolResult)
  | { kind: 'failed'; id: number; message: string };

/** A thread that runs `clang_serve.js`; Node and browsers each have their own. */
export interface ToolWorker {
  post(request: ToWorker): void;
  terminate(): void;
  /** Whether the host process may end while this worker lives. */
  setIdle?(idle: boolean): void;
}

export interface ToolWorkerEvents {
  message(message: FromWorker): void;
  /** The thread ended or could not start. */
  error(message: string): void;
}

export type SpawnToolWorker = (events: ToolWorkerEvents) => ToolWorker;

export interface ToolResult {
  /** Exit status; 134 (as after abort()) when the tool crashed. */
  status: number;
  /** What the crash was, or '' when the tool ended by itself. */
  crash: string;
  stdout: string;
  stderr: string;
  /** The files asked for, as far as the tool made them. */
  outputs: Record<string, Uint8Array>;
}

/** Bytes of the compiler loaded so far. */
export type OnProgress = (doneBytes: number, totalBytes: number) => void;

export interface ToolRequest {
  /** Program name and arguments. */
  readonly args: readonly string[];
  /** Path → content; the tool runs in `/` and sees nothing else. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** Paths of files to hand back. */
  readonly outputs: readonly string[];
}

/** The tools could not be run at all: the compiler is not installed, or its download failed. */
export class ToolError extends Error {
  override name = 'ToolError';
}

interface Pending {
  resolve(result: ToolResult): void;
  reject(error: unknown): void;
}

export class ToolRunner {
  private worker: ToolWorker | undefined;
  private readonly pending = new Map<number, Pending>();
  private lastId = 0;
  /** Requests wait for the one before: a worker runs one tool at a time, and an abort must hit only its own. */
  private queue: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly spawn: SpawnToolWorker,
    private readonly onProgress?: OnProgress,
  ) {}

  /**
   * Runs a tool to its end.
   *
   * Rejects with the signal's reason when aborted, with ToolError when the tools cannot be loaded; a tool that
   * fails or crashes is a result.
   */
  run(request: ToolRequest, signal?: AbortSignal): Promise<ToolResult> {
    const turn = this.queue.then(() => this.start(request, signal));
    this.queue = turn.catch(() => undefined);
    return turn;
  }

  /** Ends the worker. The next request starts another. */
  close(): void {
    this.end(new ToolError('the compiler was closed'));
  }

  private async start(request: ToolRequest, signal: AbortSignal | undefined): Promise<ToolResult> {
    signal?.throwIfAborted();
    const id = ++this.lastId;
    const worker = (this.worker ??= this.spawn({
      message: (message) => this.receive(message),
      error: (message) => this.end(new ToolError(message)),
    }));
    const abort = () => this.end(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    worker.setIdle?.(false);
    try {
      return await new Promise<ToolResult>((resolve, reject) => {
        this.pending.set(id, { resolve, reject });
        const { args, files, outputs } = request;
        worker.post({ id, args: [...args], files: { ...files }, outputs: [...outputs] });
      });
    } finally {
      signal?.removeEventListener('abort', abort);
      worker.setIdle?.(true);
    }
  }

  private receive(message: FromWorker): void {
    if (message.kind === 'progress') return this.onProgress?.(message.doneBytes, message.totalBytes);
    const pending = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.kind === 'failed')
      pending?.reject(new ToolError(`cannot load the compiler: ${message.message}`));
    else pending?.resolve(message);
  }

  private end(reason: unknown): void {
    this.worker?.terminate();
    this.worker = undefined;
    for (const { reject } of this.pending.values()) reject(reason);
    this.pending.clear();
  }
}
