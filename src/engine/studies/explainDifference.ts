/** Two accounts side by side: each component and each position's part of ES before, after and between. */
import type { Market } from '../../market/market.ts';
import type { MeasuredAccount } from './explainMeasure.ts';
import type { Difference } from './explainSchema.ts';

interface Change {
  readonly before: number;
  readonly after: number;
  readonly difference: number;
}

const changed = (before: number, after: number): Change => ({
  before,
  after,
  difference: after - before,
});

export function differenceOf(
  before: MeasuredAccount,
  after: MeasuredAccount,
  market: Market,
): Difference {
  const [a, b] = [before.result, after.result];
  return {
    account: b.account,
    initialMargin: changed(a.initialMargin, b.initialMargin),
    maintenanceMargin: changed(a.maintenanceMargin, b.maintenanceMargin),
    equity: changed(a.equity, b.equity),
    expectedShortfall: changed(a.risk.expectedShortfall, b.risk.expectedShortfall),
    state: { before: a.state, after: b.state },
    components: a.components.map(({ name, initial, maintenance }, i) => ({
      name,
      initial: changed(initial, b.components[i]!.initial),
      maintenance: changed(maintenance, b.components[i]!.maintenance),
    })),
    ...lines(before, after, market),
  };
}

interface Held {
  readonly size: number;
  readonly contribution: number;
}

const NOTHING: Held = { size: 0, contribution: 0 };

/** Positions by underlying and instrument, coins by underlying: whatever either account has. */
function lines(
  before: MeasuredAccount,
  after: MeasuredAccount,
  market: Market,
): Pick<Difference, 'positions' | 'collateral'> {
  const count = market.instruments.length + 1;
  const keyed = ({ lines: own, contributions }: MeasuredAccount): Map<number, Held> =>
    new Map(
      own.map(({ underlying, instrument, size }, i) => [
        underlying * count + (instrument + 1),
        { size, contribution: contributions[i]! },
      ]),
    );
  const [old, fresh] = [keyed(before), keyed(after)];
  const keys = [...new Set([...old.keys(), ...fresh.keys()])].sort((x, y) => x - y);
  const rows = keys.map((key) => {
    const [x, y] = [old.get(key) ?? NOTHING, fresh.get(key) ?? NOTHING];
    return {
      underlying: Math.floor(key / count),
      instrument: (key % count) - 1,
      size: changed(x.size, y.size),
      contribution: changed(x.contribution, y.contribution),
    };
  });
  return {
    positions: rows
      .filter(({ instrument }) => instrument !== -1)
      .map(({ instrument, size, contribution }) => ({
        instrument: market.instruments[instrument]!.id,
        size,
        contribution,
      })),
    collateral: rows
      .filter(({ instrument }) => instrument === -1)
      .map(({ underlying, contribution }) => ({
        asset: market.underlyings[underlying]!.id,
        contribution,
      })),
  };
}
