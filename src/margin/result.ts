/** The margin result: its one schema, and its making from a portfolio and the tails of its books. */
import Type, { type Static } from 'typebox';
import { ERROR_CODES, type ErrorCode, type ErrorRecord, PlimsollError } from '../errors.ts';
import { latestAsOf, marketHash } from '../market/market.ts';
import { INTERVAL_LEVEL, type TailMeasures } from '../risk/tail.ts';
import { MARGIN_MODES } from './account.ts';
import type { Charge } from './charge.ts';
import type { Methodology } from './methodology.ts';
import type { Portfolio } from './portfolio.ts';
import {
  ACCOUNT_STATES,
  type AccountState,
  accountState,
  afterCredit,
  componentLines,
  type Margins,
  marginRatio,
  pooledMargins,
  worseState,
} from './requirement.ts';
import type { Valuation } from './valuation.ts';

const closed = { additionalProperties: false } as const;
const money = (description: string) => Type.Number({ description });
const nullable = (description: string) => Type.Union([Type.Number(), Type.Null()], { description });
const hash = Type.String({ description: 'sha256:…' });
const stateSchema = Type.Enum([...ACCOUNT_STATES]);

const RequirementSchema = Type.Object(
  {
    initialMargin: money('Before credit, in currency.'),
    maintenanceMargin: money('Before credit, in currency.'),
  },
  closed,
);

export const RiskSchema = Type.Object(
  {
    confidence: Type.Number(),
    horizonDays: Type.Number(),
    scenarios: Type.Integer({ description: 'Scenarios that count for this account.' }),
    skippedScenarios: Type.Optional(
      Type.Integer({
        description: 'Historical rows skipped for a gap in a factor of the account.',
      }),
    ),
    valueAtRisk: money('VaR of the net P&L, in currency.'),
    expectedShortfall: money('ES of the net P&L, in currency.'),
    standardError: Type.Object(
      {
        valueAtRisk: nullable('One standard error; null where the sample cannot tell.'),
        expectedShortfall: nullable(
          'One standard error; null where fewer than two independent scenarios lie in the tail.',
        ),
      },
      closed,
    ),
    interval: Type.Object(
      {
        level: Type.Number(),
        valueAtRisk: Type.Tuple([nullable('Lower end.'), nullable('Upper end.')], {
          description: 'Order-statistic interval; an end beyond the sample is null.',
        }),
      },
      closed,
    ),
  },
  closed,
);

export const MarginResultSchema = Type.Object(
  {
    account: Type.String(),
    mode: Type.Enum([...MARGIN_MODES]),
    currency: Type.String(),
    asOf: Type.String({ description: 'Latest asOf of the underlyings that the account touches.' }),
    initialMargin: money('IM before credit.'),
    maintenanceMargin: money('MM before credit.'),
    equity: money('Haircut collateral, unrealised P&L and net option value.'),
    marginRatio: nullable(
      'Maintenance requirement after credit over equity; null when equity ≤ 0.',
    ),
    state: stateSchema,
    risk: RiskSchema,
    components: Type.Array(
      Type.Object(
        { name: Type.String(), initial: Type.Number(), maintenance: Type.Number() },
        closed,
      ),
    ),
    modes: Type.Object(
      {
        portfolio: RequirementSchema,
        cross: Type.Optional(RequirementSchema),
        isolated: RequirementSchema,
        capitalEfficiency: nullable('1 − portfolio/isolated; null when isolated needs nothing.'),
      },
      {
        ...closed,
        description:
          'The same positions under each margin mode, before credit; cross where the account is in it.',
      },
    ),
    positions: Type.Optional(
      Type.Array(
        Type.Object(
          {
            instrument: Type.String(),
            allocated: Type.Number({
              description: 'What stands behind the position, in currency.',
            }),
            stated: Type.Optional(
              Type.Number({
                description:
                  'What the account states, where its collateral is less than all that is stated: what there is stands behind the positions in proportion.',
              }),
            ),
            equity: Type.Number(),
            initialMargin: Type.Number(),
            maintenanceMargin: Type.Number(),
            marginRatio: nullable('Of the position alone.'),
            state: stateSchema,
          },
          closed,
        ),
        { description: 'Isolated mode: each position by itself.' },
      ),
    ),
    heldFactors: Type.Array(Type.String(), { description: 'Factors that were held still.' }),
    absentInputs: Type.Optional(
      Type.Array(Type.String(), {
        description:
          'What is not stated of an underlying that is held, and (stress) what the stress library names without a factor of the scenarios to move, such as a misspelt id. liquidity, dailyVolume: the component that needs it charges nothing for it. stressedHistory: in the stressed set it moves as the equal-weight book where it was not listed yet.',
      }),
    ),
    scenarioSet: hash,
    sideSets: Type.Optional(
      Type.String({
        description:
          'sha256:… of the scenario sets beside it that components use: the stress library, the stressed rows, long-run volatilities.',
      }),
    ),
    methodology: hash,
    market: hash,
    engine: Type.String(),
  },
  { ...closed, title: 'MarginResult' },
);

