/** VaR and ES of one portfolio on demand, on a scenario set of the caller's choice, with the part of each underlying. */
import Type, { type Static } from 'typebox';
import { type Account, readAccount } from '../margin/account.ts';
import { holdingBook } from '../margin/books.ts';
import { partHolding } from '../margin/holding.ts';
import {
  type Methodology,
  type MethodologyInput,
  MethodologySchema,
  resolveMethodology,
} from '../margin/methodology.ts';
import { resolvePortfolio } from '../margin/portfolio.ts';
import { checkFigures, NO_RISK, RiskSchema, riskFigures } from '../margin/result.ts';
import type { CompiledFactors } from '../market/factorModel.ts';
import type { History } from '../market/history.ts';
import { latestAsOf, type Market, marketHash } from '../market/market.ts';
import { needsHistory, SCENARIO_MODELS } from '../scenarios/source.ts';
import { reader } from '../schema.ts';
import type { Executor } from './executor.ts';
import type { Progress } from './fill.ts';
import type { Leases } from './leases.ts';
import type { Session } from './sessionData.ts';
import { openStreamed, streamTails } from './streamed.ts';

const closed = { additionalProperties: false } as const;

export const RiskRequestSchema = Type.Object(
  {
    method: Type.Optional(
      Type.Enum([...SCENARIO_MODELS], {
        description: 'Scenario model. Default: that of the methodology.',
      }),
    ),
    confidence: MethodologySchema.properties.confidence,
    horizonDays: MethodologySchema.properties.horizonDays,
    scenarios: MethodologySchema.properties.scenarios,
    seed: MethodologySchema.properties.seed,
  },
  closed,
);

export type RiskParameters = Static<typeof RiskRequestSchema>;
export type RiskRequest = RiskParameters & {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
};

export const RiskReportSchema = Type.Object(
  {
    account: Type.String(),
    currency: Type.String(),
    asOf: Type.String(),
    method: Type.Enum([...SCENARIO_MODELS]),
    equity: Type.Number(),
    risk: RiskSchema,
    underlyings: Type.Array(
      Type.Object(
        { underlying: Type.String(), valueAtRisk: Type.Number(), expectedShortfall: Type.Number() },
        closed,
      ),
      { description: 'Each underlying by itself.' },
    ),
    diversification: Type.Number({
      description: 'Σ of the stand-alone ES less the ES of the whole, in currency.',
    }),
    clampedShocks: Type.Integer({ description: 'Log shocks that met the clamp.' }),
    heldFactors: Type.Array(Type.String()),
    scenarioSet: Type.String(),
    methodology: Type.String(),
    market: Type.String(),
    engine: Type.String(),
  },
  { ...closed, title: 'RiskReport' },
);

export type RiskReport = Static<typeof RiskReportSchema>;

export interface RiskContext {
  readonly executor: Executor;
  readonly leases: Leases;
  readonly market: Market;
  readonly factors: CompiledFactors | null;
  readonly history: History | null;
  /** The engine's own methodology: what the request leaves open. */
  readonly base: MethodologyInput;
}

const readRequest = reader(RiskRequestSchema);

/** @throws whatever the account or the request has wrong */
export async function riskReport(
  value: unknown,
  request: RiskRequest,
  context: RiskContext,
): Promise<RiskReport> {
  const { signal: _signal, onProgress: _onProgress, ...parameters } = request;
  const { method, ...asked } = readRequest(parameters);
  const { market, factors, history, base, executor, leases } = context;
  const model = method ?? base.scenarioModel;
  const merged = { ...base, ...asked, ...(model === undefined ? {} : { scenarioModel: model }) };
  // A number of scenarios that the engine was set up with does not bind a historical report.
  if (model !== undefined && needsHistory(model) && asked.scenarios === undefined)
    delete merged.scenarios;
  // A report is of the loss distribution alone: no other arrangement of scenarios is filled for it.
  const methodology = resolveMethodology(
    {
      ...merged,
      components: ['marketRisk'],
      // At the volatilities in force, whatever they follow.
      volatilities: { ...merged.volatilities, estimate: 'fixed' },
      antiProcyclicality: { ...merged.antiProcyclicality, buffer: false, stressed: false },
    },
    factors?.degreesOfFreedom != null,
  );
  const account = readAccount(value);
  const session = openStreamed(account, {
    market,
    methodology,
    factors,
    history,
    slots: executor.slots,
    memory: (bytes) => leases.memory(bytes),
  });
  leases.hold(session);
  try {
    return await reportOn(session, account, methodology, request, context);
  } finally {
    leases.release(session);
  }
}

async function reportOn(
  session: Session,
  account: Account,
  methodology: Methodology,
  { signal, onProgress }: RiskRequest,
  { market, executor }: RiskContext,
): Promise<RiskReport> {
  const { valuation, set, provenance } = session;
  const portfolio = resolvePortfolio(account, valuation);
  const net = holdingBook(portfolio, valuation);
  const parts = portfolio.parts
    .map((part) => holdingBook(partHolding(portfolio, part), valuation))
    .filter(({ segments }) => segments.length > 0);
  const books = net.segments.length === 0 ? [] : [net, ...parts];
  const { measures, ranks, clamped } = await streamTails(session, executor, books, {
    signal,
    onProgress,
  });
  const tail = measures[0] ?? NO_RISK;
  const scenarios = ranks[0]?.n ?? set.scenarios;
  const touched = portfolio.parts.map((part) => part.underlying);
  const underlyings = parts.map((book, i) => ({
    underlying: market.underlyings[book.underlyings[0]!]!.id,
    valueAtRisk: measures[i + 1]!.valueAtRisk,
    expectedShortfall: measures[i + 1]!.expectedShortfall,
  }));
  const gross = underlyings.reduce((sum, part) => sum + part.expectedShortfall, 0);
  const report: RiskReport = {
    account: account.id,
    currency: market.currency,
    asOf: latestAsOf(market, touched),
    method: methodology.scenarioModel,
    equity: portfolio.equity,
    risk: riskFigures(tail, scenarios, set.scenarios - scenarios, methodology),
    underlyings,
    diversification: gross - tail.expectedShortfall,
    clampedShocks: clamped,
    heldFactors: touched.flatMap((u) => [...valuation.plan.heldFactors[u]!]),
    scenarioSet: provenance.scenarioSet,
    methodology: provenance.methodology,
    market: marketHash(market, touched),
    engine: provenance.engine,
  };
  checkFigures(report, account.id);
  return report;
}
