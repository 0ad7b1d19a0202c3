/** What a liquidation plan is asked with and what it answers. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { AccountSchema, OrderSchema } from '../../margin/account.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { MarginResultSchema } from '../../margin/result.ts';

const closed = { additionalProperties: false } as const;
const money = (description: string) => Type.Number({ description });
const stateSchema = Type.Enum([...ACCOUNT_STATES]);

export const PLAN_LEVELS = ['maintenance', 'initial'] as const;

export const LiquidationPlanRequestSchema = Type.Object(
  {
    level: Type.Optional(
      Type.Enum([...PLAN_LEVELS], {
        description:
          'The requirement below which an account is liquidated, and that the plan restores times the release level. Default maintenance.',
      }),
    ),
    fund: Type.Optional(
      Type.Number({
        minimum: 0,
        maximum: LIMITS.priceMax,
        description: 'What the insurance fund can pay, in currency. Default 0.',
      }),
    ),
    lot: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: LIMITS.priceMax,
        description:
          'Contracts are traded in multiples of this (a whole position always may be). Default: fractions, rounded to four digits.',
      }),
    ),
    counterparties: Type.Optional(
      Type.Array(Type.Unknown(), {
        maxItems: LIMITS.counterpartiesMax,
        description:
          'Accounts that may be deleveraged, profit × leverage first; in either form of an account.',
      }),
    ),
  },
  { ...closed, title: 'LiquidationPlanRequest' },
);

export type LiquidationPlanRequest = Static<typeof LiquidationPlanRequestSchema>;
export const PLAN_OUTCOMES = [
  'sufficient',
  'restored',
  'closed',
  'insurance-fund',
  'deleveraging',
  'uncovered',
] as const;

export const PlanStepSchema = Type.Object(
  {
    action: Type.Enum(['close', 'hedge'], {
      description: 'Of a position that is held, or of another contract against it.',
    }),
    instrument: Type.String(),
    size: money('Signed, in contracts: > 0 is bought.'),
    price: money('The mark, as the contract is quoted.'),
    marginFreed: money('By how much the maintenance margin (or initial: the level) falls.'),
    cost: money('Spread, impact and fees, paid by the account.'),
    requirement: money('At the level of the plan, after credit, after this step.'),
    equity: Type.Number(),
    state: stateSchema,
  },
  { ...closed, title: 'LiquidationStep' },
);

export const DeleveragedSchema = Type.Object(
  {
    instrument: Type.String(),
    account: Type.String({ description: 'The counterparty.' }),
    score: Type.Number({ description: 'Profit × leverage; of a loss over leverage.' }),
    size: money('Signed change of its position, in contracts.'),
    loss: money('What it bears, in currency.'),
  },
  { ...closed, title: 'Deleveraged' },
);

export const LiquidationPlanSchema = Type.Object(
  {
    level: Type.Enum([...PLAN_LEVELS]),
    releaseLevel: Type.Number({ description: 'Equity over the requirement where it ends.' }),
    outcome: Type.Enum([...PLAN_OUTCOMES], {
      description:
        'sufficient: nothing is to be done. restored: the steps do. closed: nothing less than closing all positions, and no debt is left. insurance-fund: the fund pays what is owed. deleveraging: counterparties bear the rest. uncovered: nobody does.',
    }),
    before: MarginResultSchema,
    cancelled: Type.Array(OrderSchema, { description: 'Open orders, withdrawn first.' }),
    steps: Type.Array(PlanStepSchema, { description: 'Trades at the mark, in this order.' }),
    cost: money('Of all steps.'),
    shortfall: money('What the account owes when all is closed (isolated: its positions).'),
    fundPaid: money('Of it, what the fund pays.'),
    deleveraged: Type.Array(DeleveragedSchema),
    uncovered: money('What is left of it.'),
    account: AccountSchema,
    after: MarginResultSchema,
  },
  {
    ...closed,
    title: 'LiquidationPlan',
    description:
      'What is done with an account below its requirement; `account` is what all steps, the fund and deleveraging leave of it, `after` its margin.',
  },
);

export type PlanStep = Static<typeof PlanStepSchema>;
export type Deleveraged = Static<typeof DeleveragedSchema>;
export type LiquidationPlan = Static<typeof LiquidationPlanSchema>;
export type PlanOutcome = LiquidationPlan['outcome'];
