// SPDX-License-Identifier: MIT
import { ptr, struct, ulong } from './struct.js';

/** A node: the parent's address with the colour in bit 0 (0 red, 1 black), and the children. */
export const RbNode = struct(
  'rb_node',
  { __rb_parent_color: ulong, rb_right: ptr('struct rb_node'), rb_left: ptr('struct rb_node') },
  { align: 8 },
);
export const RbRoot = struct('rb_root', { rb_node: ptr('struct rb_node') });
/** A root that knows its leftmost node. */
export const RbRootCached = struct('rb_root_cached', { rb_root: RbRoot, rb_leftmost: ptr('struct rb_node') });
