// SPDX-License-Identifier: MIT
/** The current record and its fields: each is made from the other when it is asked for. */

import { AwkError } from './ast.js';
import { fromInput, splitText, toText, type Value } from './values.js';

const MAX_FIELDS = 100_000;

export class AwkRecord {
  private text = '';
  private fields: Value[] | undefined;
  private textStale = false;

  /** @param separators FS, OFS and CONVFMT as they are now */
  constructor(private readonly separators: () => { fs: string; ofs: string; convfmt: string }) {}

  set(text: string): void {
    this.text = text;
    this.fields = undefined;
    this.textStale = false;
  }

  private split(): Value[] {
    this.fields ??= splitText(this.text, this.separators().fs).map(fromInput);
    return this.fields;
  }

  get count(): number {
    return this.split().length;
  }

  set count(wanted: number) {
    if (!(wanted >= 0 && wanted <= MAX_FIELDS)) throw new AwkError(`NF set to ${wanted}`);
    const fields = this.split();
    const before = fields.length;
    fields.length = Math.trunc(wanted);
    fields.fill('', before);
    this.textStale = true;
  }

  get(index: number): Value {
    if (index > 0) return this.split()[index - 1] ?? (index > this.count ? undefined : '');
    const { ofs, convfmt } = this.separators();
    if (this.textStale)
      this.text = this.split()
        .map((field) => toText(field, convfmt))
        .join(ofs);
    this.textStale = false;
    return fromInput(this.text);
  }

  put(index: number, value: Value): void {
    if (index === 0) return this.set(toText(value, this.separators().convfmt));
    if (index > this.count) this.count = index;
    this.split()[index - 1] = value;
    this.textStale = true;
  }
}
