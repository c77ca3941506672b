/* SPDX-License-Identifier: MIT */
#pragma once

struct lock_class_key { };
struct lockdep_map { };
