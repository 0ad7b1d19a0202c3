/** What margining says of an account, and what follows from it. */
import Type from 'typebox';
import { LIMITS } from '../limits.ts';
import {
  accountIdSchema,
  amountSchema,
  bodySchema,
  closed,
  countSchema,
  hashSchema,
  idSchema,
  instantSchema,
  instrumentIdSchema,
  stateSchema,
  textSchema,
} from './eventShapes.ts';

const call = countSchema('Number of the call, within the account.');
const liquidation = countSchema('Number of the liquidation, within the account.');

/** Requirements below which an account is liquidated: the maintenance requirement, or after a call that was not met the initial one. */
export const LIQUIDATION_LEVELS = ['maintenance', 'initial'] as const;
export const LIQUIDATION_ACTIONS = ['cancel', 'close', 'hedge', 'fund', 'deleverage'] as const;

export const LiquidationStepSchema = Type.Object(
  {
    action: Type.Enum([...LIQUIDATION_ACTIONS]),
    order: Type.Optional(idSchema('Order that is cancelled.')),
    instrument: Type.Optional(instrumentIdSchema),
    size: Type.Optional(amountSchema('Signed trade, in contracts.')),
    price: Type.Optional(
      // Computed, so no bound of quotes holds: an option far from the money is worth next to nothing.
      Type.Number({ minimum: 0, description: 'Expected, or traded: quote price.' }),
    ),
    counterparty: Type.Optional(idSchema('Account that is deleveraged.')),
    amount: Type.Optional(amountSchema("What the fund pays, in the account's currency.")),
    freed: Type.Optional(amountSchema('Margin that it frees, in currency.')),
    cost: Type.Optional(amountSchema('What it costs, in currency.')),
  },
  { ...closed, description: 'Of a liquidation.' },
);

export const MARGIN_EVENTS = {
  margin: bodySchema(
    {
      account: accountIdSchema,
      figures: hashSchema('Hash of the margin result as it was published.'),
      market: hashSchema('As the result cites it.'),
      scenarioSet: hashSchema('As the result cites it.'),
      methodology: hashSchema('As the result cites it.'),
      engine: idSchema('As the result cites it.'),
      asOf: instantSchema('of the result'),
    },
    "An account's figures are published. The account and the market are those of the log before this record.",
  ),
  'state-changed': bodySchema(
    {
      account: accountIdSchema,
      from: stateSchema,
      to: stateSchema,
      equity: amountSchema('In currency.'),
      initialRequirement: amountSchema('After credit, in currency.'),
      maintenanceRequirement: amountSchema('After credit, in currency.'),
    },
    'The held margin state: it leaves a band only past the release level.',
  ),
  'call-opened': bodySchema(
    {
      account: accountIdSchema,
      call,
      amount: Type.Number({
        exclusiveMinimum: 0,
        description:
          'What brings equity to the release level, in currency: paid, it ends the call.',
      }),
      deadline: instantSchema('until which it must be met'),
    },
    'A margin call.',
  ),
  'call-acknowledged': bodySchema(
    { account: accountIdSchema, call, by: textSchema('Who.') },
    'The call was seen.',
  ),
  'call-resolved': bodySchema(
    { account: accountIdSchema, call },
    'Equity has recovered past the release level.',
  ),
  'call-expired': bodySchema(
    { account: accountIdSchema, call },
    'The deadline has passed and the account is still called.',
  ),
  'liquidation-started': bodySchema(
    {
      account: accountIdSchema,
      liquidation,
      cause: Type.Enum(['maintenance', 'call-expired']),
    },
    'Equity is below the maintenance requirement, or a call was not met.',
  ),
  'liquidation-planned': bodySchema(
    {
      account: accountIdSchema,
      liquidation,
      steps: Type.Array(LiquidationStepSchema, { maxItems: LIMITS.liquidationStepsMax }),
      level: Type.Optional(
        Type.Enum([...LIQUIDATION_LEVELS], {
          description: 'The requirement that it restores, times the release level.',
        }),
      ),
      outcome: Type.Optional(idSchema('Of the plan, when all steps are done.')),
      cost: Type.Optional(amountSchema('Of all steps, in currency.')),
      shortfall: Type.Optional(
        Type.Number({ minimum: 0, description: 'What the account owes then, in currency.' }),
      ),
      stepsLeft: Type.Optional(
        countSchema('Steps of the plan beyond those that a record can have.'),
      ),
      plan: Type.Optional(hashSchema('Hash of the whole plan, as the engine answered it.')),
      changedSeq: Type.Optional(countSchema('Record that last changed the account before it.')),
      market: Type.Optional(hashSchema('Of the prices that it is made on.')),
      asOf: Type.Optional(instantSchema('of these prices')),
    },
    'What is to be done, in its order; a later plan replaces it.',
  ),
  'liquidation-step': bodySchema(
    {
      account: accountIdSchema,
      liquidation,
      step: LiquidationStepSchema,
      fill: Type.Optional(idSchema('Fill by which it was done: an event of its own.')),
    },
    'A step was done.',
  ),
  'liquidation-ended': bodySchema(
    {
      account: accountIdSchema,
      liquidation,
      outcome: Type.Enum(['released', 'exhausted', 'stopped']),
      shortfall: Type.Optional(
        Type.Number({ minimum: 0, description: 'Loss beyond collateral, in currency.' }),
      ),
    },
    'The release level is reached, nothing is left to close, or somebody stopped it.',
  ),
} as const;
