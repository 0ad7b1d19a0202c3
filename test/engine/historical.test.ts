/** Historical simulation of linear books over real prices, against numpy. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readHistory } from '../../src/market/history.ts';
import type { MarketSnapshot } from '../../src/market/snapshot.ts';
import { testData } from '../data.ts';
import { fillInProcess } from './inProcess.ts';

interface Case {
  readonly book: string;
  readonly sizes: Record<string, number>;
  readonly horizonDays: number;
  readonly confidence: number;
  readonly scenarios: number;
  readonly valueAtRisk: number;
  readonly expectedShortfall: number;
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/historical.json', import.meta.url), 'utf8'),
) as { readonly spot: Record<string, number>; readonly cases: readonly Case[] };

const market: MarketSnapshot = {
  asOf: '2026-01-02T08:00:00Z',
  currency: 'USD',
  underlyings: Object.entries(fixture.spot).map(([id, spot]) => ({ id, spot })),
  instruments: Object.keys(fixture.spot).map((id) => ({
    id: `${id}-SPOT`,
    type: 'spot' as const,
    underlying: id,
    settlement: 'linear' as const,
    multiplier: 1,
  })),
};

describe.skipIf(testData === null)('historical simulation equals numpy', async () => {
  const file = 'crypto_close_daily_2017_2024.csv.gz';
  const history =
    testData === null
      ? null
      : await readHistory(readFileSync(join(testData, 'crypto', file)), file);

  it.each(fixture.cases)('$book, $horizonDays days at $confidence', (expected) => {
    const { horizonDays, confidence } = expected;
    const methodology = { scenarioModel: 'historical' as const, horizonDays, confidence };
    const { margin } = fillInProcess({ market, history: history!, methodology });
    const positions = Object.entries(expected.sizes).map(([id, size]) => ({
      instrument: `${id}-SPOT`,
      size,
    }));
    const { risk } = margin({ id: 'a', positions });
    expect(risk.scenarios).toBe(expected.scenarios);
    // Both sum a few dozen losses of one rounding each: 1e-9 is the demand, 1e-13 what is found.
    expect(Math.abs(risk.valueAtRisk / expected.valueAtRisk - 1)).toBeLessThan(1e-12);
    expect(Math.abs(risk.expectedShortfall / expected.expectedShortfall - 1)).toBeLessThan(1e-12);
  });
});
