/** what-if, compare, timeline, stress and methodology as a user calls them. */
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../src/margin/methodology.ts';
import {
  place,
  plimsoll,
  SMALL_ACCOUNT,
  SMALL_FACTORS,
  SMALL_MARKET,
  temporaryFolder,
} from './command.ts';

const folder = temporaryFolder();
const INPUTS = [
  ...['-m', place(folder, 'market.json', SMALL_MARKET)],
  ...['-f', place(folder, 'factors.json', SMALL_FACTORS)],
  ...['-a', place(folder, 'account.json', SMALL_ACCOUNT)],
  ...['-n', '1000', '-w', '1', '-q'],
];
const json = async (args: readonly string[]): Promise<Record<string, never>> => {
  const run = await plimsoll([...args, '--json']);
  expect(run.code, run.stderr).toBe(0);
  return JSON.parse(run.stdout);
};

describe('plimsoll what-if', () => {
  it('takes trades from the command line and a change from a file', async () => {
    const fills = [{ instrument: 'BTC-LINEAR', size: -1, price: 91_000 }];
    const change = place(folder, 'change.json', { fills });
    const order = ['--order', 'buy 1 BTC-LINEAR 89000'];
    const both = await json(['what-if', ...INPUTS, '--change', change, ...order]);
    const flags = ['--fill', 'sell 1 BTC-LINEAR 91000', ...order];
    expect(await json(['what-if', ...INPUTS, ...flags])).toEqual(both);
    // One of the two settled contracts is sold 1,000 above its mark.
    expect(both.difference).toMatchObject({ equity: 1_000 });
    expect(both.orders).toMatchObject([{ order: { side: 'buy', size: 1, price: 89_000 } }]);
  });

  it('shows a table', async () => {
    const run = await plimsoll(['what-if', ...INPUTS, '--order', 'buy 500 BTC-LINEAR 90000']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/initial margin\s+[\d,.]+\s+[\d,.]+\s+[\d,.]+/);
    expect(run.stdout).toMatch(/not allowed: [\d,.]+ of collateral missing/);
  });

  it.each([
    [[], /nothing changes/],
    [['--order', 'buy 1 BTC-LINEAR'], /needs a price/],
    [['--order', 'hold 1 BTC-LINEAR 5'], /SIDE is buy or sell/],
    [['--fill', 'buy x BTC-LINEAR'], /a number is expected/],
    [['--fill', 'buy 0 BTC-LINEAR'], /greater than 0/],
    [['--fill', 'buy 1 NOTHING'], /no instrument NOTHING/],
  ])('refuses %j', async (args, message) => {
    const run = await plimsoll(['what-if', ...INPUTS, ...args]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(message);
  });
});

describe('plimsoll compare', () => {
  it('sets modes and methodologies side by side', async () => {
    const own = place(folder, 'own.json', { name: 'own', mmFactor: 0.5 });
    const args = ['compare', ...INPUTS, '--with', 'market-risk', '--with', own];
    const answer = await json(args);
    expect(answer).toMatchObject({
      current: { modes: [{ mode: 'portfolio' }, { mode: 'cross' }, { mode: 'isolated' }] },
      methodologies: [{ name: 'market-risk' }, { name: 'own' }],
    });
    const run = await plimsoll(args);
    expect(run.stdout).toMatch(/portfolio \(now\)\s+cross\s+isolated/);
    expect(run.stdout).toMatch(/Under own/);
  });
});

describe('plimsoll timeline', () => {
  it('stands on the dates that were asked for', async () => {
    const date = '2026-01-05T00:00:00Z';
    const args = ['timeline', ...INPUTS, '--days', '1,2.5', '--date', date];
    const answer = (await json(args)) as unknown as { points: { date: string }[] };
    expect(answer.points.map((point) => point.date)).toEqual([
      '2026-01-02T08:00:00Z',
      '2026-01-03T08:00:00Z',
      '2026-01-04T20:00:00Z',
      date,
    ]);
    const run = await plimsoll(args);
    expect(run.stdout).toMatch(/No margin call up to 2026-01-05T00:00:00Z/);
    expect((await plimsoll(['timeline', ...INPUTS, '--days', '1,x'])).code).toBe(2);
  });
});

describe('plimsoll stress', () => {
  it('takes a library', async () => {
    const library = place(folder, 'library.json', {
      hypothetical: false,
      scenarios: [{ name: 'half', spot: -0.5 }],
      grid: { spot: [0.1], vol: [0] },
    });
    const args = ['stress', ...INPUTS, '--library', library];
    // Two contracts of 90,000.
    const answer = (await json(args)) as unknown as {
      scenarios: { name: string; pnl: number }[];
      grid: { pnl: number[][] };
    };
    expect(answer.scenarios.map(({ name }) => name)).toEqual(['half']);
    expect(answer.scenarios[0]!.pnl).toBeCloseTo(-90_000, 6);
    expect(answer.grid.pnl[0]![0]).toBeCloseTo(18_000, 6);
    const run = await plimsoll(args);
    expect(run.stdout).toMatch(/half\s+user\s+-90,000\.00\s+-40,000\.00/);
  });

  it('names the file whose field is wrong', async () => {
    const library = place(folder, 'wrong.json', { scenarios: [{ name: 'x', spot: -2 }] });
    const run = await plimsoll(['stress', ...INPUTS, '--library', library]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/wrong\.json.*scenarios\[0\]\.spot/);
  });
});

describe('plimsoll methodology', () => {
  it('has every parameter with its range, and the hash that results cite', async () => {
    const answer = (await json([
      'methodology',
      ...INPUTS.slice(2, 4),
      '-n',
      '1000',
    ])) as unknown as {
      hash: string;
      parameters: { path: string; value: unknown; range: string }[];
    };
    const { before } = await json(['what-if', ...INPUTS, '--fill', 'buy 1 BTC-LINEAR']);
    expect(before).toMatchObject({ methodology: answer.hash });
    const of = (path: string) => answer.parameters.find((one) => one.path === path);
    expect(of('confidence')).toMatchObject({ value: 0.99, range: '0.5 … 0.9999' });
    expect(of('stress.weight')).toMatchObject({ value: 0.25, default: 0.25 });
    // Each parameter of the presets is one of them, in a group or by itself.
    for (const name of Object.keys(PRESETS['exchange-crypto'])) {
      const listed = answer.parameters.some(({ path }) => path.split('.')[0] === name);
      expect(listed, name).toBe(true);
    }
  });

  it('shows a table, and what is different in another', async () => {
    const run = await plimsoll([
      'methodology',
      '--methodology',
      'clearing-listed',
      '--diff',
      'exchange-crypto',
    ]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/mmFactor\s+0\.8/);
    expect(run.stdout).toMatch(/horizonDays\s+2\s+1\n/);
    expect(run.stderr).toMatch(/without --factors/);
    const same = await plimsoll(['methodology', '--diff', 'exchange-crypto']);
    expect(same.stdout).toMatch(/no parameter is different/);
  });
});
