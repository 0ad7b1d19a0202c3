/** Triggers of one account as one answer: put together from tasks that run side by side on one session. */
import { ensure } from '../../errors.ts';
import type {
  FoundTriggers,
  Trigger,
  Triggers,
  TriggersPart,
  TriggersRequest,
} from './triggersSchema.ts';

export interface TriggerTasks {
  /** Tasks that may run at once. */
  readonly parts: number;
  readonly find: (request: TriggersPart) => Promise<FoundTriggers>;
  /** ISO-8601 UTC: when it was asked for. */
  readonly computedAt: string;
}

export async function triggersAnswer(
  request: TriggersRequest,
  { parts, find, computedAt }: TriggerTasks,
): Promise<Triggers> {
  const found = await Promise.all(
    Array.from({ length: parts }, (_, part) => find({ ...request, part, parts })),
  );
  const { margin, state } = found[0]!;
  ensure(margin !== null && state !== null, 'the first part has the margin');
  const triggers = mergedTriggers(found);
  const moves = triggers.flatMap(({ below, above }) =>
    [below, above].flatMap((crossing) => (crossing === null ? [] : [Math.abs(crossing.move)])),
  );
  const { account, mode, currency, asOf, market, scenarioSet, methodology, engine } = margin;
  return {
    account,
    mode,
    currency,
    computedAt,
    asOf,
    state,
    exact: request.approximate !== true,
    nearest: moves.length === 0 ? null : Math.min(...moves),
    triggers,
    market,
    scenarioSet,
    methodology,
    engine,
  };
}

/** Those of all parts in the order of the targets, each side from the part whose it was. */
function mergedTriggers(parts: readonly FoundTriggers[]): Trigger[] {
  const merged = new Map<number, Trigger>();
  for (const { target, trigger, sides } of parts.flatMap(({ found }) => found)) {
    const known = merged.get(target) ?? trigger;
    const own = Object.fromEntries(sides.map((side) => [side, trigger[side]]));
    merged.set(target, { ...known, ...own });
  }
  return [...merged].sort(([a], [b]) => a - b).map(([, trigger]) => trigger);
}
