// SPDX-License-Identifier: MIT
/**
 * Copies between kernel and user space. User addresses are the lower half; one that is not mapped makes the copy
 * stop there, and the caller learns how many bytes are missing. So does a kernel address that is not mapped.
 */

import { EFAULT, ERANGE } from '../lib/errno.js';
import { bytesToPageEnd, type GuestAccess } from '../lib/guest_access.js';
import { type Paddr, REG, TASK_SIZE, type Vaddr } from '../machine/layout.js';

const INT_MAX = 0x7fffffff;

export class UserAccess {
  constructor(private readonly mem: GuestAccess) {}

  /**
   * Brings a page of user memory in, as a page fault would.
   * @returns true if the access can be tried again
   */
  faultIn: (address: Vaddr, write: boolean) => boolean = () => false;

  /** Looks at the kernel's side of a copy before it is made; reports what must not be copied. */
  checkObject: (address: Vaddr, bytes: number, toUser: boolean) => void = () => {};

  /** True if a range lies in the user half, mapped or not. */
  accessOk(address: Vaddr, bytes: number): boolean {
    return address >= 0 && bytes >= 0 && address + bytes <= TASK_SIZE;
  }

  private userPage(address: Vaddr, write: boolean): Paddr {
    const p = this.translate(address, write);
    return p < 0 && this.faultIn(address, write) ? this.translate(address, write) : p;
  }

  /** Physical address of a user page, -1 if it is not mapped: the access is made as user code makes it (SMAP). */
  translate(address: Vaddr, write: boolean): Paddr {
    const { host32 } = this.mem.ram;
    const before = host32[REG.user >> 2];
    host32[REG.user >> 2] = 1;
    const p = this.mem.guest.translate(address, write);
    host32[REG.user >> 2] = before;
    return p;
  }

  /**
   * Copies page by page until one side is not mapped.
   * @returns bytes that were not copied
   */
  private copy(
    to: Vaddr,
    from: Vaddr,
    bytes: number,
    target: (address: Vaddr) => Paddr,
    source: (address: Vaddr) => Paddr,
  ): number {
    const { u8 } = this.mem.ram;
    for (let done = 0; done < bytes; ) {
      const p = source(from + done);
      const q = target(to + done);
      if (p < 0 || q < 0) return bytes - done;
      const n = Math.min(bytes - done, bytesToPageEnd(from + done), bytesToPageEnd(to + done));
      u8.copyWithin(q, p, p + n);
      done += n;
    }
    return 0;
  }

  private readonly kernelRead = (address: Vaddr) => this.mem.guest.translate(address);
  private readonly kernelWrite = (address: Vaddr) => this.mem.guest.translate(address, true);
  private readonly userRead = (address: Vaddr) => this.userPage(address, false);
  private readonly userWrite = (address: Vaddr) => this.userPage(address, true);

  /** A size that no copy has: a negative number made unsigned. */
  private senseless(bytes: number): boolean {
    return bytes > INT_MAX;
  }

  /** Bytes that could not be copied to user space. */
  copyTo(to: Vaddr, from: Vaddr, bytes: number): number {
    if (this.senseless(bytes)) return bytes;
    this.checkObject(from, bytes, true);
    if (!this.accessOk(to, bytes)) return bytes;
    return this.copy(to, from, bytes, this.userWrite, this.kernelRead);
  }

  /** Bytes that could not be copied from user space; their places are zeroed. */
  copyFrom(to: Vaddr, from: Vaddr, bytes: number): number {
    if (this.senseless(bytes)) return bytes;
    this.checkObject(to, bytes, false);
    const missing = this.accessOk(from, bytes)
      ? this.copy(to, from, bytes, this.kernelWrite, this.userRead)
      : bytes;
    this.zero(to + bytes - missing, missing, this.kernelWrite);
    return missing;
  }

  /** The same without zeroing. */
  rawCopyFrom(to: Vaddr, from: Vaddr, bytes: number): number {
    if (this.senseless(bytes) || !this.accessOk(from, bytes)) return bytes;
    return this.copy(to, from, bytes, this.kernelWrite, this.userRead);
  }

