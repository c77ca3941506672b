/* SPDX-License-Identifier: MIT */
#pragma once

#include <asm/processor.h>
