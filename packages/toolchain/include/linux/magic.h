/* SPDX-License-Identifier: MIT */
#pragma once

#include <uapi/linux/magic.h>