  /** Bytes that could not be zeroed. */
  private zero(address: Vaddr, bytes: number, page: (address: Vaddr) => Paddr): number {
    for (let done = 0; done < bytes; ) {
      const p = page(address + done);
      if (p < 0) return bytes - done;
      const n = Math.min(bytes - done, bytesToPageEnd(address + done));
      this.mem.ram.u8.fill(0, p, p + n);
      done += n;
    }
    return 0;
  }

  /** A copy of user bytes; undefined if any cannot be read. */
  read(from: Vaddr, bytes: number): Uint8Array | undefined {
    if (!this.accessOk(from, bytes)) return undefined;
    const out = new Uint8Array(bytes);
    for (let done = 0; done < bytes; ) {
      const p = this.userPage(from + done, false);
      if (p < 0) return undefined;
      const n = Math.min(bytes - done, bytesToPageEnd(from + done));
      out.set(this.mem.ram.u8.subarray(p, p + n), done);
      done += n;
    }
    return out;
  }

  /** Bytes that could not be written. */
  write(to: Vaddr, bytes: Uint8Array): number {
    const n = bytes.length;
    if (!this.accessOk(to, n)) return n;
    for (let done = 0; done < n; ) {
      const p = this.userPage(to + done, true);
      if (p < 0) return n - done;
      const count = Math.min(n - done, bytesToPageEnd(to + done));
      this.mem.ram.u8.set(bytes.subarray(done, done + count), p);
      done += count;
    }
    return 0;
  }

  clear(address: Vaddr, bytes: number): number {
    return this.accessOk(address, bytes) ? this.zero(address, bytes, this.userWrite) : bytes;
  }

  /**
   * Copies a string with its NUL, at most `count` bytes.
   * @returns its length without the NUL, `count` if there was none, or -EFAULT
   */
  strncpyFrom(to: Vaddr, from: Vaddr, count: number): number {
    if (count <= 0) return 0;
    if (!this.accessOk(from, 1)) return -EFAULT;
    return this.copyString(to, from, Math.min(count, TASK_SIZE - from), count, this.userRead);
  }

  /** The same from kernel space, where nothing faults either. @linux mm/maccess.c:strncpy_from_kernel_nofault full */
  strncpyFromKernel(to: Vaddr, from: Vaddr, count: number): number {
    if (count <= 0) return 0;
    if (from >= 0) return -ERANGE;
    const length = this.copyString(to, from, count, count, this.kernelRead);
    if (length === count) this.zero(to + count - 1, 1, this.kernelWrite);
    return length < 0 ? length : Math.min(length + 1, count);
  }

  private copyString(
    to: Vaddr,
    from: Vaddr,
    reach: number,
    count: number,
    page: (address: Vaddr) => Paddr,
  ): number {
    const { u8 } = this.mem.ram;
    for (let done = 0; done < reach; ) {
      const p = page(from + done);
      const q = this.kernelWrite(to + done);
      if (p < 0 || q < 0) return -EFAULT;
      const n = Math.min(reach - done, bytesToPageEnd(from + done), bytesToPageEnd(to + done));
      for (let i = 0; i < n; i++) {
        u8[q + i] = u8[p + i];
        if (u8[p + i] === 0) return done + i;
      }
      done += n;
    }
    return reach === count ? count : -EFAULT;
  }

  /**
   * Bytes of a user string with its NUL; more than `max` if it is longer; 0 if it cannot be read.
   */
  strnlen(from: Vaddr, max: number): number {
    if (max <= 0 || !this.accessOk(from, 1)) return 0;
    const { u8 } = this.mem.ram;
    const reach = Math.min(max, TASK_SIZE - from);
    for (let done = 0; done < reach; ) {
      const p = this.userPage(from + done, false);
      if (p < 0) return 0;
      const n = Math.min(reach - done, bytesToPageEnd(from + done));
      const nul = u8.subarray(p, p + n).indexOf(0);
      if (nul >= 0) return done + nul + 1;
      done += n;
    }
    return reach === max ? max + 1 : 0;
  }

  /** Copies within the kernel's half, where what is not mapped is -EFAULT. @linux mm/maccess.c:copy_from_kernel_nofault full */
  copyKernelNofault(to: Vaddr, from: Vaddr, bytes: number, kernelSide: Vaddr): number {
    if (kernelSide >= 0) return -ERANGE;
    return this.copy(to, from, bytes, this.kernelWrite, this.kernelRead) === 0 ? 0 : -EFAULT;
  }
}
