/** The parts of an account's ES: by position and coin, by underlying, by expiry; and its worst scenarios. */
import { holdingBook, isolatedExposures } from '../../margin/books.ts';
import { exp } from '../../numerics.ts';
import { shareOf, sumBy, worstScenarios } from '../../risk/contributions.ts';
import { DRAW_BLOCK, DRAW_STRIDE } from '../../scenarios/scenarioSet.ts';
import { unitShortfalls } from '../accountBooks.ts';
import { rankFinder } from '../arrangements.ts';
import { cubeOf } from '../sessionData.ts';
import type { Bench } from '../shards.ts';
import { SingleBook } from '../singleBook.ts';
import { incrementalShortfalls } from './explainIncremental.ts';
import { lossesOf, type MeasuredAccount } from './explainMeasure.ts';
import type { Explanation, WorstScenario } from './explainSchema.ts';
import type { StudyContext } from './study.ts';

export type Parts = Pick<Explanation, 'positions' | 'collateral' | 'underlyings' | 'expiries'>;

/** An expiry as text; null where there is none. */
export function expiryText(expiryMs: number): string | null {
  return expiryMs === 0 ? null : new Date(expiryMs).toISOString().replace('.000Z', 'Z');
}

export function partsOf(measured: MeasuredAccount, context: StudyContext): Parts {
  const { lines, contributions, tail } = measured;
  const { market } = context.bench.session.valuation;
  const shortfall = tail?.expectedShortfall ?? 0;
  const alone = standAlone(measured, context);
  const incremental = incrementalShortfalls(measured, context);
  const part = (contribution: number) => ({
    contribution,
    share: shareOf(contribution, shortfall),
  });
  const entries = lines.map((line, i) => ({ line, i, contribution: contributions[i]! }));
  const held = entries.filter(({ line }) => line.instrument !== -1);
  const coins = entries.filter(({ line }) => line.instrument === -1);
  const expiryOf = (instrument: number): number =>
    instrument === -1 ? 0 : market.instruments[instrument]!.expiryMs;
  const value = ({ contribution }: { readonly contribution: number }): number => contribution;
  const byUnderlying = sumBy(entries, ({ line }) => line.underlying, value);
  const byExpiry = sumBy(entries, ({ line }) => expiryOf(line.instrument), value);
  const inOrder = (sums: Map<number, number>) => [...sums].sort(([a], [b]) => a - b);
  return {
    positions: held.map(({ line, i, contribution }) => ({
      instrument: market.instruments[line.instrument]!.id,
      underlying: market.underlyings[line.underlying]!.id,
      expiry: expiryText(expiryOf(line.instrument)),
      size: line.size,
      ...part(contribution),
      standAlone: alone[i]!,
      incremental: Number.isNaN(incremental[i]!) ? null : incremental[i]!,
    })),
    collateral: coins.map(({ line, i, contribution }) => ({
      asset: market.underlyings[line.underlying]!.id,
      coins: line.coins,
      ...part(contribution),
      standAlone: alone[i]!,
    })),
    underlyings: inOrder(byUnderlying).map(([u, sum]) => ({
      underlying: market.underlyings[u]!.id,
      ...part(sum),
    })),
    expiries: inOrder(byExpiry).map(([ms, sum]) => ({ expiry: expiryText(ms), ...part(sum) })),
  };
}

/** ES of each line by itself, from that of one unit of its row: positive homogeneity. */
function standAlone(
  { portfolio, lines, units }: MeasuredAccount,
  { bench, slot }: StudyContext,
): Float64Array {
  const { session } = bench;
  const { valuation } = session;
  const exposures = isolatedExposures(portfolio, valuation);
  const positions = unitShortfalls(units, exposures);
  if (exposures.books.size > 0) {
    const single = new SingleBook(bench, slot);
    const ranksOf = rankFinder(session);
    for (const [i, book] of exposures.books) {
      positions[i] = single.measures(book, ranksOf(book.masks)).expectedShortfall;
    }
  }
  return Float64Array.from(lines, ({ instrument, underlying, coins }, i) => {
    if (instrument !== -1) return positions[i]!;
    const { spotRow } = valuation.plan.underlyings[underlying]!;
    return Math.abs(coins) * units[2 * spotRow + (coins > 0 ? 0 : 1)]!;
  });
}

