// SPDX-License-Identifier: MIT
/*
 * Runs functions `int f(void *memory, int n)` natively: reads lines "name n", writes "nanoseconds result".
 * KERNELS(X) must name them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int run(const char *name, void *memory, int n)
{
#define CALL(k) if (strcmp(name, #k) == 0) return k(memory, n);
	KERNELS(CALL)
	exit(1);
}

int main(int argc, char **argv)
{
	void *memory = aligned_alloc(4096, strtoul(argv[1], 0, 10));
	char name[32];
	int n;

	while (scanf("%31s %d", name, &n) == 2) {
		struct timespec from, to;
		int result;

		clock_gettime(CLOCK_MONOTONIC, &from);
		result = run(name, memory, n);
		clock_gettime(CLOCK_MONOTONIC, &to);
		printf("%lld %d\n", (to.tv_sec - from.tv_sec) * 1000000000LL + to.tv_nsec - from.tv_nsec, result);
		fflush(stdout);
	}
	return 0;
}
