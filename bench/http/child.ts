/** The server in a process of its own: its memory is its own, and the load on it comes through a socket. It ends with its parent. */
import type { Desk } from '../../src/book/desk/desk.ts';
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { startServer } from '../../src/server/server.ts';
import { openSite } from '../suites/bookSite.ts';
import { type AccountSource, accountSource, TRANSPORT } from './accountStreams.ts';
import { answering } from './asking.ts';
import type { Question, Reply, ServedExchange } from './protocol.ts';

interface Served {
  readonly engine: Engine;
  readonly desk?: Desk;
  readonly accounts: () => AccountSource;
}

let served: Served | undefined;

async function start(exchange: ServedExchange): Promise<Reply> {
  const { positions } = exchange;
  const { engine, desk } = await opened(exchange);
  const server = await startServer({ engine, desk, port: 0 });
  // Made when first asked for: they are no part of a server's memory.
  let source: AccountSource | undefined;
  const accounts = (): AccountSource => {
    source ??= accountSource(demoMarket(exchange.book?.options.market).market, positions);
    return source;
  };
  served = { engine, accounts, ...(desk === undefined ? {} : { desk }) };
  return { address: server.address };
}

async function opened({
  scenarios,
  book,
}: ServedExchange): Promise<{ engine: Engine; desk?: Desk }> {
  if (book !== undefined) return openSite(book.path, book.options, book.made);
  const { market, factors } = demoMarket();
  const methodology = { preset: 'market-risk', scenarios } as const;
  return { engine: await createEngine({ market, factors, methodology }) };
}

async function own({ form, accounts }: Extract<Question, { ask: 'own' }>): Promise<Reply> {
  const { engine, accounts: source } = served!;
  let digest = '';
  const onSummary = (summary: { readonly digest: string }): void => {
    digest = summary.digest;
  };
  const stream = source().stream(form, accounts);
  const from = performance.now();
  for await (const _ of engine.marginStream(stream, TRANSPORT[form], { onSummary }));
  return { seconds: (performance.now() - from) / 1000, digest };
}

async function answer(question: Question): Promise<Reply> {
  switch (question.ask) {
    case 'start':
      return start(question.exchange);
    case 'own':
      return own(question);
    case 'peak':
      return { peakBytes: process.resourceUsage().maxRSS * 1024 };
    case 'quiet':
      await served!.desk!.quiet();
      return { quiet: true };
    case 'usage': {
      const { user, system } = process.cpuUsage();
      return { cpuSeconds: (user + system) / 1e6, records: served!.desk?.book.seq ?? 0 };
    }
  }
}

answering(answer);
