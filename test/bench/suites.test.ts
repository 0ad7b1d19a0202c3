/** Every suite with small parameters: it runs, what it computes stays the same, twins and peers agree with it. No timing decides. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Line } from '../../bench/line.ts';
import { NO_PEERS, openPeers, type Peers } from '../../bench/peers/peers.ts';
import { runSuites, SUITES } from '../../bench/suites.ts';

let peers: Peers = NO_PEERS;

beforeAll(() => {
  peers = openPeers();
});
afterAll(() => peers.close());

const quick = (name: string, found: Peers): Promise<readonly Line[]> =>
  runSuites([name], { quick: true, peers: found });

const hashes = (lines: readonly Line[]) => lines.map(({ name, hash }) => [name, hash]);

describe('suites with small parameters', () => {
  for (const { name } of SUITES) {
    test(`${name} runs and computes the same twice`, async () => {
      // Twins are held to the kernels' results within the suites: they throw where one differs.
      const first = await quick(name, NO_PEERS);
      expect(first.length).toBeGreaterThan(0);
      for (const line of first) {
        expect(line.rate, line.name).toBeGreaterThan(0);
        expect(line.seconds, line.name).toBeGreaterThan(0);
        expect(line.targets, 'small parameters meet and miss nothing').toEqual([]);
      }
      // A live book is set up and torn down for each line: its second time is for the long run.
      if (name === 'book' && process.env.PLIMSOLL_LONG !== '1') return;
      expect(hashes(await quick(name, NO_PEERS))).toEqual(hashes(first));
    });
  }

  test('numpy, scipy and QuantLib compute the same', async (context) => {
    if (peers.numpy === null && peers.quantlib === null) context.skip('no peer was found');
    // Within the suites: 1e-14 of the forward for prices, 1e-12 for tails, 1e-9 for accounts; they throw where one differs.
    for (const name of ['maths', 'black76', 'tail', 'accounts']) {
      const lines = await quick(name, peers);
      expect(hashes(lines)).toEqual(hashes(await quick(name, NO_PEERS)));
      const named = new Set(lines.flatMap(({ ratios }) => Object.keys(ratios)));
      if (peers.numpy !== null) {
        expect(
          [...named].some((peer) => /numpy|scipy/.test(peer)),
          name,
        ).toBe(true);
      }
    }
  });
});
