/** One WebSocket connection that speaks the exchange's JSON-RPC: requests and their answers, notifications, heartbeats. It ends, and is not mended. */
import WebSocket from 'ws';
import { asPlimsollError, PlimsollError } from '../../errors.ts';
import { decodeText, parseJson } from '../../json.ts';
import { LIMITS } from '../../limits.ts';
import { readFrame } from './messages.ts';

export interface SessionLimits {
  /** To connect. */
  readonly connectMs: number;
  /** For the answer to a request. */
  readonly requestMs: number;
  /** Without any message the connection is taken to be dead. */
  readonly silenceMs: number;
}

export interface SessionHandlers {
  notification(channel: string, data: unknown): void;
  /** A frame that is no message. */
  malformed(message: string): void;
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: PlimsollError) => void;
  readonly timer: NodeJS.Timeout;
}

export class DeribitSession {
  /** Resolves with why it ended; never rejects. */
  readonly ended: Promise<string>;
  private readonly socket: WebSocket;
  private readonly limits: SessionLimits;
  private readonly handlers: SessionHandlers;
  private readonly waiting = new Map<number, Waiting>();
  private nextId = 1;
  private why: string | null = null;
  private silence: NodeJS.Timeout | undefined;

  private constructor(socket: WebSocket, limits: SessionLimits, handlers: SessionHandlers) {
    this.socket = socket;
    this.limits = limits;
    this.handlers = handlers;
    this.ended = new Promise((resolve) => {
      socket.once('close', (code) => {
        clearTimeout(this.silence);
        this.why ??= `the connection was closed (${code})`;
        this.failAll(this.why);
        resolve(this.why);
      });
    });
    socket.on('error', (error) => {
      this.why ??= error.message;
    });
    socket.on('message', (data: Buffer, binary) => this.receive(data, binary));
  }

  /** @throws FEED_FAILED where the connection does not come about in time */
  static async open(
    url: string,
    limits: SessionLimits,
    handlers: SessionHandlers,
    signal: AbortSignal,
  ): Promise<DeribitSession> {
    let socket: WebSocket;
    try {
      const options = { handshakeTimeout: limits.connectMs, maxPayload: LIMITS.feedLineBytesMax };
      socket = new WebSocket(url, options);
    } catch (error) {
      throw new PlimsollError('USAGE', `${url} is no address: ${(error as Error).message}`, {
        path: 'url',
      });
    }
    const session = new DeribitSession(socket, limits, handlers);
    const abort = (): void => session.end('aborted');
    signal.addEventListener('abort', abort);
    void session.ended.then(() => signal.removeEventListener('abort', abort));
    if (signal.aborted) abort();
    const opened = new Promise<null>((resolve) => socket.once('open', () => resolve(null)));
    const failure = await Promise.race([opened, session.ended]);
    if (failure !== null) throw new PlimsollError('FEED_FAILED', `${url}: ${failure}`);
    session.heard();
    return session;
  }

  /** @throws FEED_FAILED for an error as answer, none in time, or the end of the session */
  request(method: string, params: object): Promise<unknown> {
    const id = this.nextId++;
    return new Promise((resolve, reject) => {
      if (this.why !== null) return reject(new PlimsollError('FEED_FAILED', this.why));
      const timer = setTimeout(
        () => this.end(`no answer to ${method} in ${this.limits.requestMs} ms`),
        this.limits.requestMs,
      );
      this.waiting.set(id, { resolve, reject, timer });
      this.socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
    });
  }

  /** Cuts the connection at once. */
  end(why: string): void {
    this.why ??= why;
    this.socket.terminate();
  }

  private heard(): void {
    clearTimeout(this.silence);
    const { silenceMs } = this.limits;
    this.silence = setTimeout(() => this.end(`nothing was heard for ${silenceMs} ms`), silenceMs);
  }

  private receive(data: Buffer, binary: boolean): void {
    if (this.why !== null) return;
    this.heard();
    try {
      if (binary) throw new PlimsollError('MALFORMED_JSON', 'the frame is binary');
      this.take(readFrame(parseJson(decodeText(data))));
    } catch (error) {
      this.handlers.malformed(asPlimsollError(error).message);
    }
  }

  private take(frame: ReturnType<typeof readFrame>): void {
    const { id, method, params, result, error } = frame;
    if (method === 'subscription' && params?.channel !== undefined) {
      this.handlers.notification(params.channel, params.data);
    } else if (method === 'heartbeat') {
      // The exchange closes a connection whose client does not answer.
      if (params?.type === 'test_request') this.request('public/test', {}).catch(() => {});
    } else if (method === undefined && id !== undefined) {
      this.answer(id, result, error);
    } else if (error !== undefined) {
      this.end(`the exchange says ${error.message} (${error.code})`);
    } else {
      this.handlers.malformed(`a message that is neither notification nor answer: ${method}`);
    }
  }

  private answer(
    id: number,
    result: unknown,
    error: { readonly code: number; readonly message: string } | undefined,
  ): void {
    const waiting = this.waiting.get(id);
    if (waiting === undefined) {
      this.handlers.malformed(`an answer to a request ${id} that was not made`);
      return;
    }
    this.waiting.delete(id);
    clearTimeout(waiting.timer);
    if (error === undefined) waiting.resolve(result);
    else {
      const message = `the exchange says ${error.message} (${error.code})`;
      waiting.reject(new PlimsollError('FEED_FAILED', message, { path: 'answer' }));
    }
  }

  private failAll(why: string): void {
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(new PlimsollError('FEED_FAILED', why));
    }
    this.waiting.clear();
  }
}
