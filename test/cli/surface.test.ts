/** `plimsoll surface`, run as a user does. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { testData } from '../data.ts';
import sviFixture from '../fixtures/svi.json' with { type: 'json' };
import { smileOf } from '../market/sviChains.ts';
import { place, plimsoll, SMALL_MARKET, temporaryFolder } from './command.ts';

const folder = temporaryFolder();
const expiry = '2026-02-01T08:00:00Z';
const [month] = sviFixture.slices;
const [underlying] = SMALL_MARKET.underlyings;
const quotes = smileOf(month!.parameters, 30 / 365, [-0.3, 0.3, 21]).map(([k, iv]) => ({
  strike: 90_000 * Math.exp(k),
  iv,
}));
const market = place(folder, 'market.json', {
  ...SMALL_MARKET,
  underlyings: [
    {
      ...underlying,
      forwards: [...underlying.forwards, { expiry, price: 90_000 }],
      surface: [
        { expiry: '2026-01-01T08:00:00Z', quotes },
        { expiry, quotes },
        { expiry: '2026-02-07T08:00:00Z', quotes: quotes.slice(0, 3) },
        ...underlying.surface,
      ],
    },
  ],
});

interface Report {
  readonly underlyings: readonly {
    readonly id: string;
    readonly expired: number;
    readonly slices: readonly {
      readonly expiry: string;
      readonly quotes: number;
      readonly parameters: Record<string, number> | null;
      readonly rmse: number | null;
      readonly fitViolations: { readonly butterfly: number; readonly calendar: number };
    }[];
  }[];
}

describe('plimsoll surface', () => {
  it('reports each slice as JSON, what was left out included', async () => {
    const run = await plimsoll(['surface', '-m', market, '--json']);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stderr).toBe('');
    const { underlyings } = JSON.parse(run.stdout) as Report;
    expect(underlyings).toHaveLength(1);
    const [{ id, expired, slices }] = underlyings as [Report['underlyings'][0]];
    expect([id, expired]).toEqual(['BTC', 1]);
    expect(slices.map((slice) => slice.quotes)).toEqual([21, 3, 1]);
    // Quotes on a slice: its parameters again, to what the fit leaves (sviFit.test.ts).
    for (const [name, value] of Object.entries(month!.parameters)) {
      expect(Math.abs(slices[0]!.parameters![name]! - value), name).toBeLessThan(1e-3);
    }
    expect(slices[0]!.rmse).toBeLessThan(1e-6);
    expect(slices[1]).toMatchObject({ parameters: null, rmse: null });
    expect(slices[2]!.fitViolations).toEqual({ butterfly: 0, calendar: 0 });
  });

  it('shows a table otherwise', async () => {
    const run = await plimsoll(['surface', '--market', market]);
    expect(run.code, run.stderr).toBe(0);
    expect(run.stdout).toMatch(/SVI surfaces as of 2026-01-02T08:00:00Z/);
    expect(run.stdout).toMatch(/left out\s+1 expired/);
    expect(run.stdout).toMatch(/2026-02-01T08:00:00Z\s+30\.0\s+21\s/);
    expect(run.stdout).toMatch(/2026-02-07T08:00:00Z\s+36\.0\s+3\s+no forward: not fitted/);
  });

  it('reads a market from standard input', async () => {
    const run = await plimsoll(['surface', '-m', '-', '--json'], readFileSync(market, 'utf8'));
    expect(run.code, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toHaveProperty('underlyings');
  });

  it.each([
    ['no market', ['surface'], /USAGE: no market/],
    ['an absent file', ['surface', '-m', join(folder, 'absent.json')], /NOT_FOUND/],
    ['an unknown option', ['surface', '-m', market, '--chain'], /unknown option '--chain'/],
  ] as const)('%s ends with 2', async (_, args, reason) => {
    const run = await plimsoll(args);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(reason);
    expect(run.stdout).toBe('');
  });

  it('a market without any volatility ends with 2', async () => {
    const bare = place(folder, 'bare.json', {
      ...SMALL_MARKET,
      underlyings: [{ id: 'BTC', spot: 90_000 }],
      instruments: [],
    });
    const run = await plimsoll(['surface', '-m', bare]);
    expect(run.code).toBe(2);
    expect(run.stderr).toMatch(/MISSING_FIELD: no underlying of the market has a surface/);
  });

  const chain = join(testData ?? '', 'deribit', 'deribit_options_snapshot_20251230T173115Z.csv.gz');
  it.skipIf(!existsSync(chain))('a real chain', async () => {
    const run = await plimsoll(['surface', '-m', chain, '--json']);
    expect(run.code, run.stderr).toBe(0);
    const { underlyings } = JSON.parse(run.stdout) as Report;
    expect(underlyings.map(({ id, slices }) => [id, slices.length])).toEqual([
      ['BTC', 12],
      ['ETH', 12],
    ]);
  });
});
