/** What a table says about a batch of margin results, gathered as they pass by: totals, states, the greatest accounts, the rejected ones. */
import { PlimsollError } from '../../errors.ts';
import type { MarginResult, RejectedAccount } from '../../margin/result.ts';

/** Of a result, what the table shows. */
export interface MarginLine {
  readonly account: string;
  readonly mode: string;
  readonly currency: string;
  readonly initialMargin: number;
  readonly standardError: number;
  readonly maintenanceMargin: number;
  readonly equity: number;
  readonly marginRatio: number | null;
  readonly state: string;
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
  scenarioSet = '';
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

  add(outcome: MarginResult | RejectedAccount): void {
    this.accounts += 1;
    if ('error' in outcome) return this.reject(outcome);
    const { initialMargin, maintenanceMargin, equity, state, risk } = outcome;
    this.currency = outcome.currency;
    this.scenarioSet = outcome.scenarioSet;
    this.totals.initialMargin += initialMargin;
    this.totals.maintenanceMargin += maintenanceMargin;
    this.totals.equity += equity;
    this.states.set(state, (this.states.get(state) ?? 0) + 1);
    const last = this.greatest[this.shown - 1];
    if (this.shown === 0 || (last !== undefined && last.initialMargin >= initialMargin)) return;
    const { account, mode, currency, marginRatio } = outcome;
    const standardError = risk.standardError.expectedShortfall;
    const figures = { initialMargin, standardError, maintenanceMargin, equity, marginRatio };
    this.keep({ account, mode, currency, ...figures, state });
  }

  private reject(outcome: RejectedAccount): void {
    const { code } = outcome.error;
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

/** Outcomes in a piece of the engine's answer, as NDJSON or as elements of an array. A piece holds whole lines. */
export function* outcomesIn(piece: Uint8Array): Generator<MarginResult | RejectedAccount> {
  const text = Buffer.from(piece.buffer, piece.byteOffset, piece.length).toString('utf8');
  for (const line of text.split('\n')) {
    const end = line.endsWith(',') ? line.length - 1 : line.length;
    if (end <= 1) continue;
    const value = JSON.parse(line.slice(0, end)) as MarginResult | RejectedAccount | Ended;
    if ('summary' in value) continue;
    yield value;
  }
}

interface Ended {
  readonly summary: object;
}

/** Margin works on one figure a scenario set; without an account there is none to show. */
export function requireAccounts(tally: MarginTally): void {
  if (tally.accounts > 0) return;
  throw new PlimsollError('USAGE', 'the input holds no account', { path: 'accounts' });
}
