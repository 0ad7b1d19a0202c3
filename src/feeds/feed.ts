/** What a feed gives: batches of ticks as they arrive, and problems by name. A feed is read at the pace of its reader. */
import type { Tick } from '../market/ticks.ts';

/** Best bid and ask of one contract, in whatever it is quoted in; left out where there is none. They price nothing: a crossed book tells of a broken feed. */
export interface BestQuote {
  readonly instrument: string;
  readonly bid?: number | undefined;
  readonly ask?: number | undefined;
}

export interface SequencedTick extends Tick {
  /** As its source numbers it: each one more than the one before. */
  readonly sequence: number;
  /** Only looked at, by `TickGate`. */
  readonly quotes?: readonly BestQuote[] | undefined;
}

export interface TickBatch {
  /** Who numbers the ticks. */
  readonly source: string;
  /** When they came in here: ISO-8601 UTC. */
  readonly receivedAt: string;
  readonly ticks: readonly SequencedTick[];
}

/** Every kind of problem, with a sentence for the reference. */
export const PROBLEMS = {
  gap: 'Ticks or messages before this one never came: what they moved may be out of date.',
  duplicate: 'A tick with a number that has been here already.',
  'out-of-order': 'A tick that comes after a later one.',
  stale: 'A tick much older than what is known of its underlying, or than its arrival.',
  crossed: 'A bid above the ask.',
  'zero-price': 'A price or volatility of zero.',
  malformed: 'Something that is no tick: it breaks the form, or a number in it its range.',
  'unknown-underlying': 'A tick of an underlying that the market does not have.',
  disconnected: 'The connection was lost or refused; it is opened again.',
  refused: 'The source answered a request with an error.',
  overrun: 'The reader was slower than the feed: waiting ticks were conflated.',
} as const;

export type ProblemKind = keyof typeof PROBLEMS;

export interface TickProblem {
  readonly kind: ProblemKind;
  readonly source: string;
  readonly message: string;
  /** When it was noticed: ISO-8601 UTC. */
  readonly at: string;
  /** Whether the tick is passed on all the same; left out where the problem is not that of a tick. */
  readonly admitted?: boolean | undefined;
  readonly underlying?: string | undefined;
  readonly sequence?: number | undefined;
  /** Of a gap: the numbers that are missing. */
  readonly missing?: { readonly first: number; readonly last: number } | undefined;
  /** The field at fault, or the line of a file. */
  readonly path?: string | undefined;
}

export type FeedItem = { readonly batch: TickBatch } | { readonly problem: TickProblem };

/** Ends when its source does, or when it is aborted; leaving the loop closes it. */
export type Feed = AsyncIterable<FeedItem>;

/** Milliseconds since 1970 as every item writes them. */
export function instantOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
