/**
 * A server on loopback that speaks the documented form of the exchange's WebSocket API, and misbehaves when it is told to. Forms and sample figures
 * are those of docs.deribit.com: public/subscribe, public/set_heartbeat, public/test, ticker, deribit_price_index, markprice.options, book.
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

interface Request {
  readonly jsonrpc: string;
  readonly id: number;
  readonly method: string;
  readonly params: Record<string, unknown>;
}

/** What is done with a request: a result, an error, a delayed result, or no answer at all. */
export type Reaction =
  | { readonly result: unknown; readonly afterMs?: number }
  | { readonly error: { readonly code: number; readonly message: string } }
  | 'silence';

export class DeribitServer {
  readonly requests: Request[] = [];
  connections = 0;
  /** Overrides the documented behaviour, by method. */
  readonly reactions = new Map<string, (request: Request) => Reaction | null>();
  private readonly server: WebSocketServer;
  private socket: WebSocket | null = null;
  private readonly watchers = new Set<() => void>();
  /** Rows of public/get_book_summary_by_currency, by currency. */
  readonly summaries = new Map<string, unknown[]>();

  private constructor(server: WebSocketServer) {
    this.server = server;
    server.on('connection', (socket) => {
      this.connections++;
      this.socket = socket;
      socket.on('error', () => {});
      socket.on('message', (data: Buffer) => this.take(JSON.parse(data.toString()) as Request));
      this.changed();
    });
  }

  static async start(port = 0): Promise<DeribitServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port });
    await once(server, 'listening');
    return new DeribitServer(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    for (const client of this.server.clients) client.terminate();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Cuts the connection without a word. */
  drop(): void {
    this.socket?.terminate();
  }

  raw(text: string | Uint8Array): void {
    this.socket?.send(text);
  }

  send(message: object): void {
    this.raw(JSON.stringify({ jsonrpc: '2.0', ...message }));
  }

  notify(channel: string, data: unknown): void {
    this.send({ method: 'subscription', params: { channel, data } });
  }

  count(method: string): number {
    return this.requests.filter((request) => request.method === method).length;
  }

  /** Resolves once a condition on what was asked holds. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  private changed(): void {
    for (const watcher of this.watchers) watcher();
  }

  private take(request: Request): void {
    this.requests.push(request);
    const { id } = request;
    const reaction = this.reactions.get(request.method)?.(request) ?? this.documented(request);
    if (reaction !== 'silence') {
      const answer = 'error' in reaction ? { error: reaction.error } : { result: reaction.result };
      const delay = 'afterMs' in reaction ? (reaction.afterMs ?? 0) : 0;
      if (delay > 0) setTimeout(() => this.send({ id, ...answer }), delay);
      else this.send({ id, ...answer });
    }
    this.changed();
  }

  private documented({ method, params }: Request): Reaction {
    switch (method) {
      case 'public/set_heartbeat':
        return { result: 'ok' };
      case 'public/test':
        return { result: { version: '1.2.26' } };
      case 'public/subscribe':
      case 'public/unsubscribe':
        return { result: params.channels };
      case 'public/get_book_summary_by_currency':
        return { result: this.summaries.get(params.currency as string) ?? [] };
      default:
        return { error: { code: -32601, message: 'Method not found' } };
    }
  }
}

/** 1 December 2025, 08:00 UTC. */
export const START = 1_764_576_000_000;

export function tickerOf(instrument_name: string, more: object = {}): object {
  return {
    instrument_name,
    timestamp: START,
    state: 'open',
    stats: { high: 91_000, low: 88_000, price_change: 0.5, volume: 100 },
    open_interest: 1000,
    best_bid_price: 89_990,
    best_bid_amount: 1000,
    best_ask_price: 90_010,
    best_ask_amount: 1000,
    last_price: 90_000,
    settlement_price: 89_500,
    index_price: 90_000,
    mark_price: 90_020,
    min_price: 88_000,
    max_price: 92_000,
    ...more,
  };
}

export function optionTicker(instrument_name: string, more: object = {}): object {
  return tickerOf(instrument_name, {
    best_bid_price: 0.03,
    best_ask_price: 0.032,
    mark_price: 0.031,
    mark_iv: 48.5,
    bid_iv: 48,
    ask_iv: 49,
    underlying_price: 91_000,
    underlying_index: 'BTC-27MAR26',
    interest_rate: 0,
    greeks: { delta: 0.5, gamma: 0.00001, vega: 150, theta: -40, rho: 80 },
    ...more,
  });
}

/** A row of the book summary. */
export function summaryOf(instrument_name: string, more: object = {}): object {
  return {
    instrument_name,
    base_currency: 'BTC',
    quote_currency: 'BTC',
    creation_timestamp: START,
    estimated_delivery_price: 90_000,
    mark_price: 90_020,
    bid_price: null,
    ask_price: null,
    mid_price: null,
    last: null,
    high: null,
    low: null,
    open_interest: 0,
    volume: 0,
    ...more,
  };
}
