/** The market that figures are computed on, and the methodology. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { type DemoAccount, demoAccounts } from '../../book/demoAccounts.ts';
import type { Engine } from '../../engine/engine.ts';
import { decodeText, hashOf, parseJson } from '../../json.ts';
import { AccountSchema } from '../../margin/account.ts';
import { MethodologySchema, PRESETS } from '../../margin/methodology.ts';
import { type MarketSnapshot, MarketSnapshotSchema } from '../../market/snapshot.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withBody } from '../plugins/bodies.ts';
import {
  EXAMPLE_MARKET,
  type MarketInfo,
  MarketInfoSchema,
  MethodologyInfoSchema,
} from '../schemas/market.ts';
import { problems } from '../schemas/problem.ts';

const EXAMPLES = 20;
const POSITIONS = 8;

const tags = ['market'];
const getMarket = {
  summary: 'The current market',
  tags,
  response: { 200: MarketInfoSchema, ...problems(503) },
};
const putMarket = {
  summary: 'A new market snapshot',
  description:
    'Answers when its scenarios are drawn and its instruments revalued. Until then figures come from the old market; none ever mixes both. One update at a time: another one meanwhile is 503.',
  tags,
  body: {
    content: {
      'application/json': { schema: { ...MarketSnapshotSchema, examples: [EXAMPLE_MARKET] } },
    },
  },
  response: { 200: MarketInfoSchema, ...problems(400, 408, 413, 415, 422, 503) },
};
const getMethodology = {
  summary: 'The methodology in force',
  tags,
  response: { 200: MethodologyInfoSchema, ...problems(503) },
};
const getExample = {
  summary: 'An example account on the current market',
  description: 'Made up, always the same for the same market and number.',
  tags,
  querystring: Type.Object(
    {
      number: Type.Optional(
        Type.String({
          pattern: '^([1-9]|1[0-9]|20)$',
          description: `Which one, 1 to ${EXAMPLES}. Default 1.`,
        }),
      ),
    },
    { additionalProperties: false },
  ),
  response: { 200: AccountSchema, ...problems(422, 503) },
};

export function marketRoutes(instance: FastifyInstance, context: ServerContext): void {
  const app = instance.withTypeProvider<TypeBoxTypeProvider>();
  const { engine, limits, markets } = context;
  app.get('/v1/market', { schema: getMarket }, () => marketInfo(engine));

  app.put('/v1/market', { schema: putMarket, config: { accepts: ['json'] } }, (request, reply) =>
    withBody(request, limits.marketBytes, context, async (bytes) => {
      // Only when the body is there: who dawdles with it must not keep the next snapshot out.
      const leave = await markets.enter(hangUpSignal(reply));
      try {
        // Read strictly by both. A book's market changes by its log.
        const snapshot = parseJson(decodeText(bytes)) as MarketSnapshot;
        if (context.desk === null) await engine.updateMarket(snapshot);
        else await context.desk.replaceMarket(snapshot, 'http');
        return await marketInfo(engine);
      } finally {
        leave();
      }
    }),
  );

  app.get('/v1/methodology', { schema: getMethodology }, async () => {
    const { methodology, parameters } = await engine.info();
    const reference = MethodologySchema as unknown as Record<string, unknown>;
    return { hash: methodology, parameters, presets: PRESETS, reference };
  });

  app.get('/v1/example', { schema: getExample }, async (request) => {
    const examples = examplesOf(await engine.market());
    return examples[Number(request.query.number ?? 1) - 1]!;
  });
}

/** Hashes and examples are made once a market: those of a large one take a while. */
const hashes = new WeakMap<MarketSnapshot, string>();
const examples = new WeakMap<MarketSnapshot, readonly DemoAccount[]>();

function once<T>(
  known: WeakMap<MarketSnapshot, T>,
  market: MarketSnapshot,
  make: (market: MarketSnapshot) => T,
): T {
  const before = known.get(market);
  if (before !== undefined) return before;
  const made = make(market);
  known.set(market, made);
  return made;
}

function examplesOf(snapshot: MarketSnapshot): readonly DemoAccount[] {
  return once(examples, snapshot, (market) => [
    ...demoAccounts({ market, count: EXAMPLES, positions: POSITIONS }),
  ]);
}

async function marketInfo(engine: Engine): Promise<MarketInfo> {
  const snapshot = await engine.market();
  const { market, ...info } = await engine.info();
  return {
    ...market,
    snapshot: once(hashes, snapshot, hashOf),
    scenarioSet: info.scenarioSet,
    scenarios: info.scenarios,
    clampedShocks: info.clampedShocks,
    methodology: info.methodology,
    engine: info.engine,
    workers: info.workers,
    memoryBytes: info.memoryBytes,
  };
}
