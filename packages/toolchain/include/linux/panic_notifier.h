/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/notifier.h>
