/** Liquidation prices, and on request the plan, as one answer: put together from tasks that run side by side. */
import Type, { type Static } from 'typebox';
import { ensure } from '../../errors.ts';
import { MarginResultSchema } from '../../margin/result.ts';
import { type Reader, reader } from '../../schema.ts';
import {
  type LiquidationPlan,
  type LiquidationPlanRequest,
  LiquidationPlanRequestSchema,
  LiquidationPlanSchema,
} from './liquidationPlanSchema.ts';
import {
  type FoundPrice,
  type FoundPrices,
  type LiquidationPrice,
  type LiquidationPriceRequest,
  LiquidationPriceSchema,
} from './liquidationPriceSchema.ts';

const closed = { additionalProperties: false } as const;

export const LiquidationRequestSchema = Type.Object(
  {
    plan: Type.Optional(
      Type.Union([Type.Boolean(), LiquidationPlanRequestSchema], {
        description: 'Whether a plan is asked for, and with what. Default false.',
      }),
    ),
  },
  { ...closed, title: 'LiquidationRequest' },
);

export type LiquidationRequest = Static<typeof LiquidationRequestSchema>;
export const readLiquidationRequest: Reader<LiquidationRequest> = reader(LiquidationRequestSchema);

export const LiquidationSchema = Type.Object(
  {
    margin: MarginResultSchema,
    prices: Type.Array(LiquidationPriceSchema, {
      description:
        'By underlying id: where equity meets the maintenance requirement while only this price moves. In isolated mode by position.',
    }),
    plan: Type.Optional(LiquidationPlanSchema),
  },
  { ...closed, title: 'Liquidation' },
);

export type Liquidation = Static<typeof LiquidationSchema>;

/** How the parts are asked for: all on one session. */
export interface LiquidationTasks {
  /** Tasks that may run at once. */
  readonly parts: number;
  readonly prices: (request: LiquidationPriceRequest) => Promise<FoundPrices>;
  readonly plan: (request: LiquidationPlanRequest) => Promise<LiquidationPlan>;
}

export async function liquidation(
  request: LiquidationRequest,
  { parts, prices, plan }: LiquidationTasks,
): Promise<Liquidation> {
  const { plan: asked = false } = request;
  const [planned, ...found] = await Promise.all([
    asked === false ? null : plan(asked === true ? {} : asked),
    ...Array.from({ length: parts }, (_, part) => prices({ part, parts })),
  ]);
  const margin = found[0]!.margin;
  ensure(margin !== null, 'the first part has the margin');
  const merged = mergedPrices(found.map((part) => part.found));
  return { margin, prices: merged, ...(planned === null ? {} : { plan: planned }) };
}

/** The prices of all parts in the order of the targets. */
function mergedPrices(parts: readonly (readonly FoundPrice[])[]): LiquidationPrice[] {
  const merged = new Map<number, LiquidationPrice>();
  for (const { target, price, sides } of parts.flat()) {
    const known = merged.get(target) ?? price;
    const own = Object.fromEntries(sides.map((side) => [side, price[side]]));
    merged.set(target, { ...known, ...own });
  }
  return [...merged].sort(([a], [b]) => a - b).map(([, price]) => price);
}
