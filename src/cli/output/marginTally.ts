/** What a table says about a batch of margin results, gathered as they pass by: totals, states, the greatest accounts, the rejected ones. */
import type { RejectedAccount } from '../../margin/result.ts';

/** Of a result, what every account is asked for. */
export interface MarginFigures {
  readonly account: string;
  readonly mode: string;
  readonly currency: string;
  readonly initialMargin: number;
  readonly maintenanceMargin: number;
  readonly equity: number;
  readonly marginRatio: number | null;
  readonly state: string;
}

/** What the table shows of one account. */
export interface MarginLine extends MarginFigures {
  /** Null where nobody knows it. */
  readonly standardError: number | null;
}

export interface Totals {
  initialMargin: number;
  maintenanceMargin: number;
  equity: number;
}

/** Rejected accounts that are kept for the table; all of them are counted. */
const REJECTED_SHOWN = 20;

export class MarginTally {
  accounts = 0;
  rejected = 0;
  currency = '';
  digest = '';
  readonly totals: Totals = { initialMargin: 0, maintenanceMargin: 0, equity: 0 };
  readonly states = new Map<string, number>();
  readonly codes = new Map<string, number>();
  readonly rejections: RejectedAccount[] = [];
  /** By initial margin, greatest first; of equal ones, the first come. */
  readonly greatest: MarginLine[] = [];
  private readonly shown: number;

  /** @param shown accounts that the table lists */
  constructor(shown: number) {
    this.shown = shown;
  }

  /** @param standardError asked for only where the account is listed */
  accept(figures: MarginFigures, standardError: () => number | null): void {
    const { initialMargin, maintenanceMargin, equity, state } = figures;
    this.accounts += 1;
    this.currency = figures.currency;
    this.totals.initialMargin += initialMargin;
    this.totals.maintenanceMargin += maintenanceMargin;
    this.totals.equity += equity;
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
    if (this.shown === 0) return;
    const last = this.greatest[this.shown - 1];
    if (last !== undefined && last.initialMargin >= initialMargin) return;
    this.keep({ ...figures, standardError: standardError() });
  }

  reject(outcome: RejectedAccount): void {
    const { code } = outcome.error;
    this.accounts += 1;
    this.rejected += 1;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
    if (this.rejections.length < REJECTED_SHOWN) this.rejections.push(outcome);
  }

  private keep(line: MarginLine): void {
    const at = this.greatest.findIndex((other) => other.initialMargin < line.initialMargin);
    this.greatest.splice(at === -1 ? this.greatest.length : at, 0, line);
    this.greatest.length = Math.min(this.greatest.length, this.shown);
  }
}
