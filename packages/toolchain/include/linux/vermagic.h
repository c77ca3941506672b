/* SPDX-License-Identifier: MIT */
#pragma once

#include <generated/utsrelease.h>

#define VERMAGIC_STRING UTS_RELEASE " SMP preempt mod_unload "
