/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/wait.h>
#include <linux/rbtree.h>
#include <linux/uidgid.h>
#include <linux/types.h>

struct completion;
struct ctl_table;
struct ctl_table_root;
struct ctl_table_set;
struct ctl_dir;
struct ctl_node;
struct ctl_table_poll;

typedef int proc_handler(struct ctl_table *ctl, int write, void *buffer, size_t *lenp, loff_t *ppos);

#include <generated/sysctl_types.h>

struct ctl_path {
	const char *procname;
};

struct ctl_table_poll {
	atomic_t event;
	wait_queue_head_t wait;
};

#define __CTL_TABLE_POLL_INITIALIZER(name) \
	{ .event = ATOMIC_INIT(0), .wait = __WAIT_QUEUE_HEAD_INITIALIZER(name.wait) }
#define DEFINE_CTL_TABLE_POLL(name) struct ctl_table_poll name = __CTL_TABLE_POLL_INITIALIZER(name)

/* Limits that many tables share. */
extern const int sysctl_vals[];
#define SYSCTL_ZERO ((void *)&sysctl_vals[0])
#define SYSCTL_ONE ((void *)&sysctl_vals[1])
#define SYSCTL_TWO ((void *)&sysctl_vals[2])
#define SYSCTL_THREE ((void *)&sysctl_vals[3])
#define SYSCTL_FOUR ((void *)&sysctl_vals[4])
#define SYSCTL_ONE_HUNDRED ((void *)&sysctl_vals[5])
#define SYSCTL_TWO_HUNDRED ((void *)&sysctl_vals[6])
#define SYSCTL_ONE_THOUSAND ((void *)&sysctl_vals[7])
#define SYSCTL_THREE_THOUSAND ((void *)&sysctl_vals[8])
#define SYSCTL_INT_MAX ((void *)&sysctl_vals[9])
#define SYSCTL_MAXOLDUID ((void *)&sysctl_vals[10])
#define SYSCTL_NEG_ONE ((void *)&sysctl_vals[11])

extern const unsigned long sysctl_long_vals[];
#define SYSCTL_LONG_ZERO ((void *)&sysctl_long_vals[0])
#define SYSCTL_LONG_ONE ((void *)&sysctl_long_vals[1])
#define SYSCTL_LONG_MAX ((void *)&sysctl_long_vals[2])

extern proc_handler proc_dostring;
extern proc_handler proc_dobool;
extern proc_handler proc_dointvec;
extern proc_handler proc_dointvec_minmax;
extern proc_handler proc_dointvec_jiffies;
extern proc_handler proc_dointvec_userhz_jiffies;
extern proc_handler proc_dointvec_ms_jiffies;
extern proc_handler proc_dointvec_ms_jiffies_minmax;
extern proc_handler proc_douintvec;
extern proc_handler proc_douintvec_minmax;
extern proc_handler proc_dou8vec_minmax;
extern proc_handler proc_doulongvec_minmax;
extern proc_handler proc_doulongvec_ms_jiffies_minmax;

extern struct ctl_table_header *register_sysctl(const char *path, struct ctl_table *table);
extern struct ctl_table_header *register_sysctl_table(struct ctl_table *table);
extern struct ctl_table_header *register_sysctl_paths(const struct ctl_path *path, struct ctl_table *table);
extern struct ctl_table_header *register_sysctl_mount_point(const char *path);
extern void unregister_sysctl_table(struct ctl_table_header *header);
