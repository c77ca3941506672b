// SPDX-License-Identifier: MIT
/**
 * The two address maps of the machine: Linux's x86-64 map, which guests see, and the map of the host's
 * linear memory, which they cannot name.
 *
 * A guest address is a canonical 48-bit address sign-extended into a JavaScript number: user addresses are
 * positive, kernel addresses negative. All values here are exact.
 */

declare const unit: unique symbol;
/** A guest virtual address: an integer in [-2^47, 2^47) when canonical. */
export type Vaddr = number & { readonly [unit]?: 'vaddr' };
/** A physical address: a byte offset into RAM, 0 ≤ p < Ram.size. */
export type Paddr = number & { readonly [unit]?: 'paddr' };
/** A page frame number. */
export type Pfn = number & { readonly [unit]?: 'pfn' };
/** A kernel object in the direct map: its word (4-byte) index in RAM. 0 is NULL. */
export type Handle = number & { readonly [unit]?: 'handle' };

export const PAGE_SHIFT = 12;
export const PAGE_SIZE = 4096;
export const PAGE_MASK_LOW = PAGE_SIZE - 1;

const TWO32 = 4294967296;
/** Builds an address from its upper and lower 32 bits, as C would write `0xHHHHHHHHLLLLLLLL`. */
export const vaddr = (hi: number, lo: number): Vaddr => (hi | 0) * TWO32 + (lo >>> 0);

/** The direct map of all RAM; its low 32 bits are zero, so the low word of a pointer is a physical address. */
export const PAGE_OFFSET = vaddr(0xffff8880, 0);
/** Upper 32 bits of every direct-map pointer to the first 2 GiB. */
export const PAGE_OFFSET_HI = 0xffff8880 | 0;
export const VMALLOC_START = vaddr(0xffffc900, 0);
/** One past the last vmalloc byte (32 TiB, as in Linux with 4-level page tables). */
export const VMALLOC_END = VMALLOC_START + 32 * 2 ** 40;
/** `struct page` number n is at VMEMMAP_START + 64·n. */
export const VMEMMAP_START = vaddr(0xffffea00, 0);
/** Where the kernel's own text begins; its data follows at KERNEL_DATA_START. */
export const KERNEL_TEXT_START = vaddr(0xffffffff, 0x81000000);
export const KERNEL_TEXT_SIZE = 0x01000000;
export const KERNEL_DATA_START = vaddr(0xffffffff, 0x82000000);
export const MODULES_VADDR = vaddr(0xffffffff, 0xc0000000);
export const MODULES_END = vaddr(0xffffffff, 0xff000000);
/** One past the last user address, with 4-level page tables. */
export const TASK_SIZE = 2 ** 47 - PAGE_SIZE;

// ------------------------------------------------------------------------------------------------
// Host linear memory, in bytes from its start. Guests reach only what lies at RAM_BASE and above.

/**
 * i32: not 0 sends every allocation and free of C through TypeScript, where tools can watch it. A switch of the host's,
 * no state of the machine.
 */
export const SLOW_PATHS = 0x80;
/** The running CPU's registers, see `REG` below. */
export const CPU_BASE = 0x100;
/** Registers of the running virtual CPU, as byte offsets in host memory. */
export const REG = {
  /** i64: the C stack pointer, a guest address. */
  sp: CPU_BASE,
  /** i64: the lowest value the C stack pointer may take. */
  spLimit: CPU_BASE + 8,
  /** i32: next free slot of the shadow call stack, a host offset. */
  ssp: CPU_BASE + 16,
  /** i32: ticks left until the kernel is called. */
  ticks: CPU_BASE + 20,
  /** i32: physical address of the top-level page table, as x86's CR3. */
  cr3: CPU_BASE + 24,
  /** i32: 1 while the CPU runs user code (CPL 3), else 0. */
  user: CPU_BASE + 28,
  /** i32: whether C frames are being saved or restored, see SUSPEND. */
  suspend: CPU_BASE + 32,
  /** i32: host offset where the next C frame is saved, or one past the next to be restored. */
  frames: CPU_BASE + 36,
  /** i32: host offset of the end of the running task's area for saved frames. */
  framesEnd: CPU_BASE + 40,
  /** i32: number of the running CPU. */
  cpu: CPU_BASE + 44,
} as const;
/** Values of REG.suspend. */
export const SUSPEND = { none: 0, unwinding: 1, rewinding: 2 } as const;
/**
 * Bytes of host memory after the end of RAM. A load that crosses into another page frame is served from the first
 * 16; a store that does is done by the slow path, and then repeated by the fast path into the second 16.
 */
export const BOUNCE_BYTES = 64;
/** Shadow call stack: one 32-bit return address a frame. */
export const SHADOW_STACK = 0x1000;
/** How deep calls may nest, in units of a frame of at most 16 locals. */
export const CALL_DEPTH = 2048;
export const SHADOW_STACK_END = SHADOW_STACK + 4 * CALL_DEPTH;
/**
 * TLBs: entries of 16 bytes { tag: i64, delta: i32, unused: i32 }. The tag is the page's address; the low word of an
 * address in it, plus delta, is its offset in RAM.
 */
export const TLB_ENTRIES = 1024;
export const TLB_READ = 0x10000;
export const TLB_WRITE = 0x14000;
/** Fetch TLB for indirect calls: { address: i64, signature: i32, host table index: i32 }. */
export const TLB_FETCH = 0x18000;
/** Physical address 0. */
export const RAM_BASE = 0x20000;
