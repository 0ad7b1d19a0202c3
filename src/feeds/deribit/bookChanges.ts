/** Whether the changes of order books follow one another: each names the change before it. */
import { readBookChange } from './messages.ts';

export interface BrokenBook {
  readonly instrument: string;
  readonly message: string;
}

export class BookChanges {
  /** Last `change_id` by instrument; null while a snapshot is waited for. */
  private readonly last = new Map<string, number | null>();

  /**
   * Null where the change follows the one before, or where the gap was told already and no snapshot has come since.
   * @throws INVALID_FIELD, MISSING_FIELD
   */
  follow(data: unknown): BrokenBook | null {
    const { type, instrument_name: instrument, change_id, prev_change_id } = readBookChange(data);
    if (type === 'snapshot') {
      this.last.set(instrument, change_id);
      return null;
    }
    const last = this.last.get(instrument);
    if (last === null) return null;
    if (last !== undefined && prev_change_id === last) {
      this.last.set(instrument, change_id);
      return null;
    }
    this.last.set(instrument, null);
    const before = last === undefined ? 'no snapshot' : `change ${last}`;
    const message = `the book of ${instrument} goes from ${before} to one that follows ${prev_change_id}`;
    return { instrument, message };
  }
}
