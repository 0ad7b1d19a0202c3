/**
 * The gate that ticks pass before they move a market: it follows the numbering of every source and the time of every underlying, and looks at every
 * number. No clock and no I/O: the same batches in the same order give the same answers.
 */
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { parseInstant } from '../market/dates.ts';
import type { Feed, FeedItem, SequencedTick, TickBatch, TickProblem } from './feed.ts';
import { Numbering } from './numbering.ts';
import { faultOf } from './tickPrices.ts';

export interface GateOptions {
  /** Whether a source numbers all its ticks in one row (the default) or those of each underlying. */
  readonly numbering?: 'source' | 'underlying' | undefined;
  /** A tick so much older than the last of its underlying is stale, not merely out of order. Milliseconds, default 5,000. */
  readonly staleMs?: number | undefined;
  /** A tick that arrives so long after its `asOf` is named stale, and passed on. Milliseconds; default: never. */
  readonly lateMs?: number | undefined;
  /** Underlyings that the market has; ticks of others are refused. Default: any. */
  readonly underlyings?: ReadonlySet<string> | undefined;
}

export interface Admission {
  /** What passed, without `quotes`; null where nothing did. */
  readonly batch: TickBatch | null;
  readonly problems: readonly TickProblem[];
}

const STALE_MS = 5_000;

export class TickGate {
  private readonly options: GateOptions;
  private readonly numberings = new Map<string, Numbering>();
  /** Of each underlying: its latest `asOf`, whoever sent it. Milliseconds. */
  private readonly times = new Map<string, number>();

  constructor(options: GateOptions = {}) {
    this.options = options;
  }

  /** Goes on after what is known of a source, such as a book's log after a restart. With numbering by underlying, name it. */
  follow(source: string, last: number, underlying = ''): void {
    this.numberings.set(this.numberingKey(source, underlying), new Numbering(last));
  }

  /** The source begins its numbering afresh, as it does after a new market snapshot. Times of underlyings stay. */
  restart(source: string): void {
    for (const key of this.numberings.keys()) {
      if (key === source || key.startsWith(`${source}\n`)) this.numberings.delete(key);
    }
  }

  /**
   * Passes on what may move the market and names what is wrong. Refused: duplicate, out-of-order, stale against the underlying's last, crossed,
   * zero-price, malformed, unknown-underlying. Named and passed on: the tick after a gap (prices are levels, not changes), and one that arrives late.
   * A tick refused for its numbers has used up its sequence number all the same.
   */
  admit(batch: TickBatch): Admission {
    const problems: TickProblem[] = [];
    const ticks: SequencedTick[] = [];
    for (const tick of batch.ticks) {
      const found = this.look(batch, tick);
      problems.push(...found);
      if (found.some(({ admitted }) => admitted === false)) continue;
      const { quotes: _, ...passed } = tick;
      ticks.push(passed);
    }
    return { batch: ticks.length === 0 ? null : { ...batch, ticks }, problems };
  }

  /** Underlyings of which nothing passed for so long, in code-unit order. Milliseconds since 1970, and milliseconds. */
  silent(nowMs: number, afterMs: number): readonly string[] {
    const silent = [...this.times].filter(([, at]) => nowMs - at > afterMs);
    return silent.map(([underlying]) => underlying).sort();
  }

  private look(batch: TickBatch, tick: SequencedTick): TickProblem[] {
    const { source, receivedAt } = batch;
    const { underlying, sequence } = tick;
    const named = (
      kind: TickProblem['kind'],
      message: string,
      admitted: boolean,
      more: Partial<TickProblem> = {},
    ): TickProblem => {
      const place = { underlying, sequence, at: receivedAt };
      return { kind, source, message, admitted, ...place, ...more };
    };
    const known = this.options.underlyings;
    const problems: TickProblem[] = [];
    const place = this.numberingOf(source, underlying).place(sequence);
    if (place.kind === 'gap') {
      const { first, last } = place;
      const message = `${source} goes from ${first - 1} to ${sequence}: ${last - first + 1} missing`;
      problems.push(named('gap', message, true, { missing: { first, last } }));
    } else if (place.kind !== 'next') {
      const text = place.kind === 'duplicate' ? 'again' : 'late';
      const message = `${source} sends ${sequence} ${text}: it is at ${place.at}`;
      return [named(place.kind, message, false)];
    }
    if (known !== undefined && !known.has(underlying)) {
      const message = `the market has no ${underlying}`;
      return [...problems, named('unknown-underlying', message, false, { path: 'underlying' })];
    }
    const fault = faultOf(tick);
    if (fault !== null) {
      const message = `${underlying}: ${fault.message}`;
      return [...problems, named(fault.kind, message, false, { path: fault.path })];
    }
    return [...problems, ...this.timeProblems(tick, receivedAt, named)];
  }

  private timeProblems(
    { underlying, asOf }: SequencedTick,
    receivedAt: string,
    named: (kind: TickProblem['kind'], message: string, admitted: boolean) => TickProblem,
  ): TickProblem[] {
    const at = parseInstant(asOf);
    const last = this.times.get(underlying);
    if (last !== undefined && at < last) {
      const behind = last - at;
      const kind = behind > (this.options.staleMs ?? STALE_MS) ? 'stale' : 'out-of-order';
      const message = `${underlying} as of ${asOf} is ${behind} ms older than what is known`;
      return [named(kind, message, false)];
    }
    if (last === undefined) refuseMore(this.times, LIMITS.underlyingsMax, 'underlyings');
    this.times.set(underlying, at);
    const late = parseInstant(receivedAt) - at;
    if (!(late > (this.options.lateMs ?? Number.POSITIVE_INFINITY))) return [];
    return [named('stale', `${underlying} as of ${asOf} arrives ${late} ms later`, true)];
  }

  private numberingKey(source: string, underlying: string): string {
    return this.options.numbering === 'underlying' ? `${source}\n${underlying}` : source;
  }

  private numberingOf(source: string, underlying: string): Numbering {
    const key = this.numberingKey(source, underlying);
    let numbering = this.numberings.get(key);
    if (numbering === undefined) {
      refuseMore(this.numberings, LIMITS.feedNumberingsMax, 'numberings');
      numbering = new Numbering();
      this.numberings.set(key, numbering);
    }
    return numbering;
  }
}

function refuseMore(map: ReadonlyMap<string, unknown>, most: number, what: string): void {
  if (map.size < most) return;
  throw new PlimsollError('TOO_LARGE', `ticks name more than ${most} ${what}`);
}

/** A feed behind a gate: its problems first, then what passed. */
export async function* gated(feed: Feed, gate: TickGate): AsyncGenerator<FeedItem> {
  for await (const item of feed) {
    if ('problem' in item) {
      yield item;
      continue;
    }
    const { batch, problems } = gate.admit(item.batch);
    for (const problem of problems) yield { problem };
    if (batch !== null) yield { batch };
  }
}
