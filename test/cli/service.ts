/** The real `plimsoll serve` on a free port, and a client with connections of its own. */
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Ended, type Started, start } from './command.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly seq: number; readonly code?: string };
}

/** Keeps its connections, so that nothing but the service's own work is between two requests. */
export class Client {
  private readonly address: string;
  private readonly agent: Agent;

  constructor(address: string, connections = 1) {
    this.address = address;
    this.agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  /**
   * A request with a JSON body, or none; sent again a little later where the service says that it has too much to do.
   * @throws the socket's error where the service goes away
   */
  async send(method: string, path: string, body?: unknown, headers: object = {}): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(method, path, body, headers);
      if (answer.body.code !== 'SATURATED') return answer;
      await sleep(LATER_MS);
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private async ask(method: string, path: string, body: unknown, headers: object) {
    const text = body === undefined ? '' : JSON.stringify(body);
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const length = { 'content-length': Buffer.byteLength(text) };
    const asked = request(`${this.address}${path}`, {
      method,
      agent: this.agent,
      headers: { ...type, ...length, ...headers },
    });
    asked.end(text);
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of answer) pieces.push(piece as Buffer);
    const value = JSON.parse(Buffer.concat(pieces).toString()) as Answer['body'];
    return { status: answer.statusCode!, body: value };
  }
}

const LATER_MS = 20;

export interface Served {
  readonly run: Started;
  readonly address: string;
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<Ended>;
}

export async function announced(run: Started): Promise<Served> {
  const text = await run.saw('stdout', /\}\n$/);
  const { address } = JSON.parse(text) as { address?: string };
  if (address === undefined) throw new Error(text);
  return {
    run,
    address,
    stop: (signal) => {
      run.child.kill(signal);
      return run.ended;
    },
  };
}

/** Resolves when it listens. @param flags of Node */
export const serve = (args: readonly string[], flags: readonly string[] = []): Promise<Served> =>
  announced(start(['serve', ...args, '--port', '0', '--json', '-q'], flags));
