// SPDX-License-Identifier: MIT
// @ts-check
import { parentPort } from 'node:worker_threads';
import { serve } from './clang_serve.js';

const answer = serve((message) => parentPort?.postMessage(message));
parentPort?.on('message', answer);
