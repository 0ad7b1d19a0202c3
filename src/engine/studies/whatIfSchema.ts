/** What a what-if is asked for, and what it says. */
import Type, { type Static } from 'typebox';
import { LIMITS } from '../../limits.ts';
import { OrderSchema } from '../../margin/account.ts';
import { ACCOUNT_STATES } from '../../margin/requirement.ts';
import { MarginResultSchema } from '../../margin/result.ts';
import { type Reader, reader } from '../../schema.ts';
import { ChangeSchema } from './changes.ts';

const closed = { additionalProperties: false } as const;
const money = (description: string) => Type.Number({ description });

export const WhatIfRequestSchema = Type.Object(
  { change: ChangeSchema },
  { ...closed, title: 'WhatIfRequest' },
);
export type WhatIfRequest = Static<typeof WhatIfRequestSchema>;

export const readWhatIfRequest: Reader<WhatIfRequest> = reader(WhatIfRequestSchema);

const VERDICT_REASONS = ['covered', 'risk-reducing', 'not-covered'] as const;

const VerdictSchema = Type.Object(
  {
    allowed: Type.Boolean(),
    reason: Type.Enum([...VERDICT_REASONS]),
    missing: money(
      'Collateral that is lacking for `covered`, in currency; 0 where nothing is. In isolated mode that of the positions summed, where it is more.',
    ),
  },
  {
    ...closed,
    title: 'Verdict',
    description: 'Of a change as a whole, all its orders filled; or of one order.',
  },
);

export type Verdict = Static<typeof VerdictSchema>;

const bothSchema = Type.Object({ before: Type.Number(), after: Type.Number() }, closed);
const stateSchema = Type.Enum([...ACCOUNT_STATES]);

export const WhatIfSchema = Type.Object(
  {
    before: MarginResultSchema,
    after: MarginResultSchema,
    state: Type.Object({ before: stateSchema, after: stateSchema }, closed),
    freeCollateral: {
      ...bothSchema,
      description: 'Equity less the initial requirement after credit; < 0 is what is missing.',
    },
    difference: Type.Object(
      {
        equity: Type.Number(),
        initialMargin: Type.Number(),
        maintenanceMargin: Type.Number(),
        freeCollateral: Type.Number(),
        valueAtRisk: Type.Number(),
        expectedShortfall: Type.Number(),
        components: Type.Array(
          Type.Object(
            { name: Type.String(), initial: Type.Number(), maintenance: Type.Number() },
            closed,
          ),
        ),
      },
      { ...closed, description: 'After less before.' },
    ),
    verdict: VerdictSchema,
    orders: Type.Array(
      Type.Object(
        { order: OrderSchema, verdict: VerdictSchema },
        { ...closed, description: 'In the order in which they were asked for.' },
      ),
      { maxItems: LIMITS.changeOrdersMax },
    ),
  },
  { ...closed, title: 'WhatIf' },
);

export type WhatIf = Static<typeof WhatIfSchema>;
