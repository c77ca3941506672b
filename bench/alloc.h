// SPDX-License-Identifier: MIT
/* What the module and the native program both do. */

#define BATCH 1024
static void *volatile sink;
static void *objects[BATCH];

BENCH pair(ARGUMENTS)
{
	for (int i = 0; i < n; i++) {
		void *object = ALLOC(128);

		sink = object;
		FREE(object);
	}
	return 0;
}

/* n operations: 1,024 objects, then all of them given back in the order in which they came. */
BENCH batch(ARGUMENTS)
{
	for (int done = 0; done < n; done += 2 * BATCH) {
		for (int i = 0; i < BATCH; i++)
			objects[i] = ALLOC(128);
		for (int i = 0; i < BATCH; i++)
			FREE(objects[i]);
	}
	return 0;
}
