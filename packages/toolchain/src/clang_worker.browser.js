// SPDX-License-Identifier: MIT
// @ts-check
import { serve } from './clang_serve.js';

/** @type {{ postMessage(message: unknown): void, onmessage: ((event: { data: import('./clang.js').ToWorker }) => void) | null }} */
const scope = /** @type {never} */ (globalThis);
const answer = serve((message) => scope.postMessage(message));
scope.onmessage = (event) => void answer(event.data);
