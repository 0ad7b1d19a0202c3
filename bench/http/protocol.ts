/** What the bench and its server process say to each other. */
import type { Form } from './accountStreams.ts';

/** The exchange that both sides make for themselves. */
export interface ServedExchange {
  readonly scenarios: number;
  readonly positions: number;
}

export type Question =
  | { readonly ask: 'start'; readonly exchange: ServedExchange }
  /** The engine's own rate on the same accounts, without HTTP. */
  | { readonly ask: 'own'; readonly form: Form; readonly accounts: number }
  | { readonly ask: 'peak' };

export type Reply =
  | { readonly address: string }
  | { readonly seconds: number; readonly digest: string }
  /** Greatest resident set so far. */
  | { readonly peakBytes: number };
