/** 50 rounds of the real service under eight connections, each ended by SIGKILL at another instant. */
import { expect, it } from 'vitest';
import { makeStorm } from '../book/deskCrash.ts';

const ROUNDS = 50;
const UPDATES = 20_000;

it(`${ROUNDS} rounds of SIGKILL, ${UPDATES} acknowledged updates and more`, async () => {
  const storm = makeStorm();
  let acknowledged = 0;
  for (let round = 1; round <= ROUNDS || acknowledged <= UPDATES; round++) {
    // Between 0.5 and 3.5 s, spread evenly, in no order.
    acknowledged += await storm.round(round, 500 + ((round * 397) % 3_001));
  }
  expect(acknowledged).toBeGreaterThan(UPDATES);
  storm.remove();
}, 3_600_000);
