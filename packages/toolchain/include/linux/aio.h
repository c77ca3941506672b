/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/fs.h>
#include <linux/uio.h>

struct kioctx;
typedef int (kiocb_cancel_fn)(struct kiocb *);
