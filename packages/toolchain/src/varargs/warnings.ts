// SPDX-License-Identifier: MIT
/** Finds in clang's diagnostics the arguments whose size is not the one that the format asks for. */

/** Where such an argument stands; a macro's, where the macro is used. */
export interface FormatWarning {
  readonly file: string;
  readonly line: number;
}

const WARNING = /^(.+?):(\d+):\d+: warning: (.*) \[-Wformat(-insufficient-args)?\]$/gm;

/**
 * The types that a warning names. With a typedef clang adds what it stands for, and that counts: 'size_t' (aka
 * 'unsigned long').
 */
function typesOf(message: string): string[] {
  return [...message.matchAll(/(?:type|underlying type) '([^']*)'(?: \(aka '([^']*)'\))?/g)].map(
    ([, type, aka]) => aka ?? type,
  );
}

/** Bytes of a value of this type as an argument; undefined if the name does not tell. */
function sizeOf(type: string): number | undefined {
  if (type.includes('*') || /\blong$/.test(type)) return 8;
  if (/\b(int|char|short|_Bool|bool)$/.test(type) || type.startsWith('enum ')) return 4;
  return undefined;
}

/** The warnings about arguments that take another room than the format says, or that are not there at all. */
export function formatWarnings(stderr: string): FormatWarning[] {
  const found: FormatWarning[] = [];
  for (const [, file, line, message, missing] of stderr.matchAll(WARNING)) {
    const [wanted, given] = typesOf(message).map(sizeOf);
    if (missing || wanted === undefined || wanted !== given) found.push({ file, line: Number(line) });
  }
  return found;
}
