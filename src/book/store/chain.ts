/** The end of the chain grows: drafts become rows. Pure, so that every implementation of the store writes the same log. */
import {
  chainedText,
  chainHash,
  type Row,
  type Stamp,
  type TextDraft,
  type Tip,
} from './logRecord.ts';

/** What became of one call: a stamp for each draft, or the key that was taken, and then nothing of it. */
export type Outcome = { readonly stamps: readonly Stamp[] } | { readonly takenKey: string };

export interface Linked {
  /** Of all calls that were not refused, in order. */
  readonly rows: readonly Row[];
  readonly outcomes: readonly Outcome[];
  readonly tip: Tip;
}

/**
 * Links the drafts of some calls to the tip.
 * @param now milliseconds since 1970; where the clock went backwards, the last record's instant is taken again
 * @param isTaken whether the log has a record under a key
 */
export function linkCalls(
  calls: readonly (readonly TextDraft[])[],
  tip: Tip,
  now: number,
  isTaken: (key: string) => boolean,
): Linked {
  const clock = new Date(now).toISOString();
  const at = clock < tip.at ? tip.at : clock;
  const rows: Row[] = [];
  const keys = new Set<string>();
  let { seq, hash } = tip;
  const outcomes = calls.map((drafts): Outcome => {
    const taken = drafts.find(({ key }) => key !== null && (keys.has(key) || isTaken(key)));
    if (taken !== undefined) return { takenKey: taken.key as string };
    const stamps = drafts.map((draft) => {
      if (draft.key !== null) keys.add(draft.key);
      seq += 1;
      hash = chainHash(hash, chainedText({ ...draft, seq, at }));
      rows.push({ ...draft, seq, at, hash });
      return { seq, at, hash };
    });
    return { stamps };
  });
  return { rows, outcomes, tip: rows.length === 0 ? tip : { seq, hash, at } };
}
