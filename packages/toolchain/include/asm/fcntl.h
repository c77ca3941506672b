/* SPDX-License-Identifier: MIT */
#pragma once

#include <uapi/asm/fcntl.h>
