/** What routes and plugins share: one of it per application. */
import type { Desk } from '../book/desk/desk.ts';
import type { Engine } from '../engine/engine.ts';
import { LIMITS } from '../limits.ts';
import { Gate } from './plugins/admission.ts';
import type { ServerMetrics } from './plugins/metrics.ts';
import { Readiness } from './plugins/readiness.ts';

/** The bounds of one application; the defaults are those of `LIMITS`. */
export interface ServerLimits {
  /** Bytes of an account, of a market snapshot, and of other bodies. */
  readonly accountBytes: number;
  readonly marketBytes: number;
  readonly jsonBytes: number;
  /** Bytes of all bodies that are held in memory at once. */
  readonly bodiesBytes: number;
  readonly batches: number;
  readonly answerBytes: number;
  readonly reports: number;
  readonly reportsWaiting: number;
  readonly headersMs: number;
  readonly bodyMs: number;
  readonly uploadMs: number;
  readonly stallMs: number;
  readonly keepAliveMs: number;
  readonly idleMs: number;
  readonly checkMs: number;
  readonly socketRequests: number;
  readonly loopDelayMs: number;
}

export const SERVER_LIMITS: ServerLimits = {
  accountBytes: LIMITS.accountBytesMax,
  marketBytes: LIMITS.marketBodyBytesMax,
  jsonBytes: LIMITS.jsonBodyBytesMax,
  bodiesBytes: LIMITS.httpBodiesBytesMax,
  batches: LIMITS.httpBatchesMax,
  answerBytes: LIMITS.httpAnswerBytesMax,
  reports: LIMITS.httpReportsMax,
  reportsWaiting: LIMITS.httpReportsWaitingMax,
  headersMs: LIMITS.httpHeadersMs,
  bodyMs: LIMITS.httpBodyMs,
  uploadMs: LIMITS.httpUploadMs,
  stallMs: LIMITS.httpStallMs,
  keepAliveMs: LIMITS.httpKeepAliveMs,
  idleMs: LIMITS.httpIdleMs,
  checkMs: LIMITS.httpCheckMs,
  socketRequests: LIMITS.httpSocketRequestsMax,
  loopDelayMs: LIMITS.httpLoopDelayMs,
};

export interface ServerContext {
  readonly engine: Engine;
  /** Null where no book is kept. */
  readonly desk: Desk | null;
  readonly limits: ServerLimits;
  readonly readiness: Readiness;
  readonly metrics: ServerMetrics;
  /** Bytes of bodies that are held in memory. */
  readonly bodies: { held: number };
  readonly batches: Gate;
  readonly reports: Gate;
  /** One market is built at a time: a second one sent meanwhile is refused, not queued. */
  readonly markets: Gate;
}

export function serverContext(
  engine: Engine,
  limits: ServerLimits,
  metrics: ServerMetrics,
  desk: Desk | null = null,
): ServerContext {
  return {
    engine,
    desk,
    limits,
    metrics,
    readiness: new Readiness(engine),
    bodies: { held: 0 },
    batches: new Gate('batches', limits.batches, 0),
    reports: new Gate('risk reports', limits.reports, limits.reportsWaiting),
    markets: new Gate('market updates', 1, 0),
  };
}
