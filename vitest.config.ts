import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/long/**'],
    testTimeout: 120_000,
    hookTimeout: 60_000,
    // The engine uses every core; test files that run side by side would only fight for them.
    maxWorkers: 2,
  },
});
