/** What the bench and its processes say to each other. */
import type { SiteOptions } from '../suites/bookSite.ts';
import type { Form } from './accountStreams.ts';

/** The exchange that both sides make for themselves. */
export interface ServedExchange {
  readonly scenarios: number;
  readonly positions: number;
  readonly book?: ServedBook | undefined;
}

export interface ServedBook {
  /** Of the store. */
  readonly path: string;
  readonly options: SiteOptions;
  /** Whether the accounts are in it already. */
  readonly made: boolean;
}

export type Question =
  | { readonly ask: 'start'; readonly exchange: ServedExchange }
  /** The engine's own rate on the same accounts, without HTTP. */
  | { readonly ask: 'own'; readonly form: Form; readonly accounts: number }
  | { readonly ask: 'peak' }
  /** Waits until all figures of the book are current. */
  | { readonly ask: 'quiet' }
  | { readonly ask: 'usage' };

export interface Usage {
  /** Processor time of the process so far, all threads. */
  readonly cpuSeconds: number;
  /** Records of the log. */
  readonly records: number;
}

export type Reply =
  | { readonly address: string }
  | { readonly seconds: number; readonly digest: string }
  /** Greatest resident set so far. */
  | { readonly peakBytes: number }
  | { readonly quiet: true }
  | Usage;

/** A contract to trade, and at what price. */
export interface Quoted {
  readonly instrument: string;
  readonly price: number;
}

/** An underlying that ticks, from where and when on. */
export interface Ticking {
  readonly underlying: string;
  readonly spot: number;
  readonly asOf: string;
}

/** What else happens to the book, each so many times a second. */
export interface Beside {
  readonly fills: number;
  readonly ticks: number;
}

interface Load {
  readonly address: string;
  readonly seconds: number;
  readonly connections: number;
  /** Ids of booked accounts, in turn. */
  readonly accounts: readonly string[];
  readonly quoted: readonly Quoted[];
  readonly ticking: readonly Ticking[];
}

export type LoadQuestion =
  /** Fills one after the other on each connection, each acknowledged before the next. */
  | (Load & { readonly load: 'fills' })
  /** So many questions a second, evenly spaced; those that reserve are cancelled afterwards. */
  | (Load & {
      readonly load: 'what-ifs';
      readonly rate: number;
      readonly reserve: boolean;
      readonly beside?: Beside;
    });

export interface LoadReply {
  /** From the first request to the last answer. */
  readonly seconds: number;
  /** Milliseconds of each answer, ascending. */
  readonly latencies: readonly number[];
  /** What-ifs that were reserved. */
  readonly reserved: number;
}
