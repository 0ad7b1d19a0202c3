/** The numbering of one source: what comes next, and what was left out. */
import { LIMITS } from '../limits.ts';

interface Range {
  readonly first: number;
  readonly last: number;
}

export type Placed =
  | { readonly kind: 'next' }
  /** The numbers left out. */
  | ({ readonly kind: 'gap' } & Range)
  /** Has been here, or comes too late; `at` is the highest so far. */
  | { readonly kind: 'duplicate' | 'out-of-order'; readonly at: number };

export class Numbering {
  private last: number | null;
  /** Left out and not seen since, in rising order. The oldest are forgotten: a late number of theirs then counts as a duplicate. */
  private missing: Range[] = [];

  /** @param last the highest number seen before; without it any number may come first */
  constructor(last: number | null = null) {
    this.last = last;
  }

  place(sequence: number): Placed {
    const { last } = this;
    if (last === null || sequence === last + 1) {
      this.last = sequence;
      return { kind: 'next' };
    }
    if (sequence > last) {
      const range = { first: last + 1, last: sequence - 1 };
      this.missing.push(range);
      if (this.missing.length > LIMITS.feedGapsMax) this.missing.shift();
      this.last = sequence;
      return { kind: 'gap', ...range };
    }
    return { kind: this.fill(sequence) ? 'out-of-order' : 'duplicate', at: last };
  }

  /** Takes a number out of what is missing; false where it is not. */
  private fill(sequence: number): boolean {
    const i = this.missing.findIndex(({ first, last }) => sequence >= first && sequence <= last);
    if (i === -1) return false;
    const { first, last } = this.missing[i]!;
    const left = [
      { first, last: sequence - 1 },
      { first: sequence + 1, last },
    ].filter((range) => range.first <= range.last);
    this.missing.splice(i, 1, ...left);
    return true;
  }
}
