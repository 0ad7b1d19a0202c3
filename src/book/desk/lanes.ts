/** Who may act when: one at a time for each account, several accounts at once; and now and then one alone. */

export class Lanes {
  private readonly tails = new Map<string, Promise<void>>();
  private active = 0;
  private alone = false;
  /** Who wants to be alone: nobody new enters meanwhile. */
  private claims = 0;
  private waiting: (() => void)[] = [];

  /** Runs the work when all earlier works of the account have ended, in the order of the calls. */
  async run<T>(account: string, work: () => Promise<T>): Promise<T> {
    const before = this.tails.get(account);
    const leave = this.occupy(account);
    await before;
    while (this.claims > 0) await this.change();
    this.active += 1;
    try {
      return await work();
    } finally {
      this.active -= 1;
      leave();
      this.wake();
    }
  }

  /** Holds an account where nobody is at it or waits for it. @returns how to let go of it; null where it is busy */
  tryHold(account: string): (() => void) | null {
    if (this.claims > 0 || this.tails.has(account)) return null;
    const leave = this.occupy(account);
    this.active += 1;
    return () => {
      this.active -= 1;
      leave();
      this.wake();
    };
  }

  /** Runs the work while nobody else is at any account. */
  async exclusive<T>(work: () => Promise<T>): Promise<T> {
    this.claims += 1;
    while (this.active > 0 || this.alone) await this.change();
    this.alone = true;
    try {
      return await work();
    } finally {
      this.alone = false;
      this.claims -= 1;
      this.wake();
    }
  }

  private occupy(account: string): () => void {
    let leave = (): void => {};
    const own = new Promise<void>((resolve) => {
      leave = resolve;
    });
    const tail = (this.tails.get(account) ?? Promise.resolve()).then(() => own);
    this.tails.set(account, tail);
    return () => {
      leave();
      if (this.tails.get(account) === tail) this.tails.delete(account);
    };
  }

  private change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