export type MarginResult = Static<typeof MarginResultSchema>;

export const RejectedAccountSchema = Type.Object(
  {
    account: Type.Union([Type.String(), Type.Null()]),
    error: Type.Object(
      {
        code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[]),
        message: Type.String(),
        path: Type.Optional(Type.String()),
      },
      closed,
    ),
  },
  { ...closed, title: 'RejectedAccount' },
);

export interface RejectedAccount {
  readonly account: string | null;
  readonly error: ErrorRecord;
}

/** What a result cites, so that it can be reproduced. */
export interface Provenance {
  readonly scenarioSet: string;
  /** Of the sets beside it: long-run volatilities, stressed rows, the stress library. Null without any. */
  readonly sideSets: string | null;
  readonly methodology: string;
  readonly engine: string;
}

/** Each position by itself, in canonical order, then each instrument that only has orders. */
export interface IsolatedFigures {
  readonly margins: Margins;
  /** Null where the account is not in isolated mode. */
  readonly charges: readonly Charge[] | null;
}

/** What an account's tails and charges are. */
export interface AccountFigures {
  /** Tail of the net P&L; null where nothing is at risk. */
  readonly tail: TailMeasures | null;
  readonly scenarios: number;
  readonly skippedScenarios: number;
  /** The account as one pool. */
  readonly net: Charge;
  /** One charge an underlying; null where the account is not in cross mode. */
  readonly cross: readonly Charge[] | null;
  readonly isolated: IsolatedFigures;
}

/** The tail of an account that cannot lose or gain. */
export const NO_RISK: TailMeasures = {
  valueAtRisk: 0,
  expectedShortfall: 0,
  standardError: { valueAtRisk: 0, expectedShortfall: 0 },
  interval: { level: INTERVAL_LEVEL, valueAtRisk: [0, 0] },
};

/** The `risk` part of a margin result and of a risk report. */
export function riskFigures(
  tail: TailMeasures,
  scenarios: number,
  skippedScenarios: number,
  { confidence, horizonDays }: Methodology,
): Static<typeof RiskSchema> {
  return {
    confidence,
    horizonDays,
    scenarios,
    ...(skippedScenarios > 0 ? { skippedScenarios } : {}),
    valueAtRisk: tail.valueAtRisk,
    expectedShortfall: tail.expectedShortfall,
    standardError: tail.standardError,
    interval: {
      level: tail.interval.level,
      valueAtRisk: [tail.interval.valueAtRisk[0], tail.interval.valueAtRisk[1]],
    },
  };
}

/** Composes the result; pure. */
export function marginResult(
  portfolio: Portfolio,
  figures: AccountFigures,
  valuation: Valuation,
  provenance: Provenance,
): MarginResult {
  const { account, parts } = portfolio;
  const { market, methodology, plan } = valuation;
  const tail = figures.tail ?? NO_RISK;
  const net = pooledMargins([figures.net], methodology);
  const cross = figures.cross === null ? null : pooledMargins(figures.cross, methodology);
  const isolated = figures.isolated.margins;
  const { charges, margins, credit } = ownRequirement(account, figures, { net, cross, isolated });
  const required = afterCredit(margins, credit);
  const held =
    figures.isolated.charges === null
      ? null
      : isolatedPositions(portfolio, figures.isolated.charges, valuation);
  const state = accountState(portfolio.equity, required, methodology);
  const underlyings = parts.map((part) => part.underlying);
  const absent = absentInputs(portfolio, valuation);
  const result: MarginResult = {
    account: account.id,
    mode: account.mode,
    currency: market.currency,
    asOf: latestAsOf(market, underlyings),
    initialMargin: required.initialMargin,
    maintenanceMargin: required.maintenanceMargin,
    equity: portfolio.equity,
    marginRatio: marginRatio(required.maintenanceRequirement, portfolio.equity),
    state:
      held === null ? state : held.reduce<AccountState>((s, p) => worseState(s, p.state), state),
    risk: riskFigures(tail, figures.scenarios, figures.skippedScenarios, methodology),
    components: componentLines(charges, methodology),
    modes: {
      portfolio: net,
      ...(cross === null ? {} : { cross }),
      isolated,
      capitalEfficiency:
        isolated.initialMargin > 0 ? 1 - net.initialMargin / isolated.initialMargin : null,
    },
    ...(held === null ? {} : { positions: held }),
    heldFactors: underlyings.flatMap((u) => plan.heldFactors[u]!),
    ...(absent.length === 0 ? {} : { absentInputs: absent }),
    scenarioSet: provenance.scenarioSet,
    ...(provenance.sideSets === null ? {} : { sideSets: provenance.sideSets }),
    methodology: provenance.methodology,
    market: marketHash(market, underlyings),
    engine: provenance.engine,
  };
  // One sum tells whether any of them is not finite; only then is it looked for.
  const { risk } = result;
  const total =
    result.initialMargin +
    result.maintenanceMargin +
    Math.abs(result.equity) +
    (result.marginRatio ?? 0) +
    Math.abs(risk.valueAtRisk) +
    Math.abs(risk.expectedShortfall) +
    isolated.initialMargin +
    (risk.standardError.valueAtRisk ?? 0) +
    (risk.standardError.expectedShortfall ?? 0);
  if (!(total < LARGEST_FIGURE)) checkFigures(result, account.id);
  return result;
}

