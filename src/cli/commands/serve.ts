/** `plimsoll serve`: the HTTP service. It runs until it is told to stop, then answers what it has accepted and ends with 0. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { PlimsollError } from '../../errors.ts';
import type { MethodologyInput } from '../../margin/methodology.ts';
import { demoMarket } from '../../market/demoMarket.ts';
import { startServer } from '../../server/server.ts';
import { type BookOptions, checkBook, type OpenBook, openBook } from '../bookOfServe.ts';
import { EXIT } from '../exitCodes.ts';
import { inputsOf, readMethod, refuseSharedInput } from '../inputs.ts';
import { readSources, type Sources, startEngine } from '../openEngine.ts';
import type { ModelOptions, ScenarioOptions } from '../options.ts';
import { count } from '../output/figures.ts';
import type { CommonOptions, Terminal } from '../terminal.ts';

export interface ServeOptions extends ModelOptions, ScenarioOptions, CommonOptions, BookOptions {
  readonly demo?: boolean;
  readonly host: string;
  readonly port: number;
  readonly model?: string;
}

export async function runServe(options: ServeOptions, terminal: Terminal): Promise<number> {
  const { host, port, workers } = options;
  const { store, accounts, staleAfter, callMinutes } = options;
  checkBook({ store, accounts, staleAfter, callMinutes } as BookOptions);
  if (port > 65_535) {
    throw new PlimsollError('USAGE', `--port must be at most 65535, got ${port}`, { path: 'port' });
  }
  refuseSharedInput([...inputsOf(options), ...(accounts === undefined ? [] : [accounts])]);
  const stop = new Stop();
  terminal.lifetime.drainWith(() => stop.ask());
  await tryToListen(host, port);
  const methodology = await readMethod(options);
  const sources = await sourcesOf(options, methodology, terminal);
  const engine = await startEngine(sources, methodology, workers, terminal);
  terminal.progress.stop();
  let book: OpenBook | null = null;
  try {
    book = await openBook(options, engine, terminal);
    const server = await startServer({ engine, desk: book?.desk, host, port });
    stop.accepting = true;
    await announce(server.address, sources, terminal);
    await stop.asked;
    terminal.note('stopping: answering what was accepted');
    await server.close();
  } catch (error) {
    throw asListening(error, host, port);
  } finally {
    await book?.close();
    await engine.close();
  }
  return EXIT.ok;
}

/** The wish to stop. Before anything was accepted there is nothing to wait for. */
class Stop {
  accepting = false;
  readonly asked: Promise<void>;
  private resolve: () => void = () => {};

  constructor() {
    this.asked = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  ask(): void {
    if (!this.accepting) process.exit(EXIT.ok);
    this.resolve();
  }
}

async function sourcesOf(
  options: ServeOptions,
  methodology: MethodologyInput,
  terminal: Terminal,
): Promise<Sources> {
  if (options.demo !== true) return readSources(options, methodology, terminal);
  if (options.market !== undefined || options.factors !== undefined) {
    throw new PlimsollError('USAGE', '--demo makes its own market and factors', { path: 'demo' });
  }
  return { ...demoMarket(), history: null };
}

/** Listens for a moment: what stands in the way should be known before the engine has drawn its scenarios. */
async function tryToListen(host: string, port: number): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host, port });
    await once(probe, 'listening');
  } catch (error) {
    throw asListening(error, host, port);
  }
  probe.close();
  await once(probe, 'close');
}

/** Which option is to blame where a name does not resolve, an address is not of this machine, a port is taken or reserved. */
const AT_FAULT: { readonly [code: string]: 'host' | 'port' } = {
  ENOTFOUND: 'host',
  EAI_AGAIN: 'host',
  EADDRNOTAVAIL: 'host',
  EAFNOSUPPORT: 'host',
  EADDRINUSE: 'port',
  EACCES: 'port',
};

/** A port that is taken or an address that is not ours is a wrong call, not a fault. */
function asListening(error: unknown, host: string, port: number): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  const path = code === undefined ? undefined : AT_FAULT[code];
  if (path === undefined) return error;
  return new PlimsollError('USAGE', `cannot listen on ${host}:${port}: ${message}`, { path });
}

async function announce(address: string, { market }: Sources, terminal: Terminal): Promise<void> {
  if (terminal.json) return terminal.document({ address, docs: `${address}/docs` });
  const { underlyings, instruments } = market;
  const account = { id: 'me', collateral: [{ asset: market.currency, amount: 100_000 }] };
  const held = instruments.find(({ type }) => type === 'perpetual') ?? instruments[0];
  // An inverse contract is a dollar's worth.
  const size = held?.settlement === 'inverse' ? 10_000 : 1;
  const positions = held === undefined ? [] : [{ instrument: held.id, size }];
  await terminal.write(`Plimsoll listens on ${address}
  market     ${count(underlyings.length)} underlyings, ${count(instruments.length)} instruments, as of ${market.asOf}
  reference  ${address}/docs
  Ctrl-C     ends it once it has answered what it accepted

Try:
  curl -s ${address}/v1/margin -H 'content-type: application/json' \\
    -d '${JSON.stringify({ ...account, positions }).replaceAll("'", "'\\''")}'
`);
}
