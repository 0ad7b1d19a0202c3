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
  priceSchema,
  stateSchema,
  textSchema,
} from './eventShapes.ts';

const call = countSchema('Number of the call, within the account.');
const liquidation = countSchema('Number of the liquidation, within the account.');

export const LIQUIDATION_ACTIONS = ['cancel', 'close', 'hedge', 'fund', 'deleverage'] as const;

export const LiquidationStepSchema = Type.Object(
  {
    action: Type.Enum([...LIQUIDATION_ACTIONS]),
    order: Type.Optional(idSchema('Order that is cancelled.')),
    instrument: Type.Optional(instrumentIdSchema),
    size: Type.Optional(amountSchema('Signed trade, in contracts.')),
    price: Type.Optional(priceSchema('expected, or traded')),
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
        description: 'What is lacking, in currency.',
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
