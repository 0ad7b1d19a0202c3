/** Figures for Prometheus. Each application has a registry of its own, so that two in one process do not meet. */
import type { FastifyInstance } from 'fastify';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds: from a single account (under a millisecond) to a batch of millions. */
const DURATIONS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300];
const BATCH_SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

export class ServerMetrics {
  readonly registry: Registry = new Registry();
  readonly durations: Histogram<'method' | 'route' | 'status'>;
  readonly inFlight: Gauge;
  /** Accounts answered: margined and rejected. */
  readonly accounts: Counter<'route'>;
  readonly rejected: Counter<'code'>;
  readonly batchAccounts: Histogram;
  readonly batches: Counter<'outcome'>;
  readonly streamReaders: Gauge;
  readonly streamsDropped: Counter<'reason'>;

  constructor() {
    const registers = [this.registry];
    collectDefaultMetrics({ register: this.registry });
    this.durations = new Histogram({
      name: 'plimsoll_http_request_duration_seconds',
      help: 'From the arrival of a request to the end of its answer; status 499: the caller hung up.',
      labelNames: ['method', 'route', 'status'],
      buckets: DURATIONS,
      registers,
    });
    this.inFlight = new Gauge({
      name: 'plimsoll_http_requests_in_flight',
      help: 'Requests that are not answered yet.',
      registers,
    });
    this.accounts = new Counter({
      name: 'plimsoll_accounts_total',
      help: 'Accounts answered, margined or rejected.',
      labelNames: ['route'],
      registers,
    });
    this.rejected = new Counter({
      name: 'plimsoll_accounts_rejected_total',
      help: 'Accounts rejected, by error code; `unspecified` for those of Arrow batches.',
      labelNames: ['code'],
      registers,
    });
    this.batchAccounts = new Histogram({
      name: 'plimsoll_batch_accounts',
      help: 'Accounts of a completed batch.',
      buckets: BATCH_SIZES,
      registers,
    });
    this.batches = new Counter({
      name: 'plimsoll_batches_total',
      help: 'Batches by how they ended: completed, cancelled (the caller hung up) or failed.',
      labelNames: ['outcome'],
      registers,
    });
    this.streamReaders = new Gauge({
      name: 'plimsoll_stream_readers',
      help: 'Server-sent event streams that are open.',
      registers,
    });
    this.streamsDropped = new Counter({
      name: 'plimsoll_stream_readers_dropped_total',
      help: 'Readers that were cut off: too many records behind, or stalled (nothing was read for too long).',
      labelNames: ['reason'],
      registers,
    });
  }
}

/** Counts every request. */
export function addMetrics(app: FastifyInstance, { durations, inFlight }: ServerMetrics): void {
  app.addHook('onRequest', async (request, reply) => {
    const end = durations.startTimer();
    inFlight.inc();
    reply.raw.once('close', () => {
      inFlight.dec();
      end({
        method: request.method,
        // Unknown paths share a label: anybody could invent any number of them.
        route: request.routeOptions.url ?? 'unknown',
        status: reply.raw.writableEnded ? reply.raw.statusCode : 499,
      });
    });
  });
}

const MARK = Buffer.from('"error":{"code":"');

/**
 * Codes of the rejected accounts among NDJSON lines, found without parsing: inside a string the mark's quotes would be escaped, and no
 * other field of a line is named so.
 */
export function countRejected(lines: Uint8Array, rejected: Counter<'code'>): void {
  const bytes = Buffer.from(lines.buffer, lines.byteOffset, lines.length);
  for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at)) {
    at += MARK.length;
    rejected.inc({ code: bytes.toString('latin1', at, bytes.indexOf(34, at)) });
  }
}