/** Sums of this size would overflow when they are squared or added: no figure is that large by anything but a mistake. */
const LARGEST_FIGURE = 1e300;

/** @throws NUMERIC_OVERFLOW where a figure is not a number that can be served */
export function checkFigures(value: unknown, account: string, path = ''): void {
  if (typeof value === 'number' && !(Math.abs(value) < LARGEST_FIGURE)) {
    throw new PlimsollError('NUMERIC_OVERFLOW', `${path} would be ${value}`, { account, path });
  }
  if (value === null || typeof value !== 'object') return;
  for (const [key, item] of Object.entries(value)) {
    if (typeof item === 'number' || typeof item === 'object') {
      checkFigures(item, account, path === '' ? key : `${path}.${key}`);
    }
  }
}

/** The charges and margins of the account's own mode. A credit line is allocated to no isolated position. */
function ownRequirement(
  { mode, creditLine }: Portfolio['account'],
  figures: AccountFigures,
  margins: { readonly net: Margins; readonly cross: Margins | null; readonly isolated: Margins },
): { readonly charges: readonly Charge[]; readonly margins: Margins; readonly credit: number } {
  const { charges } = figures.isolated;
  if (mode === 'isolated' && charges !== null) {
    return { charges, margins: margins.isolated, credit: 0 };
  }
  if (mode === 'portfolio' || figures.cross === null || margins.cross === null) {
    return { charges: [figures.net], margins: margins.net, credit: creditLine };
  }
  return { charges: figures.cross, margins: margins.cross, credit: creditLine };
}

const NOTHING_ABSENT: readonly string[] = [];

function absentInputs({ parts }: Portfolio, valuation: Valuation): string[] {
  const { market, methodology } = valuation;
  const { components } = methodology;
  const liquidity = components.includes('liquidity');
  const concentration = components.includes('concentration');
  const { stressedProxies: proxies, unknownStress } = valuation;
  if (!liquidity && !concentration && proxies.size === 0 && unknownStress.length === 0)
    return NOTHING_ABSENT as string[];
  const absent = unknownStress.map((id) => `${id}:stress`);
  for (const { underlying, start, end } of parts) {
    const { id, liquidity: stated } = market.underlyings[underlying]!;
    if (proxies.has(id)) absent.push(`${id}:stressedHistory`);
    if (end === start || !(liquidity || concentration)) continue;
    if (stated === null) absent.push(`${id}:liquidity`);
    else if (stated.dailyVolume === undefined) absent.push(`${id}:dailyVolume`);
  }
  return absent;
}

/** Isolated mode: every position stands on its own allocated collateral. */
function isolatedPositions(
  portfolio: Portfolio,
  charges: readonly Charge[],
  { market, methodology }: Valuation,
) {
  return Array.from(portfolio.instruments, (instrument, i) => {
    const { initialMargin, maintenanceMargin } = pooledMargins([charges[i]!], methodology);
    const allocated = portfolio.allocated[i]!;
    const equity = allocated + portfolio.values[i]!;
    const levels = { initialRequirement: initialMargin, maintenanceRequirement: maintenanceMargin };
    return {
      instrument: market.instruments[instrument]!.id,
      allocated,
      ...(portfolio.stated === portfolio.allocated ? {} : { stated: portfolio.stated[i]! }),
      equity,
      initialMargin,
      maintenanceMargin,
      marginRatio: marginRatio(maintenanceMargin, equity),
      state: accountState(equity, levels, methodology),
    };
  });
}
