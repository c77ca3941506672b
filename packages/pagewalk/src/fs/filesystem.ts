// SPDX-License-Identifier: MIT
/** What the shell's programs know of files: what one is, how calls on it fail, streams of bytes. */

export type FileType = 'file' | 'directory' | 'symlink' | 'char' | 'block' | 'fifo' | 'socket';

export interface Stat {
  type: FileType;
  /** Permission bits. */
  mode: number;
  /** Bytes. */
  size: number;
  /** Milliseconds since 1970. */
  atimeMs: number;
  mtimeMs: number;
  ctimeMs: number;
  ino: number;
  nlink: number;
  uid: number;
  gid: number;
  /** Of 512 bytes. */
  blocks: number;
  /** Device that the file system lies on. */
  dev: number;
  /** Device numbers of a device node. */
  device?: readonly [major: number, minor: number];
}

export type ErrnoCode =
  | 'ENOENT'
  | 'EEXIST'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'ENOTEMPTY'
  | 'EROFS'
  | 'EACCES'
  | 'EPERM'
  | 'ELOOP'
  | 'EXDEV'
  | 'EBUSY'
  | 'ENOSPC'
  | 'ENOMEM'
  | 'EIO'
  | 'EFAULT'
  | 'ENOTTY'
  | 'EAGAIN'
  | 'EINTR'
  | 'ENXIO'
  | 'E2BIG'
  | 'EBADF'
  | 'ENODEV'
  | 'EMFILE'
  | 'EFBIG'
  | 'ESPIPE'
  | 'EDOM'
  | 'ERANGE'
  | 'ENOSYS'
  | 'ENODATA'
  | 'EPROTO'
  | 'EOVERFLOW'
  | 'EOPNOTSUPP'
  | 'ENOBUFS'
  | 'ETIMEDOUT'
  | 'ENAMETOOLONG'
  | 'ESTALE'
  | 'EMLINK';

/** The C library's words for an error number, as every tool prints them. */
export const errnoText: Record<ErrnoCode, string> = {
  ENOENT: 'No such file or directory',
  EEXIST: 'File exists',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENOTEMPTY: 'Directory not empty',
  EROFS: 'Read-only file system',
  EACCES: 'Permission denied',
  EPERM: 'Operation not permitted',
  ELOOP: 'Too many levels of symbolic links',
  EXDEV: 'Invalid cross-device link',
  EBUSY: 'Device or resource busy',
  ENOSPC: 'No space left on device',
  ENOMEM: 'Cannot allocate memory',
  EIO: 'Input/output error',
  EFAULT: 'Bad address',
  ENOTTY: 'Inappropriate ioctl for device',
  EAGAIN: 'Resource temporarily unavailable',
  EINTR: 'Interrupted system call',
  ENXIO: 'No such device or address',
  E2BIG: 'Argument list too long',
  EBADF: 'Bad file descriptor',
  ENODEV: 'No such device',
  EMFILE: 'Too many open files',
  EFBIG: 'File too large',
  ESPIPE: 'Illegal seek',
  EDOM: 'Numerical argument out of domain',
  ERANGE: 'Numerical result out of range',
  ENOSYS: 'Function not implemented',
  ENODATA: 'No data available',
  EPROTO: 'Protocol error',
  EOVERFLOW: 'Value too large for defined data type',
  EOPNOTSUPP: 'Operation not supported',
  ENOBUFS: 'No buffer space available',
  ETIMEDOUT: 'Connection timed out',
  EMLINK: 'Too many links',
  ESTALE: 'Stale file handle',
  ENAMETOOLONG: 'File name too long',
};

/** Names of error numbers. */
export const errnoCodes: Readonly<Record<number, ErrnoCode>> = {
  1: 'EPERM',
  2: 'ENOENT',
  4: 'EINTR',
  5: 'EIO',
  6: 'ENXIO',
  7: 'E2BIG',
  9: 'EBADF',
  11: 'EAGAIN',
  12: 'ENOMEM',
  13: 'EACCES',
  14: 'EFAULT',
  16: 'EBUSY',
  17: 'EEXIST',
  18: 'EXDEV',
  19: 'ENODEV',
  20: 'ENOTDIR',
  21: 'EISDIR',
  22: 'EINVAL',
  24: 'EMFILE',
  25: 'ENOTTY',
  27: 'EFBIG',
  28: 'ENOSPC',
  29: 'ESPIPE',
  30: 'EROFS',
  33: 'EDOM',
  34: 'ERANGE',
  38: 'ENOSYS',
  39: 'ENOTEMPTY',
  40: 'ELOOP',
  61: 'ENODATA',
  71: 'EPROTO',
  75: 'EOVERFLOW',
  95: 'EOPNOTSUPP',
  105: 'ENOBUFS',
  110: 'ETIMEDOUT',
  31: 'EMLINK',
  116: 'ESTALE',
  36: 'ENAMETOOLONG',
};

/** The number of an error by its name; undefined for one that is not known here. */
export function errnoOf(code: string): number | undefined {
  const found = Object.entries(errnoCodes).find(([, name]) => name === code);
  return found && Number(found[0]);
}

/** The program was killed in the kernel: by a bad access (9), or BUG() and other traps (11). */
export class Killed extends Error {
  override name = 'Killed';
  constructor(
    readonly signal: 9 | 11,
    message = signal === 11 ? 'Segmentation fault' : 'Killed',
  ) {
    super(message);
  }
}

/** What is said of calls to a kernel that has panicked. */
export const MACHINE_STOPPED = 'Kernel panic: the machine has stopped';

export class FsError extends Error {
  override name = 'FsError';
  constructor(
    readonly code: ErrnoCode,
    readonly path: string,
  ) {
    super(`${path}: ${errnoText[code]}`);
  }

  /** The error's text without the path: tools put their own words before it. */
  get reason(): string {
    return errnoText[this.code];
  }
}

/** An open file that takes no bytes. */
export class WriteError extends FsError {
  override name = 'WriteError';
  constructor(cause: FsError) {
    super(cause.code, cause.path);
    this.message = `write error: ${this.reason}`;
  }
}

/** Bytes to read, a chunk at a time; undefined at the end. */
export interface Source {
  read(): Promise<Uint8Array | undefined>;
  /** Says that nobody will read on. */
  close?(): void;
  /** Set where a person types. */
  isTerminal?: boolean;
}

/** Where bytes go. */
export interface Sink {
  write(bytes: Uint8Array): Promise<void>;
  close?(): void;
  isTerminal?: boolean;
}
