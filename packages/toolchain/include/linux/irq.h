/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/interrupt.h>
#include <linux/irqdesc.h>
