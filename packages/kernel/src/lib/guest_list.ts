// SPDX-License-Identifier: MIT
/** Circular lists of C that may lie anywhere in guest memory: `struct list_head` by address. */

import type { Vaddr } from '../machine/layout.js';
import { type GuestAccess, readS64, writeInteger } from './guest_access.js';

const PREV = 8;
/** What deleted entries point to, LIST_POISON1 and LIST_POISON2, in halves: as numbers they would not be exact. */
const LIST_POISON_HI = 0xdead0000;
const LIST_POISON1_LO = 0x100;
const LIST_POISON2_LO = 0x122;

/** Links nodes through guest memory; every access may fault, as it would in C. */
export class GuestList {
  constructor(private readonly mem: GuestAccess) {}

  private link(prev: Vaddr, next: Vaddr): void {
    writeInteger(this.mem, prev, next, 8);
    writeInteger(this.mem, next + PREV, prev, 8);
  }

  init(head: Vaddr): void {
    this.link(head, head);
  }

  next(node: Vaddr): Vaddr {
    return readS64(this.mem, node);
  }

  prev(node: Vaddr): Vaddr {
    return readS64(this.mem, node + PREV);
  }

  empty(head: Vaddr): boolean {
    return this.next(head) === head;
  }

  /** Inserts a node right after another. */
  add(node: Vaddr, after: Vaddr): void {
    const next = this.next(after);
    this.link(after, node);
    this.link(node, next);
  }

  /** Inserts a node at the end of a list. */
  addTail(node: Vaddr, head: Vaddr): void {
    this.add(node, this.prev(head));
  }

  del(node: Vaddr): void {
    this.link(this.prev(node), this.next(node));
    this.poison(node, LIST_POISON1_LO);
    this.poison(node + PREV, LIST_POISON2_LO);
  }

  private poison(field: Vaddr, low: number): void {
    writeInteger(this.mem, field, low, 4);
    writeInteger(this.mem, field + 4, LIST_POISON_HI, 4);
  }

  delInit(node: Vaddr): void {
    this.link(this.prev(node), this.next(node));
    this.init(node);
  }

  /** The nodes, first to last; the node visited may be taken out. */
  *nodes(head: Vaddr): Generator<Vaddr> {
    let next: Vaddr;
    let node = this.next(head);
    for (; node !== head && node !== 0; node = next) {
      next = this.next(node);
      yield node;
    }
  }
}
