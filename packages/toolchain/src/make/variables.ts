// SPDX-License-Identifier: MIT
/** Make's variables: two flavours, an origin each, and scopes for target-specific values. */

/** From weakest to strongest: an assignment does not replace a variable of a stronger origin. */
const STRENGTH = ['default', 'environment', 'file', 'command line', 'override', 'automatic'] as const;
export type Origin = (typeof STRENGTH)[number];

export interface Variable {
  value: string;
  /** `=` rather than `:=`: expanded at each use. */
  recursive: boolean;
  origin: Origin;
  /** Where it was assigned, for messages: `Makefile:7`. */
  where?: string;
}

const strengthOf = (origin: Origin) => STRENGTH.indexOf(origin);

export class Scope {
  private readonly own = new Map<string, Variable>();

  constructor(private readonly parent?: Scope) {}

  get(name: string): Variable | undefined {
    return this.own.get(name) ?? this.parent?.get(name);
  }

  /** Assigns in this scope, unless a stronger origin holds the variable already. */
  set(name: string, value: string, recursive: boolean, origin: Origin, where?: string): void {
    const existing = this.get(name);
    if (existing && strengthOf(existing.origin) > strengthOf(origin) && existing.origin !== 'automatic')
      return;
    this.own.set(name, { value, recursive, origin, where });
  }

  undefine(name: string, origin: Origin): void {
    const existing = this.own.get(name);
    if (existing && strengthOf(existing.origin) <= strengthOf(origin)) this.own.delete(name);
  }

  *names(): IterableIterator<string> {
    if (this.parent) yield* this.parent.names();
    yield* this.own.keys();
  }
}

/** Words, as make separates them. */
export const words = (text: string): string[] => text.split(/[ \t\n]+/).filter((word) => word !== '');

/** What `%` stands for in `word` if the pattern matches it. A pattern without `%` matches itself, with stem ''. */
export function stemOf(pattern: string, word: string): string | undefined {
  const percent = pattern.indexOf('%');
  if (percent < 0) return pattern === word ? '' : undefined;
  const prefix = pattern.slice(0, percent);
  const suffix = pattern.slice(percent + 1);
  if (word.length < prefix.length + suffix.length || !word.startsWith(prefix) || !word.endsWith(suffix))
    return undefined;
  return word.slice(prefix.length, word.length - suffix.length);
}

/** `replacement` with the stem in place of its first `%`. */
export const withStem = (replacement: string, stem: string): string => {
  const percent = replacement.indexOf('%');
  return percent < 0 ? replacement : replacement.slice(0, percent) + stem + replacement.slice(percent + 1);
};

/** `$(patsubst)` on a list. A pattern without `%` leaves the blanks between words as they are. */
export function patsubst(pattern: string, replacement: string, list: string): string {
  if (pattern === '') return list;
  if (!pattern.includes('%'))
    return list.replace(/[^ \t\n]+/g, (word) => (word === pattern ? replacement : word));
  return words(list)
    .map((word) => {
      const stem = stemOf(pattern, word);
      return stem === undefined ? word : withStem(replacement, stem);
    })
    .join(' ');
}
