// SPDX-License-Identifier: MIT
/** `>file`, `2>&1`, here-documents: opens what a redirection names. */

import { FsError } from '../fs/filesystem.js';
import { normalize } from '../fs/vfs.js';
import type { Redirect } from './ast.js';
import { ExpansionError, type ExpansionScope, expandText } from './expand.js';
import type { Descriptor } from './state.js';
import { Input, sourceOf } from './stream.js';

const encoder = new TextEncoder();

/** Changes `descriptors`; what was opened is added to `opened`, for the caller to close. */
export async function openRedirect(
  { fd, operator, target }: Redirect,
  scope: ExpansionScope & { readonly signal?: AbortSignal },
  descriptors: Map<number, Descriptor>,
  opened: Descriptor[],
): Promise<void> {
  const text = await expandText(target, scope);
  const open = (descriptor: Descriptor) => {
    opened.push(descriptor);
    descriptors.set(fd, descriptor);
  };
  switch (operator) {
    case '<':
    case '<>':
      return open(new Input(openNamed(text, (path) => scope.fs.openRead(path, scope.signal), scope)));
    case '>':
    case '>|':
    case '>>':
      return open(
        openNamed(text, (path) => scope.fs.openWrite(path, operator === '>>', scope.signal), scope),
      );
    case '&>':
    case '&>>':
      open(openNamed(text, (path) => scope.fs.openWrite(path, operator === '&>>', scope.signal), scope));
      descriptors.set(2, descriptors.get(fd)!);
      return;
    case '<<':
      return open(new Input(sourceOf(encoder.encode(text))));
    case '<<<':
      return open(new Input(sourceOf(encoder.encode(`${text}\n`))));
    default:
      duplicate(fd, text, descriptors);
  }
}

/** Errors name the file as the user did. */
function openNamed<T>(name: string, action: (path: string) => T, scope: ExpansionScope): T {
  try {
    return action(normalize(scope.cwd, name));
  } catch (error) {
    throw error instanceof FsError ? new FsError(error.code, name) : error;
  }
}

function duplicate(fd: number, from: string, descriptors: Map<number, Descriptor>): void {
  if (from === '-') {
    descriptors.delete(fd);
    return;
  }
  const other = /^[0-9]+$/.test(from) ? descriptors.get(Number(from)) : undefined;
  if (!other) throw new ExpansionError(`${from}: Bad file descriptor`);
  descriptors.set(fd, other);
}
