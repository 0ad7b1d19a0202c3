/**
 * Back to an instant: the book, the market and the factor model as the log had them then, and what had been published of one account. The log is read from its
 * start for the market, which no snapshot of the book has; the book itself begins at the newest snapshot that is old enough.
 */
import { ensure, PlimsollError } from '../../errors.ts';
import { hashOf } from '../../json.ts';
import type { FactorModel } from '../../market/factorModel.ts';
import { readInstant } from '../../market/instruments.ts';
import { type MarketSnapshot, readSnapshot } from '../../market/snapshot.ts';
import { tickedSnapshot } from '../../market/ticks.ts';
import { type Book, emptyBook } from '../book.ts';
import { FactorState } from '../desk/factorState.ts';
import { type EventBody, readEvent } from '../events.ts';
import { fold, type TypedRecord } from '../fold.ts';
import { MARKET_EVENTS } from '../marketEvents.ts';
import { restore } from '../snapshots.ts';
import type { LogRecord, Store } from '../store/store.ts';

export type ReadStore = Pick<Store, 'pages' | 'latestSnapshot'>;

/** A margin record of the log. */
export interface Published extends EventBody<'margin'> {
  readonly seq: number;
  readonly at: string;
}

export interface Rebuilt {
  readonly book: Book;
  /** Null where none had been loaded. */
  readonly market: MarketSnapshot | null;
  /** Null where the log names none: figures were of the one that the engine was opened with. */
  readonly factors: FactorModel | null;
  /** Last record that counts. */
  readonly seq: number;
  /** The last margin of the account that was published by then. */
  readonly published: Published | null;
  /** Last record that changed the market or the factor model. */
  readonly marketSeq: number;
}

export interface RebuildRequest {
  /** Up to this instant (ISO-8601 UTC), records of it included; or up to this record. */
  readonly until: { readonly at: string } | { readonly seq: number };
  /** Whose published margin is looked for. */
  readonly account: string;
  /** Snapshots by hash, for records that name theirs only. */
  readonly markets?: readonly MarketSnapshot[];
  readonly onProgress?: (records: number) => void;
}

/**
 * @throws NO_MARKET where a record names a snapshot that neither it nor `markets` has; INVALID_RECORD where a snapshot is not the one that its
 * record names, or a record does not fit the book; what the store throws of a broken chain
 */
export async function rebuild(store: ReadStore, request: RebuildRequest): Promise<Rebuilt> {
  const { account, markets = [], onProgress } = request;
  const isOver = limitOf(request);
  const kept = await store.latestSnapshot();
  // A snapshot beyond the instant would have to be unfolded.
  const start = kept === null ? null : restored(kept.state);
  const found = new Map(markets.map((market) => [hashOf(market), market]));
  let market: MarketSnapshot | null = null;
  const factors = new FactorState();
  let published: Published | null = null;
  let [seq, marketSeq] = [0, 0];
  const early = start !== null && !isOver({ seq: start.seq, at: start.at }) ? start : null;
  const book = early ?? emptyBook();
  pages: for await (const page of store.pages()) {
    for (const record of page) {
      if (isOver(record)) break pages;
      if (record.seq > book.seq) fold(book, record);
      else if (isOfMarket(record) || record.kind === 'margin') readEvent(record);
      if (isOfMarket(record)) {
        if (isOfFactors(record)) factors.fold(record as TypedRecord, record.seq);
        else market = marketAfter(market, record, found);
        marketSeq = record.seq;
      } else if (record.kind === 'margin') {
        const body = record.body as EventBody<'margin'>;
        if (body.account === account) published = { ...body, seq: record.seq, at: record.at };
      }
      seq = record.seq;
    }
    onProgress?.(seq);
  }
  ensure(seq === book.seq, 'the book is as far as the log');
  return { book, market, factors: factors.model, seq, published, marketSeq };
}

/** Null where the snapshot is of another format: then the log is folded from its start. */
function restored(state: Uint8Array): Book | null {
  try {
    return restore(state);
  } catch (error) {
    if (error instanceof PlimsollError && error.code === 'INVALID_RECORD') return null;
    throw error;
  }
}

function limitOf({ until }: RebuildRequest): (record: Pick<LogRecord, 'seq' | 'at'>) => boolean {
  if ('seq' in until) return ({ seq }) => seq > until.seq;
  const last = readInstant(until.at, 'at');
  return ({ at }) => readInstant(at, 'at') > last;
}

function isOfMarket({ kind }: LogRecord): boolean {
  return Object.hasOwn(MARKET_EVENTS, kind);
}

function isOfFactors({ kind }: LogRecord): boolean {
  return kind === 'factors-replaced' || kind === 'factors-updated';
}

function marketAfter(
  market: MarketSnapshot | null,
  record: LogRecord,
  found: ReadonlyMap<string, MarketSnapshot>,
): MarketSnapshot {
  if (record.kind === 'ticks') {
    if (market !== null) {
      return tickedSnapshot(market, (record.body as EventBody<'ticks'>).ticks).snapshot;
    }
    throw new PlimsollError('INVALID_RECORD', `record ${record.seq} moves no market`);
  }
  const { hash, snapshot } = record.body as EventBody<'market-replaced'>;
  const next = snapshot ?? found.get(hash);
  if (next === undefined) {
    const message = `record ${record.seq} names the market ${hash} and does not have it`;
    throw new PlimsollError('NO_MARKET', message, { path: 'market' });
  }
  if (hashOf(next) !== hash) {
    const message = `record ${record.seq} holds another market than it names: ${hash}`;
    throw new PlimsollError('INVALID_RECORD', message);
  }
  return readSnapshot(next);
}
