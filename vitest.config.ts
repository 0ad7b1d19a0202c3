import { defineConfig } from 'vitest/config';

// `npm run test:long` sets this: kill storms and large fuzz runs instead of the suite.
const long = process.env.PLIMSOLL_LONG === '1';

export default defineConfig({
  test: {
    include: [long ? 'test/long/**/*.test.ts' : 'test/**/*.test.ts'],
    exclude: long ? [] : ['test/long/**'],
    testTimeout: long ? 1_800_000 : 120_000,
    hookTimeout: 60_000,
    // The engine uses every core; test files that run side by side would only fight for them.
    maxWorkers: long ? 1 : 2,
  },
});
