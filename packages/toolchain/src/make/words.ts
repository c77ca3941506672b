// SPDX-License-Identifier: MIT
/** Takes apart the commands that need no shell. */

/** Characters that only a shell can deal with, where they are not quoted. */
const SHELL_ONLY = '|&;<>()`*?[]#~{}!\n$';

/**
 * The words of a simple command, quotes removed; undefined if it needs a shell (pipes, redirections, wildcards,
 * variables).
 */
export function simpleCommand(text: string): string[] | undefined {
  const words = shellWords(text, SHELL_ONLY);
  return words && !words[0]?.includes('=') ? words : undefined;
}

/**
 * Splits as a shell does: at blanks outside of quotes, with `'…'`, `"…"` and `\c` resolved. Undefined if an unquoted
 * character of `forbidden` occurs, or a quote does not end.
 */
export function shellWords(text: string, forbidden = ''): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === ' ' || c === '\t' || (c === '\n' && !forbidden.includes('\n'))) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (c === "'") {
      const end = text.indexOf("'", i + 1);
      if (end < 0) return undefined;
      word = (word ?? '') + text.slice(i + 1, end);
      i = end;
    } else if (c === '"') {
      word ??= '';
      for (i++; text[i] !== '"'; i++) {
        if (i >= text.length || (forbidden !== '' && '$`'.includes(text[i]))) return undefined;
        if (text[i] === '\\' && '"\\$`'.includes(text[i + 1] ?? ' ')) i++;
        word += text[i];
      }
    } else if (c === '\\' && i + 1 < text.length) word = (word ?? '') + text[++i];
    else if (forbidden.includes(c)) return undefined;
    else word = (word ?? '') + c;
  }
  if (word !== undefined) words.push(word);
  return words;
}
