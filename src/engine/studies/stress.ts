/** P&L of an account under each scenario of a stress library and in each cell of a price × volatility grid: full revaluation. */
import { createMemory, instantiateKernels } from '../../../workers/kernels.ts';
import type { Account } from '../../margin/account.ts';
import { holdingBook } from '../../margin/books.ts';
import { type Portfolio, resolvePortfolio } from '../../margin/portfolio.ts';
import { checkFigures } from '../../margin/result.ts';
import type { Valuation } from '../../margin/valuation.ts';
import { latestAsOf, marketHash } from '../../market/market.ts';
import { drawBlockBytes } from '../../scenarios/scenarioSet.ts';
import { planValuation, type ValuationPlan } from '../../valuation/plan.ts';
import { revaluationBytes, revalue } from '../../valuation/revaluation.ts';
import { plannedFactors } from '../plannedFactors.ts';
import type { Session } from '../sessionData.ts';
import { writeShocks } from '../shocks.ts';
import { heldInstruments } from '../streamed.ts';
import type { StressRows } from '../stressRows.ts';
import type { ScenarioPnl, StressReport } from './stressSchema.ts';
import type { StudyContext } from './study.ts';

/** P&L rows of what an account holds: row r of scenario s at [r · stride + s]. */
interface PnlRows {
  readonly values: Float64Array;
  readonly stride: number;
  readonly clamped: number;
}

/**
 * Sums are the canonical ones, so that the worst loss over the methodology's own library is the one that the `stress` component charges.
 * @param asked rows of shocks, columns in the order of the session's factors
 */
export function stress(account: Account, asked: StressRows, { bench }: StudyContext): StressReport {
  const { session } = bench;
  const { market, methodology } = session.valuation;
  const { rows, grid, id } = asked;
  const plan = planFor(account, asked, session);
  const valuation = { ...session.valuation, plan };
  const portfolio = resolvePortfolio(account, valuation);
  const revalued = revaluedRows(asked, plan, session);
  const all = scenarioPnl(asked, portfolio, valuation, revalued);
  const cells = all.filter(({ kind }) => kind === 'grid');
  const touched = portfolio.parts.map(({ underlying }) => underlying);
  const report: StressReport = {
    account: account.id,
    currency: market.currency,
    asOf: latestAsOf(market, touched),
    equity: portfolio.equity,
    horizonDays: methodology.instantaneous ? 0 : methodology.horizonDays,
    scenarios: all.filter(({ kind }) => kind !== 'grid'),
    grid: {
      spot: grid.spot,
      vol: grid.vol,
      pnl: grid.spot.map((_, i) => grid.vol.map((_, j) => cells[i * grid.vol.length + j]!.pnl)),
    },
    worst: worstOf(all, portfolio.equity),
    clampedShocks: revalued.clamped,
    heldFactors: [...rows.heldFactors],
    heldInHistory: [...rows.heldInHistory],
    withoutOwn: [...rows.withoutOwn],
    unknownUnderlyings: [...rows.unknownUnderlyings],
    clampedScenarios: [...rows.clampedScenarios],
    stressSet: id,
    methodology: session.provenance.methodology,
    market: marketHash(market, touched),
    engine: session.provenance.engine,
  };
  checkFigures(report, account.id);
  return report;
}

function planFor(account: Account, { rows }: StressRows, session: Session): ValuationPlan {
  const { market, methodology } = session.valuation;
  const factors = plannedFactors(session.set, [rows.gaps], session.absent);
  const horizon = methodology.instantaneous ? 0 : methodology.horizonDays;
  const held = heldInstruments(account, market);
  return planValuation(market, factors, horizon, held, methodology.smileRule);
}

function revaluedRows({ rows }: StressRows, plan: ValuationPlan, session: Session): PnlRows {
  const { set, layout, module } = session;
  const scenarios = rows.names.length;
  const n = Math.ceil(scenarios / 16) * 16;
  const rowBytes = n * 8 + 320;
  const shocks = Math.ceil(layout.heapBase / 64) * 64;
  const scratch = shocks + drawBlockBytes(set.factorIds.length);
  const out = scratch + Math.ceil(revaluationBytes(plan) / 64) * 64;
  const memory = createMemory(out + plan.rows * rowBytes);
  const kernels = instantiateKernels(module, memory);
  const f64 = new Float64Array(memory.buffer);
  const place = { shocks, shockBytes: drawBlockBytes(set.factorIds.length) };
  const clamped = writeShocks(f64, place, { ...set, scenarios }, rows.changes);
  for (const underlying of plan.underlyings) {
    if (underlying === null) continue;
    revalue(kernels, underlying, n, { shocks, scratch, f64 }, { out, rowBytes });
    for (const { row, factor } of underlying.masks) {
      const gap = rows.gaps[factor] ?? null;
      const at = (out + row * rowBytes) / 8;
      for (let s = 0; s < n; s++) f64[at + s] = gap?.[s] === 1 ? Number.POSITIVE_INFINITY : 0;
    }
  }
  return { values: f64.subarray(out / 8), stride: rowBytes / 8, clamped };
}

function scenarioPnl(
  { rows }: StressRows,
  portfolio: Portfolio,
  valuation: Valuation,
  { values, stride }: PnlRows,
): ScenarioPnl[] {
  const book = holdingBook(portfolio, valuation);
  const { underlyings } = valuation.market;
  // A gap makes the sum infinite.
  const known = (pnl: number): number | null => (pnl === Number.POSITIVE_INFINITY ? null : pnl);
  return rows.names.map((name, s) => {
    let total = 0;
    const parts = book.segments.map(({ rows: places, sizes }, i) => {
      let sum = 0;
      for (let j = 0; j < places.length; j++) sum += sizes[j]! * values[places[j]! * stride + s]!;
      total += sum;
      return { underlying: underlyings[book.underlyings[i]!]!.id, pnl: known(sum) };
    });
    return { name, kind: rows.kinds[s]!, pnl: known(total), underlyings: parts };
  });
}

function worstOf(all: readonly ScenarioPnl[], equity: number): StressReport['worst'] {
  let worst: StressReport['worst'] = null;
  for (const { name, pnl } of all) {
    if (pnl === null || (worst !== null && pnl >= worst.pnl)) continue;
    worst = { name, pnl, equity: equity + pnl };
  }
  return worst;
}
