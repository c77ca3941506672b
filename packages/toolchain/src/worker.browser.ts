// SPDX-License-Identifier: MIT
/** Runs the compiler in a web worker. A bundler finds the worker's file by the `new URL` expression. */

import type { FromWorker, SpawnToolWorker, ToWorker } from './clang.js';

/** As much of the DOM's Worker as is used here; the package is compiled without the DOM's types. */
interface WebWorker {
  postMessage(message: ToWorker): void;
  terminate(): void;
  onmessage: ((event: { data: FromWorker }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
}
declare const Worker: new (url: URL, options: { type: 'module' }) => WebWorker;

export const spawnBrowserWorker: SpawnToolWorker = (events) => {
  const worker = new Worker(new URL('./clang_worker.browser.js', import.meta.url), { type: 'module' });
  worker.onmessage = (event) => events.message(event.data);
  worker.onerror = (event) => events.error(event.message ?? "the compiler's worker could not start");
  return { post: (request) => worker.postMessage(request), terminate: () => worker.terminate() };
};
