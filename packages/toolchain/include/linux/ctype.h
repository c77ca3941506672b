/* SPDX-License-Identifier: MIT */
#pragma once

#include <linux/types.h>

static inline int isdigit(int c)
{
	return c >= '0' && c <= '9';
}

static inline int __isascii_lower(int c)
{
	return c >= 'a' && c <= 'z';
}

static inline int __isascii_upper(int c)
{
	return c >= 'A' && c <= 'Z';
}

/* Letters beyond ASCII are those of Latin-1, as in Linux. */
static inline int islower(int ch)
{
	unsigned char c = ch;

	return __isascii_lower(c) || (c >= 0xdf && c != 0xf7);
}

static inline int isupper(int ch)
{
	unsigned char c = ch;

	return __isascii_upper(c) || (c >= 0xc0 && c <= 0xde && c != 0xd7);
}

static inline int isalpha(int c)
{
	return islower(c) || isupper(c);
}

static inline int isalnum(int c)
{
	return isalpha(c) || isdigit(c);
}

static inline int iscntrl(int ch)
{
	unsigned char c = ch;

	return c < 32 || c == 127;
}

static inline int isspace(int ch)
{
	unsigned char c = ch;

	return c == ' ' || (c >= 9 && c <= 13) || c == 0xa0;
}

static inline int isprint(int ch)
{
	unsigned char c = ch;

	return (c >= 32 && c < 127) || c >= 0xa0;
}

static inline int isgraph(int ch)
{
	return isprint(ch) && !isspace(ch);
}

static inline int ispunct(int ch)
{
	return isgraph(ch) && !isalnum(ch);
}

static inline int isxdigit(int c)
{
	return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static inline int isodigit(int c)
{
	return c >= '0' && c <= '7';
}

#define isascii(c) (((unsigned char)(c)) <= 0x7f)
#define toascii(c) (((unsigned char)(c)) & 0x7f)

static inline unsigned char tolower(unsigned char c)
{
	return isupper(c) ? c + 32 : c;
}

static inline unsigned char toupper(unsigned char c)
{
	return islower(c) && c != 0xdf && c != 0xff ? c - 32 : c;
}

static inline char _tolower(const char c)
{
	return c | 0x20;
}
