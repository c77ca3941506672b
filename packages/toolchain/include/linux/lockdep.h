/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/lockdep_types.h>

struct task_struct;

/* Lock dependencies are not tracked: the annotations make no code. */
#define lockdep_set_class(lock, key) do { (void)(key); } while (0)
#define lockdep_set_class_and_name(lock, key, name) do { (void)(key); (void)(name); } while (0)
#define lockdep_set_subclass(lock, sub) do { } while (0)
#define lockdep_init_map(lock, name, key, sub) do { (void)(name); (void)(key); } while (0)
#define lockdep_assert(c) do { } while (0)
#define lockdep_assert_held(l) do { (void)(l); } while (0)
#define lockdep_assert_not_held(l) do { (void)(l); } while (0)
#define lockdep_assert_held_write(l) do { (void)(l); } while (0)
#define lockdep_assert_held_read(l) do { (void)(l); } while (0)
#define lockdep_assert_held_once(l) do { (void)(l); } while (0)
#define lockdep_is_held(l) 1
#define lockdep_register_key(key) do { (void)(key); } while (0)
#define lockdep_unregister_key(key) do { (void)(key); } while (0)
#define lockdep_off() do { } while (0)
#define lockdep_on() do { } while (0)
#define might_lock(lock) do { } while (0)
