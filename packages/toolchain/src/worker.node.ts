// SPDX-License-Identifier: MIT
/** Runs the compiler in a Node worker thread. */

import { Worker } from 'node:worker_threads';
import type { SpawnToolWorker } from './clang.js';

export const spawnNodeWorker: SpawnToolWorker = (events) => {
  const worker = new Worker(new URL('./clang_worker.node.js', import.meta.url));
  let ended = false;
  worker.on('message', events.message);
  worker.on('error', (error) => events.error(String(error)));
  worker.on('exit', (code) => {
    if (!ended) events.error(`the compiler's thread ended with code ${code}`);
  });
  return {
    post: (request) => worker.postMessage(request),
    terminate: () => {
      ended = true;
      void worker.terminate();
    },
    setIdle: (idle) => (idle ? worker.unref() : worker.ref()),
  };
};
