/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs_context.h>

struct constant_table {
	const char *name;
	int value;
};

typedef int fs_param_type(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
			  struct fs_parse_result *result);

extern int fs_param_is_bool(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);
extern int fs_param_is_u32(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);
extern int fs_param_is_s32(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);
extern int fs_param_is_u64(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);
extern int fs_param_is_enum(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);
extern int fs_param_is_string(struct p_log *log, const struct fs_parameter_spec *spec, struct fs_parameter *param,
		struct fs_parse_result *result);

/* fs_parameter_spec.flags */
#define fs_param_neg_with_no 0x0002
#define fs_param_can_be_empty 0x0004
#define fs_param_deprecated 0x0008

extern int __fs_parse(struct p_log *log, const struct fs_parameter_spec *desc, struct fs_parameter *value,
		      struct fs_parse_result *result);
extern int lookup_constant(const struct constant_table tbl[], const char *name, int not_found);

static inline int fs_parse(struct fs_context *fc, const struct fs_parameter_spec *desc, struct fs_parameter *param,
			   struct fs_parse_result *result)
{
	return __fs_parse(&fc->log, desc, param, result);
}

#define __fsparam(TYPE, NAME, OPT, FLAGS, DATA) \
	{ .name = NAME, .opt = OPT, .type = TYPE, .flags = FLAGS, .data = DATA }
#define fsparam_flag(NAME, OPT) __fsparam(NULL, NAME, OPT, 0, NULL)
#define fsparam_flag_no(NAME, OPT) __fsparam(NULL, NAME, OPT, fs_param_neg_with_no, NULL)
#define fsparam_bool(NAME, OPT) __fsparam(fs_param_is_bool, NAME, OPT, 0, NULL)
#define fsparam_u32(NAME, OPT) __fsparam(fs_param_is_u32, NAME, OPT, 0, NULL)
#define fsparam_u32oct(NAME, OPT) __fsparam(fs_param_is_u32, NAME, OPT, 0, (void *)8)
#define fsparam_u32hex(NAME, OPT) __fsparam(fs_param_is_u32, NAME, OPT, 0, (void *)16)
#define fsparam_s32(NAME, OPT) __fsparam(fs_param_is_s32, NAME, OPT, 0, NULL)
#define fsparam_u64(NAME, OPT) __fsparam(fs_param_is_u64, NAME, OPT, 0, NULL)
#define fsparam_enum(NAME, OPT, array) __fsparam(fs_param_is_enum, NAME, OPT, 0, array)
#define fsparam_string(NAME, OPT) __fsparam(fs_param_is_string, NAME, OPT, 0, NULL)
