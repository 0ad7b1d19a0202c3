/** Triggers as they are asked for: filtered, page by page, and as a stream of what is new. */
import type { Trigger } from '../../engine/studies/triggersSchema.ts';
import type { AccountTriggers, TriggerBook } from './triggers.ts';

export interface TriggerQuery {
  /** Default: all accounts, all underlyings. */
  readonly accounts?: ReadonlySet<string> | undefined;
  readonly underlyings?: ReadonlySet<string> | undefined;
  /** Only triggers whose nearer side is a move of at most so much: 0.05 is 5% up or down. */
  readonly within?: number | undefined;
  /** Id of the last account of the page before. */
  readonly after?: string | undefined;
  /** Accounts of a page. */
  readonly limit: number;
}

/** With its age in seconds: for how long it has been behind the account's figures, 0 where it is of them. */
export type AgedTriggers = AccountTriggers & { readonly age: number };

export interface TriggerPage {
  readonly triggers: readonly AgedTriggers[];
  /** What the next page comes after; null where there is none. */
  readonly next: string | null;
}

export function triggerPage(book: TriggerBook, query: TriggerQuery): TriggerPage {
  const { accounts, after = '', limit } = query;
  const ids = book.ids();
  const found: AgedTriggers[] = [];
  for (let i = firstAfter(ids, after); i < ids.length; i++) {
    const id = ids[i]!;
    if (accounts !== undefined && !accounts.has(id)) continue;
    const one = filtered(book.of(id)!, query);
    if (one === null) continue;
    if (found.length === limit) return { triggers: found, next: found.at(-1)!.account };
    found.push({ ...one, age: book.ageOf(id) });
  }
  return { triggers: found, next: null };
}

/** Index of the first id beyond one in code-unit order. */
function firstAfter(ids: readonly string[], after: string): number {
  let low = 0;
  let high = ids.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! > after) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Null where a filter leaves nothing. */
function filtered(
  one: AccountTriggers,
  { underlyings, within }: Pick<TriggerQuery, 'underlyings' | 'within'>,
): AccountTriggers | null {
  if (underlyings === undefined && within === undefined) return one;
  const triggers = one.triggers.filter(
    (trigger) =>
      (underlyings === undefined || underlyings.has(trigger.underlying)) &&
      (within === undefined || distanceOf(trigger) <= within),
  );
  return triggers.length === 0 ? null : { ...one, triggers };
}

function distanceOf({ below, above }: Trigger): number {
  const distance = (side: Trigger['below']): number =>
    side === null ? Number.POSITIVE_INFINITY : Math.abs(side.move);
  return Math.min(distance(below), distance(above));
}

/** Null: nothing is known of the account any more, because it is closed or its figures cannot be computed. */
export interface TriggerNews {
  readonly account: string;
  readonly triggers: AccountTriggers | null;
}

/**
 * All triggers as they are now, and then each that is new, until the signal comes. Triggers are a state, no history: a reader that is slow gets
 * the latest of each account, and what came between never.
 */
export async function* followTriggers(
  book: TriggerBook,
  accounts: ReadonlySet<string> | undefined,
  signal: AbortSignal,
): AsyncGenerator<TriggerNews, void, undefined> {
  const wanted = (id: string): boolean => accounts === undefined || accounts.has(id);
  const fresh = new Set(book.ids().filter(wanted));
  let wake = (): void => {};
  const stop = book.listen((id) => {
    if (!wanted(id)) return;
    fresh.add(id);
    wake();
  });
  const aborted = (): void => wake();
  signal.addEventListener('abort', aborted);
  try {
    while (!signal.aborted) {
      for (const account of fresh) {
        fresh.delete(account);
        yield { account, triggers: book.of(account) };
        if (signal.aborted) return;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (fresh.size > 0 || signal.aborted) resolve();
      });
    }
  } finally {
    stop();
    signal.removeEventListener('abort', aborted);
  }
}
