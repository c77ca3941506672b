/* SPDX-License-Identifier: MIT */
#pragma once

#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif

/* The same members twice: as anonymous struct, and as a struct called NAME. */
#define __struct_group(TAG, NAME, ATTRS, MEMBERS...) \
	union { \
		struct { MEMBERS } ATTRS; \
		struct TAG { MEMBERS } ATTRS NAME; \
	}
#define struct_group(NAME, MEMBERS...) __struct_group(, NAME, , MEMBERS)
#define __DECLARE_FLEX_ARRAY(TYPE, NAME) \
	struct { \
		struct { } __empty_ ## NAME; \
		TYPE NAME[]; \
	}
#define DECLARE_FLEX_ARRAY(TYPE, NAME) __DECLARE_FLEX_ARRAY(TYPE, NAME)
