/* SPDX-License-Identifier: MIT */
#pragma once

#include <uapi/linux/ioctl.h>
