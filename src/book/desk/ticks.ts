/** Ticks as they arrive: numbered by their source, checked against the market, ready to be appended. */
import Type, { type Static } from 'typebox';
import { PlimsollError } from '../../errors.ts';
import { LIMITS } from '../../limits.ts';
import { readInstant } from '../../market/instruments.ts';
import type { MarketSnapshot } from '../../market/snapshot.ts';
import { tickedSnapshot } from '../../market/ticks.ts';
import { type Reader, reader } from '../../schema.ts';
import { closed, idSchema, priceSchema } from '../eventShapes.ts';
import { TickSchema } from '../marketEvents.ts';
import { checkMoved } from './marketState.ts';

const SentTickSchema = Type.Object(
  {
    ...TickSchema.properties,
    bid: Type.Optional(priceSchema('best bid for the spot: checked, not kept')),
    ask: Type.Optional(priceSchema('best ask for the spot: checked, not kept')),
  },
  { ...closed, title: 'Tick' },
);

export const TicksSchema = Type.Object(
  {
    source: idSchema('Who sends them: each source numbers its own ticks, 1 more each time.'),
    resume: Type.Optional(
      Type.Boolean({
        description: 'The source knows that it has lost some: a gap before the first is accepted.',
      }),
    ),
    ticks: Type.Array(SentTickSchema, { minItems: 1, maxItems: LIMITS.ticksMax }),
  },
  { ...closed, title: 'Ticks' },
);

export type SentTicks = Static<typeof TicksSchema>;
export type BookedTick = Static<typeof TickSchema>;

const read: Reader<SentTicks> = reader(TicksSchema);

export interface TickBatch {
  readonly source: string;
  readonly resume: boolean;
  readonly ticks: readonly BookedTick[];
}

/** @throws INVALID_FIELD (a price of 0, too), UNKNOWN_FIELD, MISSING_FIELD, CROSSED_PRICES, OUT_OF_ORDER: what is wrong whatever the market is */
export function readTicks(value: unknown): TickBatch {
  const { source, resume = false, ticks } = read(value);
  const booked = ticks.map(({ bid, ask, ...tick }, i) => {
    checkQuote(tick.spot, bid, ask, `ticks[${i}]`);
    const expected = ticks[0]!.sequence + i;
    if (tick.sequence === expected) return tick;
    const message = `ticks[${i}].sequence must be ${expected}, got ${tick.sequence}`;
    throw new PlimsollError('OUT_OF_ORDER', message, { path: `ticks[${i}].sequence` });
  });
  return { source, resume, ticks: booked };
}

function checkQuote(
  spot: number | undefined,
  bid: number | undefined,
  ask: number | undefined,
  path: string,
): void {
  const crossed = (text: string): never => {
    throw new PlimsollError('CROSSED_PRICES', `${path}: ${text}`, { path });
  };
  if (bid !== undefined && ask !== undefined && bid > ask)
    crossed(`the bid ${bid} is above the ask ${ask}`);
  if (spot === undefined) return;
  if (bid !== undefined && spot < bid) crossed(`the spot ${spot} is below the bid ${bid}`);
  if (ask !== undefined && spot > ask) crossed(`the spot ${spot} is above the ask ${ask}`);
}

/**
 * The market after a batch.
 * @param feeds last number of each source
 * @throws SEQUENCE_REPEATED, SEQUENCE_GAP, STALE_TICK, UNKNOWN_UNDERLYING, UNKNOWN_INSTRUMENT, INVALID_FIELD
 */
export function afterTicks(
  market: MarketSnapshot,
  feeds: ReadonlyMap<string, number>,
  batch: TickBatch,
): { readonly snapshot: MarketSnapshot; readonly moved: ReadonlySet<string> } {
  checkSequence(feeds.get(batch.source), batch);
  checkAges(market, batch.ticks);
  const next = tickedSnapshot(market, batch.ticks);
  checkMoved(next.snapshot, next.moved);
  return next;
}

function checkSequence(last: number | undefined, { source, resume, ticks }: TickBatch): void {
  // The first ticks of a source may have any number.
  if (last === undefined) return;
  const [{ sequence: first }] = ticks as [BookedTick];
  const place = { path: 'ticks[0].sequence' };
  if (first <= last) {
    const message = `${source} has sent ticks up to ${last}, these begin at ${first}`;
    throw new PlimsollError('SEQUENCE_REPEATED', message, place);
  }
  if (first === last + 1 || resume) return;
  const message = `${source} has sent ticks up to ${last}, these begin at ${first}: ${first - last - 1} are missing ("resume": true goes on without them)`;
  throw new PlimsollError('SEQUENCE_GAP', message, place);
}

function checkAges(market: MarketSnapshot, ticks: readonly BookedTick[]): void {
  const latest = new Map<string, number>();
  const wanted = new Set(ticks.map(({ underlying }) => underlying));
  for (const { id, asOf } of market.underlyings) {
    if (wanted.has(id)) latest.set(id, readInstant(asOf ?? market.asOf, 'asOf'));
  }
  ticks.forEach(({ underlying, asOf }, i) => {
    const path = `ticks[${i}].asOf`;
    const at = readInstant(asOf, path);
    const before = latest.get(underlying);
    if (before === undefined || at >= before) {
      if (before !== undefined) latest.set(underlying, at);
      return;
    }
    const message = `${path} ${asOf} lies before the latest of ${underlying}, ${new Date(before).toISOString()}`;
    throw new PlimsollError('STALE_TICK', message, { path });
  });
}
