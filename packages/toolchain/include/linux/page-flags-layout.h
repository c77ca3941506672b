/* SPDX-License-Identifier: MIT */
#pragma once

/* Of page->flags the low bits are flags; the node and the zone stand in the highest. */
#define ZONES_SHIFT 2
#define NODES_SHIFT 0
#define ZONES_PGSHIFT (64 - 6 - ZONES_SHIFT)
