import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (name: string) => fileURLToPath(new URL(`./packages/${name}/src/`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests run on the sources, so that a failing line is the line that was written.
    alias: [
      { find: /^@pagewalk\/kernel$/, replacement: `${source('kernel')}index.ts` },
      { find: /^@pagewalk\/kernel\/(.*)$/, replacement: `${source('kernel')}$1.ts` },
      { find: /^@pagewalk\/toolchain$/, replacement: `${source('toolchain')}index.ts` },
      { find: /^@pagewalk\/toolchain\/(.*)$/, replacement: `${source('toolchain')}$1.ts` },
    ],
  },
  test: {
    setupFiles: ['tests/support/setup.ts'],
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
});
