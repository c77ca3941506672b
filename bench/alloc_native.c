// SPDX-License-Identifier: MIT
/* What alloc.c does, with the C library's allocator. */
#include <stdlib.h>

#define ALLOC(size) malloc(size)
#define FREE(object) free(object)
#define BENCH static int
#define ARGUMENTS void *memory, int n
#include "alloc.h"

#define KERNELS(X) X(pair) X(batch)
#include "native_main.h"
