/** The end of the log in memory, for streams: so many records, and fewer where they are large. */
import { LIMITS } from '../../limits.ts';
import type { SurfaceSliceRecord } from '../../market/snapshot.ts';
import type { LogRecord } from '../store/store.ts';

/** What a record of the market may have: of ticks, and of a snapshot. */
interface Prices {
  readonly ticks?: readonly Priced[];
  readonly snapshot?: {
    readonly underlyings: readonly Priced[];
    readonly instruments: readonly unknown[];
  };
}

interface Priced {
  readonly forwards?: readonly unknown[] | undefined;
  readonly surface?: readonly SurfaceSliceRecord[] | undefined;
  readonly marks?: readonly unknown[] | undefined;
}

export class RecentRecords {
  private readonly records = new Map<number, LogRecord>();
  private readonly kept: number;
  private oldest = 1;
  private last = 0;
  private prices = 0;

  /** @param kept records at most */
  constructor(kept: number) {
    this.kept = kept;
  }

  /** Records come in the order of the log. */
  push(record: LogRecord): void {
    if (this.records.size === 0) this.oldest = record.seq;
    this.records.set(record.seq, record);
    this.last = record.seq;
    this.prices += pricesOf(record);
    // The newest is kept whatever its size.
    while (this.records.size > 1 && this.tooMany) {
      this.prices -= pricesOf(this.records.get(this.oldest)!);
      this.records.delete(this.oldest);
      this.oldest += 1;
    }
  }

  /** At most `limit` records after a sequence number; null where memory does not reach back so far. */
  after(seq: number, limit: number): readonly LogRecord[] | null {
    if (this.records.size === 0 || seq + 1 < this.oldest) return null;
    const count = Math.max(0, Math.min(limit, this.last - seq));
    return Array.from({ length: count }, (_, i) => this.records.get(seq + 1 + i)!);
  }

  private get tooMany(): boolean {
    return this.records.size > this.kept || this.prices > LIMITS.streamPricesKept;
  }
}

/** Prices of a market record: what it is as large as. None of the others, which are all small. */
function pricesOf({ kind, body }: LogRecord): number {
  if (kind !== 'ticks' && kind !== 'market-replaced') return 0;
  const { ticks = [], snapshot } = body as Prices;
  const priced = [...ticks, ...(snapshot?.underlyings ?? [])];
  let count = snapshot?.instruments.length ?? 0;
  for (const { forwards, surface, marks } of priced) {
    count += 1 + (forwards?.length ?? 0) + (marks?.length ?? 0);
    for (const { quotes } of surface ?? []) count += quotes.length;
  }
  return count;
}
