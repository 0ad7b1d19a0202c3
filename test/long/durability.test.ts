/** 50 rounds of the real service under eight connections, each ended by SIGKILL at another instant. */
import { expect, it } from 'vitest';
import { makeStorm } from '../book/deskCrash.ts';

const ROUNDS = 50;
/** Acknowledged before the kill, in each round; fewer to look for rare instants in less time. */
const UPDATES = Number(process.env.PLIMSOLL_STORM_UPDATES ?? 20_000);
/** Rounds on one store, so that restarts meet long logs as well as short ones. */
const EACH = 10;

it(`${ROUNDS} rounds of SIGKILL, ${UPDATES} acknowledged updates and more in each`, async () => {
  for (let first = 1; first <= ROUNDS; first += EACH) {
    const storm = makeStorm();
    for (let round = first; round < first + EACH; round++) {
      const start = performance.now();
      const acknowledged = await storm.round(round, UPDATES);
      expect(acknowledged).toBeGreaterThanOrEqual(UPDATES);
      const seconds = ((performance.now() - start) / 1_000).toFixed(0);
      console.log(`round ${round}: ${acknowledged} updates, all found again, ${seconds} s`);
    }
    storm.remove();
  }
}, 7_200_000);
