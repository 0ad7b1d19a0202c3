/**
 * The latest ids that were seen: at most n, the last n/2 for certain. Two generations, of which the older is dropped whole, because deleting
 * single ids from a large set costs more than adding them.
 */
export class RecentIds {
  private readonly half: number;
  private older = new Set<string>();
  private recent = new Set<string>();

  /** @param most n, even */
  constructor(most: number) {
    this.half = most / 2;
  }

  has(id: string): boolean {
    return this.recent.has(id) || this.older.has(id);
  }

  add(id: string): void {
    if (this.recent.size === this.half) {
      this.older = this.recent;
      this.recent = new Set();
    }
    this.recent.add(id);
  }

  /** Oldest first. Added again in this order they come to the same: the older generation is always a full one. */
  list(): readonly string[] {
    return [...this.older, ...this.recent];
  }
}