/** The shock of one factor in one scenario. */
export function shockAt({ session, views }: Bench, factor: number, scenario: number): number {
  const { shocks, shockBytes } = session.layout;
  const block = Math.floor(scenario / DRAW_BLOCK);
  const at = (shocks + block * shockBytes) / 8 + factor * DRAW_STRIDE;
  return views.f64[at + scenario - block * DRAW_BLOCK]!;
}

/** Factors of the underlyings that are held, as indices into the session's set, in its order. */
export function touchedFactors({ portfolio }: MeasuredAccount, { session }: Bench): number[] {
  const { market } = session.valuation;
  const held = new Set(portfolio.parts.map(({ underlying }) => market.underlyings[underlying]!.id));
  return session.set.factorIds.flatMap((id, f) =>
    held.has(id.slice(0, id.lastIndexOf(':'))) ? [f] : [],
  );
}

/** @param count how many, at most as many as count for the account */
export function worstOf(
  measured: MeasuredAccount,
  count: number,
  { bench }: StudyContext,
): readonly WorstScenario[] {
  const { tail, lines } = measured;
  if (tail === null || count === 0) return [];
  const { set, valuation } = bench.session;
  const { market } = valuation;
  const { masses, mass } = tail.tail;
  const scenarios = worstScenarios(tail.pnl, Math.min(count, tail.ranks.n));
  const factors = touchedFactors(measured, bench);
  const losses = lines.map((line) => lossesOf(line, scenarios, bench));
  return Array.from(scenarios, (scenario, j) => {
    const gains = lines.map((line, i) => ({ line, pnl: -losses[i]![j]! || 0 }));
    const period = set.periods[scenario];
    return {
      scenario,
      ...(period === undefined ? {} : { period }),
      weight: (masses[j] ?? 0) / mass,
      pnl: tail.pnl[scenario]! || 0,
      shocks: factors.map((factor) => shockOf(bench, factor, scenario)),
      positions: gains
        .filter(({ line }) => line.instrument !== -1)
        .map(({ line, pnl }) => ({ instrument: market.instruments[line.instrument]!.id, pnl })),
      collateral: gains
        .filter(({ line }) => line.instrument === -1)
        .map(({ line, pnl }) => ({ asset: market.underlyings[line.underlying]!.id, pnl })),
    };
  });
}

/** The scenario of the stress library that the account loses most in. */
export function worstStressOf(
  { portfolio }: MeasuredAccount,
  { bench, slot }: StudyContext,
): Explanation['worstStress'] {
  const { session } = bench;
  const { stress } = session.sides;
  const book = holdingBook(portfolio, session.valuation);
  if (stress === null || book.segments.length === 0) return null;
  const pnl = new SingleBook(bench, slot, cubeOf(session, 'stress')).pnl(book);
  const worst = worstScenarios(pnl, 1)[0]!;
  return { name: stress.names[worst]!, loss: -pnl[worst]! || 0 };
}

function shockOf(bench: Bench, factor: number, scenario: number): WorstScenario['shocks'][number] {
  const { set, valuation } = bench.session;
  const { market } = valuation;
  const id = set.factorIds[factor]!;
  const shock = shockAt(bench, factor, scenario);
  const absolute = set.absolute[factor] === 1;
  const described = { factor: id, kind: absolute ? 'absolute' : 'log', shock } as const;
  const at = id.lastIndexOf(':');
  if (id.slice(at + 1) !== 'spot') return described;
  const { spot } = market.underlyings[market.underlyingIndex.get(id.slice(0, at))!]!;
  return { ...described, price: absolute ? spot + shock : spot * exp(shock) };
}
