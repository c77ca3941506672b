// SPDX-License-Identifier: MIT
/*
 * What guest code is measured by. The same text is compiled for the machine, as plain wasm32, and by the host's own
 * compiler. Each works on memory it is given, and returns something that depends on all of its work.
 */
typedef unsigned int u32;
typedef unsigned char u8;

int sum(int *p, int n)
{
	u32 s = 0;

	for (int i = 0; i < n; i++)
		s += p[i];
	return s;
}

int fill(int *p, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = i;
	return n;
}

/* FNV-1a */
int hash(u8 *p, int n)
{
	u32 h = 2166136261u;

	for (int i = 0; i < n; i++)
		h = (h ^ p[i]) * 16777619u;
	return h;
}

/* A ring of 64-byte nodes in random order (Sattolo's shuffle). */
struct node {
	struct node *next;
	char pad[64 - sizeof(void *)];
};

int chase_init(struct node *nodes, int n)
{
	int *order = (int *)(nodes + n);
	u32 x = 12345;

	for (int i = 0; i < n; i++)
		order[i] = i;
	for (int i = n - 1; i > 0; i--) {
		int j, t = order[i];

		x = x * 1664525u + 1013904223u;
		j = (x >> 8) % i;
		order[i] = order[j];
		order[j] = t;
	}
	for (int i = 0; i < n; i++)
		nodes[i].next = &nodes[order[i]];
	return n;
}

int chase(struct node *nodes, int n)
{
	struct node *p = nodes;

	for (int i = 0; i < n; i++)
		p = p->next;
	return p - nodes;
}

/* Arithmetic only: a step of a random number generator. */
int integer(void *unused, int n)
{
	u32 x = 1;

	for (int i = 0; i < n; i++) {
		x = x * 1103515245u + 12345u;
		x ^= x >> 7;
	}
	return x;
}

static void sort(int *a, int low, int high)
{
	while (low < high) {
		int pivot = a[(low + high) >> 1], i = low, j = high;

		while (i <= j) {
			while (a[i] < pivot)
				i++;
			while (a[j] > pivot)
				j--;
			if (i <= j) {
				int t = a[i];

				a[i++] = a[j];
				a[j--] = t;
			}
		}
		/* The smaller part by recursion: depth stays below log2 n. */
		if (j - low < high - i) {
			sort(a, low, j);
			low = i;
		} else {
			sort(a, i, high);
			high = j;
		}
	}
}

int quicksort(int *a, int n)
{
	u32 x = 1;

	for (int i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		a[i] = x >> 1;
	}
	sort(a, 0, n - 1);
	return a[n / 2];
}

static int fib(int n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int recursion(void *unused, int n)
{
	return fib(n);
}

#define ROR(x, n) (((x) >> (n)) | ((x) << (32 - (n))))
static const u32 K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

/* SHA-256's compression function over n blocks (FIPS 180-4). */
int sha256(u8 *p, int n)
{
	u32 H[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19 };
	u32 w[64];

	for (int block = 0; block < n; block++, p += 64) {
		u32 a = H[0], b = H[1], c = H[2], d = H[3], e = H[4], f = H[5], g = H[6], h = H[7];

		for (int i = 0; i < 16; i++)
			w[i] = (u32)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
		for (int i = 16; i < 64; i++) {
			u32 s0 = ROR(w[i - 15], 7) ^ ROR(w[i - 15], 18) ^ (w[i - 15] >> 3);
			u32 s1 = ROR(w[i - 2], 17) ^ ROR(w[i - 2], 19) ^ (w[i - 2] >> 10);

			w[i] = w[i - 16] + s0 + w[i - 7] + s1;
		}
		for (int i = 0; i < 64; i++) {
			u32 t1 = h + (ROR(e, 6) ^ ROR(e, 11) ^ ROR(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
			u32 t2 = (ROR(a, 2) ^ ROR(a, 13) ^ ROR(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

			h = g;
			g = f;
			f = e;
			e = d + t1;
			d = c;
			c = b;
			b = a;
			a = t1 + t2;
		}
		H[0] += a;
		H[1] += b;
		H[2] += c;
		H[3] += d;
		H[4] += e;
		H[5] += f;
		H[6] += g;
		H[7] += h;
	}
	return H[0] ^ H[7];
}

/* A balanced search tree of 65,536 nodes, laid out breadth first. */
#define TREE 65536
struct tree {
	struct tree *left, *right;
	int key;
};

int tree_init(struct tree *t, int n)
{
	struct tree *path[40], *at = t;
	int depth = 0, key = 0;

	for (int i = 0; i < n; i++) {
		t[i].left = 2 * i + 1 < n ? &t[2 * i + 1] : 0;
		t[i].right = 2 * i + 2 < n ? &t[2 * i + 2] : 0;
	}
	while (at || depth) {
		for (; at; at = at->left)
			path[depth++] = at;
		at = path[--depth];
		at->key = key++;
		at = at->right;
	}
	return key;
}

int tree(struct tree *root, int n)
{
	u32 x = 7;
	int found = 0;

	for (int i = 0; i < n; i++) {
		struct tree *t = root;
		int key;

		x = x * 1664525u + 1013904223u;
		key = (x >> 4) % TREE;
		while (t && t->key != key)
			t = key < t->key ? t->left : t->right;
		found += t != 0;
	}
	return found;
}
