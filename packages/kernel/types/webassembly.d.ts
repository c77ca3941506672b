// SPDX-License-Identifier: MIT
// The part of the WebAssembly JavaScript API that the kernel uses. The kernel is host-free: it is compiled
// with neither the DOM's nor Node's types, so that nothing of a host can slip in.
export {};

declare global {
  namespace WebAssembly {
    class Memory {
      constructor(descriptor: { initial: number; maximum?: number });
      readonly buffer: ArrayBuffer;
    }
    class Table {
      constructor(descriptor: { element: 'anyfunc'; initial: number; maximum?: number });
      readonly length: number;
      grow(delta: number): number;
      get(index: number): unknown;
      set(index: number, value: unknown): void;
    }
    class Global {
      constructor(descriptor: { value: string; mutable?: boolean }, value: unknown);
      value: unknown;
    }
    class Module {
      constructor(bytes: Uint8Array);
      static customSections(module: Module, name: string): ArrayBuffer[];
    }
    class Instance {
      constructor(module: Module, imports: Record<string, Record<string, unknown>>);
      readonly exports: Record<string, unknown>;
    }
    class RuntimeError extends Error {}
    class CompileError extends Error {}
    function validate(bytes: Uint8Array): boolean;
    function compile(bytes: Uint8Array): Promise<Module>;
  }
}
