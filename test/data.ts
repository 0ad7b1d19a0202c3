/** Where the real market data stands that some tests run on: PLIMSOLL_TEST_DATA, or shared/data beside the checkout; null where neither is. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const beside = fileURLToPath(new URL('../../shared/data', import.meta.url));
const named = process.env.PLIMSOLL_TEST_DATA;

export const testData: string | null =
  named !== undefined && existsSync(named) ? named : existsSync(beside) ? beside : null;

if (testData === null)
  console.warn('PLIMSOLL_TEST_DATA is not set: tests on real market data are skipped');
