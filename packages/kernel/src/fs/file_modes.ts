// SPDX-License-Identifier: MIT
/** Types and permission bits in st_mode, and what they are called in a folder's entries. */

export const S_IFMT = 0o170000;
export const S_IFSOCK = 0o140000;
export const S_IFLNK = 0o120000;
export const S_IFREG = 0o100000;
export const S_IFBLK = 0o060000;
export const S_IFDIR = 0o040000;
export const S_IFCHR = 0o020000;
export const S_IFIFO = 0o010000;
export const S_ISUID = 0o4000;
export const S_ISGID = 0o2000;
export const S_ISVTX = 0o1000;
/** All permission bits. */
export const S_IALLUGO = 0o7777;

/** What getdents calls a type: DT_DIR and so on. @linux fs/fs_types.c:fs_umode_to_dtype full */
export const entryType = (mode: number): number => (mode & S_IFMT) >> 12;
