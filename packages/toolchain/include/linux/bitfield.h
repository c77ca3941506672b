/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/build_bug.h>
#include <asm/byteorder.h>

#define __bf_shf(x) (__builtin_ffsll(x) - 1)
#define FIELD_MAX(_mask) ((typeof(_mask))((_mask) >> __bf_shf(_mask)))
#define FIELD_FIT(_mask, _val) (!((((typeof(_mask))_val) << __bf_shf(_mask)) & ~(_mask)))
#define FIELD_PREP(_mask, _val) (((typeof(_mask))(_val) << __bf_shf(_mask)) & (_mask))
#define FIELD_GET(_mask, _reg) ((typeof(_mask))(((_reg) & (_mask)) >> __bf_shf(_mask)))

/* The same with the field as an argument, for each integer type: u32_get_bits(), le16p_replace_bits(), … */
static __always_inline u64 field_multiplier(u64 field)
{
	return field & -field;
}

static __always_inline u64 field_mask(u64 field)
{
	return field / field_multiplier(field);
}

#define field_max(field) ((typeof(field))field_mask(field))
#define ____MAKE_OP(type, base, to, from) \
	static __always_inline __##type type##_encode_bits(base v, base field) \
	{ \
		return to((base)((v & field_mask(field)) * field_multiplier(field))); \
	} \
	static __always_inline __##type type##_replace_bits(__##type old, base val, base field) \
	{ \
		return (old & ~to(field)) | type##_encode_bits(val, field); \
	} \
	static __always_inline void type##p_replace_bits(__##type *p, base val, base field) \
	{ \
		*p = (*p & ~to(field)) | type##_encode_bits(val, field); \
	} \
	static __always_inline base type##_get_bits(__##type v, base field) \
	{ \
		return (from(v) & field) / field_multiplier(field); \
	}
#define __MAKE_OP(size) \
	____MAKE_OP(le##size, u##size, cpu_to_le##size, le##size##_to_cpu) \
	____MAKE_OP(be##size, u##size, cpu_to_be##size, be##size##_to_cpu) \
	____MAKE_OP(u##size, u##size, , )
____MAKE_OP(u8, u8, , )
__MAKE_OP(16)
__MAKE_OP(32)
__MAKE_OP(64)
#undef __MAKE_OP
#undef ____MAKE_OP
