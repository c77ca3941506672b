/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/uidgid.h>
#include <linux/sched.h>
