import { expect, it } from 'vitest';
import { createEngine } from '../../src/index.ts';

/** More underlyings in one account than scenarios in its tail by far: what a worker remembers by underlying must still have room. */
it('an account on a thousand underlyings is margined alone, in a batch and after a change alike', async () => {
  const asOf = '2026-01-01T00:00:00Z';
  const ids = Array.from({ length: 1_050 }, (_, i) => `U${String(i).padStart(4, '0')}`);
  const instruments = ids.map((id) => ({
    id: `${id}-S`,
    type: 'spot' as const,
    underlying: id,
    settlement: 'linear' as const,
    multiplier: 1,
  }));
  const engine = await createEngine({
    market: {
      asOf,
      currency: 'USD',
      underlyings: ids.map((id) => ({ id, spot: 100 })),
      instruments,
    },
    factors: {
      asOf,
      periodsPerYear: 365,
      factors: ids.map((id) => ({ id: `${id}:spot`, volatility: 0.5 })),
      correlation: ids.map((_, i) => ids.map((_, j) => (i === j ? 1 : 0))),
    },
    workers: 1,
    methodology: { scenarios: 1_000, scenarioModel: 'gaussian', components: ['marketRisk'] },
  });
  try {
    const sized = (first: number) => ({
      id: 'wide',
      positions: instruments.map(({ id }, i) => ({ instrument: id, size: i === 0 ? first : 1 })),
    });
    const fills = [{ instrument: instruments[0]!.id, size: 1 }];
    const { after } = await engine.whatIf(sized(1), { change: { fills } });
    const alone = await engine.margin(sized(2));
    // The spot that was bought is paid for: another equity, the same risk.
    expect(after.risk).toEqual(alone.risk);
    for await (const one of engine.marginBatch([sized(2)])) expect(one).toEqual(alone);
  } finally {
    await engine.close();
  }
});
