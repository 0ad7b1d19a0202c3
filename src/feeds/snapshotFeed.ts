/** Snapshots of a market, one after the other, as a feed: each as the ticks that turn the one before into it. */
import { PlimsollError } from '../errors.ts';
import { parseInstant } from '../market/dates.ts';
import type { MarketSnapshot } from '../market/snapshot.ts';
import { type Clock, Pace, type Speed, systemClock } from './clock.ts';
import type { FeedItem } from './feed.ts';
import { snapshotTicks } from './snapshotTicks.ts';

export interface SnapshotFeedOptions {
  /** Default `snapshots`. */
  readonly source?: string | undefined;
  /** Default `max`. */
  readonly speed?: Speed | undefined;
  readonly clock?: Clock | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A batch for each underlying of each snapshot but the first, which is where its reader starts from; received when the underlying is as of. What ticks
 * cannot say of a snapshot (see `snapshotTicks`) is the problem `gap`.
 * @param snapshots in the order of time, two at least
 * @throws INVALID_FIELD where there are fewer
 */
export async function* snapshotFeed(
  snapshots: readonly MarketSnapshot[],
  options: SnapshotFeedOptions = {},
): AsyncGenerator<FeedItem> {
  const { source = 'snapshots', speed = 'max', clock = systemClock, signal } = options;
  if (snapshots.length < 2) {
    throw new PlimsollError('INVALID_FIELD', 'a feed of snapshots needs two of them at least');
  }
  const pace = new Pace(speed, clock);
  let sequence = 1;
  for (let i = 1; i < snapshots.length; i++) {
    const { ticks, left } = snapshotTicks(snapshots[i - 1]!, snapshots[i]!);
    for (const tick of ticks.toSorted((a, b) => parseInstant(a.asOf) - parseInstant(b.asOf))) {
      await pace.until(parseInstant(tick.asOf), signal);
      if (signal?.aborted === true) return;
      yield {
        batch: { source, receivedAt: tick.asOf, ticks: [{ sequence: sequence++, ...tick }] },
      };
    }
    if (left.length === 0) continue;
    const at = snapshots[i]!.asOf;
    const message = `${left.length} things of the snapshot of ${at} that ticks cannot say: ${left.slice(0, 5).join('; ')}${left.length > 5 ? '; …' : ''}`;
    yield { problem: { kind: 'gap', source, message, at } };
  }
}
