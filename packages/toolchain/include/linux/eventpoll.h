/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/poll.h>
