// SPDX-License-Identifier: MIT
/* The kernels natively. */
#include "kernels.c"

#define KERNELS(X) X(sum) X(fill) X(hash) X(chase_init) X(chase) X(integer) X(quicksort) X(recursion) X(sha256) \
	X(tree_init) X(tree)

#include "native_main.h"
