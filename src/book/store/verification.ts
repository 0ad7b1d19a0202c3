/** Walks along the chain and names the first record that does not fit. */
import { chainedText, chainHash, GENESIS, type Head, type Row } from './logRecord.ts';

/**
 * What is wrong with the first bad record: `changed` (it is not what was hashed: altered, swapped or put in), `missing` (removed),
 * `inserted` (a number that no record has), `cut` (the log ends before the exported head), `rewritten` (another chain than that of the
 * exported head), `unreadable` (the database cannot read it).
 */
export type Fault = 'changed' | 'missing' | 'inserted' | 'cut' | 'rewritten' | 'unreadable';

export interface Problem {
  readonly seq: number;
  readonly fault: Fault;
  readonly message: string;
}

/** What is wrong beside the records; the log itself may still be whole. */
export interface Remark {
  readonly about: 'database' | 'snapshot';
  readonly message: string;
}

export interface VerifyReport {
  /** True when nothing at all is wrong. */
  readonly ok: boolean;
  /** Records from the first on that are as they were written. */
  readonly records: number;
  /** The head of those. */
  readonly head: Head;
  readonly problem: Problem | null;
  readonly remarks: readonly Remark[];
}

export interface VerifyProgress {
  readonly done: number;
  readonly total: number;
}

/** A row as a database gives it: a column may hold anything once somebody was at it. */
export type RawRow = { readonly [name in keyof Row]: unknown };

export class ChainCheck {
  /** Good so far. */
  head: Head;
  problem: Problem | null = null;
  /** The JSON, without its hash, of the record that was taken last. */
  text = '';
  private readonly exported: Head | null;
  private readonly thorough: boolean;

  /** @param after the record to begin behind @param exported a head that the chain must pass through */
  constructor(after: Head, exported: Head | null = null, thorough = false) {
    this.head = after;
    this.exported = exported;
    this.thorough = thorough;
  }

  /** Of a whole log. */
  static whole(exported: Head | null): ChainCheck {
    return new ChainCheck({ seq: 0, hash: GENESIS }, exported, true);
  }

  /** Takes the next record; false where it is bad, and then `problem` says how. */
  take(row: RawRow): row is Row {
    const problem = this.faultOf(row);
    if (problem !== null) {
      this.problem = problem;
      return false;
    }
    this.head = { seq: row.seq as number, hash: row.hash as string };
    return true;
  }

  /** After the last record: whether one is lacking. */
  finish(): Problem | null {
    const end = this.exported?.seq ?? 0;
    if (this.problem === null && this.head.seq < end) {
      const message = `the exported head is record ${end}, but the log ends with record ${this.head.seq}`;
      this.problem = { seq: this.head.seq + 1, fault: 'cut', message };
    }
    return this.problem;
  }

  /** The database cannot give the record that comes next. */
  unreadable(message: string): void {
    this.problem ??= { seq: this.head.seq + 1, fault: 'unreadable', message };
  }

  private follows(row: Row): boolean {
    this.text = chainedText(row);
    return chainHash(this.head.hash, this.text) === row.hash;
  }

  /**
   * The hash is of the record's JSON: part of one column could have been moved into the next without changing it. Whoever reads gets the
   * same record then; who looks at the columns (`verify`) finds that they are not what was written.
   */
  private isOneValue({ body, answer }: Row): boolean {
    return !this.thorough || [body, answer ?? 'null'].every(isJson);
  }

  private faultOf(row: RawRow): Problem | null {
    const { head } = this;
    const expected = head.seq + 1;
    const { seq } = row;
    if (typeof seq !== 'number' || !Number.isSafeInteger(seq) || seq < expected) {
      const message = `a record with the number ${String(seq)} stands before record ${expected}`;
      return { seq: Number(seq), fault: 'inserted', message };
    }
    if (seq > expected) {
      const message =
        seq === expected + 1
          ? `record ${expected} is not there`
          : `records ${expected} to ${seq - 1} are not there`;
      return { seq: expected, fault: 'missing', message };
    }
    if (!isRow(row) || !this.follows(row) || !this.isOneValue(row)) {
      const message = `record ${seq} is not the one that was written: its hash does not follow from it and from the one before`;
      return { seq, fault: 'changed', message };
    }
    if (seq === this.exported?.seq && row.hash !== this.exported.hash) {
      const message = `record ${seq} is not that of the exported head: the log was rewritten there or before`;
      return { seq, fault: 'rewritten', message };
    }
    return null;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function isRow(row: RawRow): row is Row {
  const { at, kind, body, hash, key, answer, bodyHash } = row;
  const isText = (value: unknown): boolean => typeof value === 'string';
  return (
    [at, kind, body, hash].every(isText) &&
    [key, answer, bodyHash].every((value) => value === null || isText(value))
  );
}
