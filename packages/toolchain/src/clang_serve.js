// SPDX-License-Identifier: MIT
// @ts-check
/**
 * The worker's half of the clang driver: answers requests to run an LLVM tool, one at a time, in a thread of its
 * own, so that the host stays live and can end a compile by ending the thread. Plain JavaScript, so that the very
 * same file starts as a worker from the sources and from the built package, in Node and in a browser.
 *
 * @typedef {import('./clang.js').ToWorker} ToWorker
 * @typedef {import('./clang.js').FromWorker} FromWorker
 * @typedef {import('@yowasp/clang').Tree} Tree
 */

/**
 * @param {(message: FromWorker) => void} send
 * @returns {(request: ToWorker) => Promise<void>} what to do with a request
 */
export function serve(send) {
  return async ({ id, args, files, outputs }) => {
    try {
      const { runLLVM } = await import('@yowasp/clang');
      const stdout = collector();
      const stderr = collector();
      /** @type {Tree} */
      let result = {};
      let status = 0;
      let crash = '';
      try {
        const returned = await runLLVM(args, treeOf(files), {
          stdout: stdout.write,
          stderr: stderr.write,
          decodeASCII: false,
          fetchProgress: ({ doneLength, totalLength }) =>
            send({ kind: 'progress', id, doneBytes: doneLength, totalBytes: totalLength }),
        });
        result = returned ?? {};
      } catch (error) {
        const code = /** @type {{ code?: number }} */ (error).code;
        status = code ?? 134;
        if (code === undefined) crash = String(error);
      }
      /** @type {Record<string, Uint8Array>} */
      const produced = {};
      for (const path of outputs) {
        const file = lookUp(result, path);
        if (file) produced[path] = file;
      }
      send({
        kind: 'result',
        id,
        status,
        crash,
        stdout: stdout.text(),
        stderr: stderr.text(),
        outputs: produced,
      });
    } catch (error) {
      send({ kind: 'failed', id, message: String(error) });
    }
  };
}

/** Gathers what a tool prints. */
function collector() {
  const decoder = new TextDecoder();
  let text = '';
  return {
    /** @param {Uint8Array | null} bytes */
    write: (bytes) => {
      if (bytes) text += decoder.decode(bytes, { stream: true });
    },
    text: () => text,
  };
}

/** @param {string} path */
const parts = (path) => path.split('/').filter((part) => part !== '' && part !== '.');

/**
 * The nested folders that the tool sees, from flat paths.
 * @param {Record<string, string | Uint8Array>} files
 * @returns {Tree}
 */
function treeOf(files) {
  /** @type {Tree} */
  const root = {};
  for (const [path, content] of Object.entries(files)) {
    const names = parts(path);
    const last = names.pop();
    let folder = root;
    for (const name of names) folder = /** @type {Tree} */ ((folder[name] ??= {}));
    if (last !== undefined) folder[last] = content;
  }
  return root;
}

/**
 * @param {Tree} tree
 * @param {string} path
 * @returns {Uint8Array | undefined}
 */
function lookUp(tree, path) {
  /** @type {Tree | string | Uint8Array | undefined} */
  let at = tree;
  for (const name of parts(path)) {
    if (at === undefined || typeof at === 'string' || at instanceof Uint8Array) return undefined;
    at = at[name];
  }
  return at instanceof Uint8Array ? at : undefined;
}
