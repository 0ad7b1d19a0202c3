/** What the cycle of recomputation tells those who work beside it or watch it. They never hold it up: nothing of theirs is waited for. */
import type { Figures } from './figures.ts';

/** Why figures are behind: the market moved, or something happened to the account. */
export type Cause = 'market' | 'book';

export interface CycleObserver {
  /** An account needs new figures; since when, by `performance.now()`. */
  marked(account: string, cause: Cause, since: number): void;
  /** Its figures are published. @param current false where it was marked again meanwhile */
  kept(account: string, figures: Figures, current: boolean): void;
  /** It is booked no more. */
  forgotten(account: string): void;
  /** Something waits for the cycle. */
  busy(): void;
  /** Nothing waits any more, and nothing is under way. */
  idle(): void;
  /** A turn has ended that took so many milliseconds. */
  turned(milliseconds: number): void;
}

/** One for all: each of them is told in turn. */
export function observers(all: readonly Partial<CycleObserver>[]): CycleObserver {
  return {
    marked: (account, cause, since) => {
      for (const one of all) one.marked?.(account, cause, since);
    },
    kept: (account, figures, current) => {
      for (const one of all) one.kept?.(account, figures, current);
    },
    forgotten: (account) => {
      for (const one of all) one.forgotten?.(account);
    },
    busy: () => {
      for (const one of all) one.busy?.();
    },
    idle: () => {
      for (const one of all) one.idle?.();
    },
    turned: (milliseconds) => {
      for (const one of all) one.turned?.(milliseconds);
    },
  };
}
