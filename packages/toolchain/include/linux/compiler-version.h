/* SPDX-License-Identifier: MIT */
#pragma once

/* Forced into every compilation, as in Kbuild, so that a new compiler means a new build. */
