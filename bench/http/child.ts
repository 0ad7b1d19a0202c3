/** The server in a process of its own: its memory is its own, and the load on it comes through a socket. It ends with its parent. */
import { createEngine, type Engine } from '../../src/engine/engine.ts';
import { demoMarket } from '../../src/market/demoMarket.ts';
import { startServer } from '../../src/server/server.ts';
import { type AccountSource, accountSource, TRANSPORT } from './accountStreams.ts';
import type { Question, Reply, ServedExchange } from './protocol.ts';

let served: { readonly engine: Engine; readonly accounts: () => AccountSource } | undefined;

async function start({ scenarios, positions }: ServedExchange): Promise<Reply> {
  const { market, factors } = demoMarket();
  const engine = await createEngine({
    market,
    factors,
    methodology: { preset: 'market-risk', scenarios },
  });
  const server = await startServer({ engine, port: 0 });
  // Made when first asked for: they are no part of a server's memory.
  let source: AccountSource | undefined;
  const accounts = (): AccountSource => {
    source ??= accountSource(market, positions);
    return source;
  };
  served = { engine, accounts };
  return { address: server.address };
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
  }
}

process.on('message', (question: Question) => {
  answer(question).then(
    (reply) => process.send!(reply),
    (error: unknown) => {
      process.send!({
        failed: error instanceof Error ? (error.stack ?? error.message) : `${error}`,
      });
    },
  );
});
process.once('disconnect', () => process.exit(0));
