/* SPDX-License-Identifier: MIT */
#pragma once

extern const char *errname(int err);
