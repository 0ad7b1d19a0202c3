/** The factor model that scenarios are drawn from. */
import type { FastifyInstance } from 'fastify';
import Type, { type Static } from 'typebox';
import { ruleOf } from '../../book/desk/volatilities.ts';
import { decodeText, hashOf, parseJson } from '../../json.ts';
import { formatInstant } from '../../market/dates.ts';
import { type FactorModel, FactorModelSchema } from '../../market/factorModel.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withBody } from '../plugins/bodies.ts';
import { problems } from '../schemas/problem.ts';

const nullable = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

const FactorsInfoSchema = Type.Object(
  {
    scenarioSet: Type.String({ description: 'Identity of the scenarios drawn from it; sha256:…' }),
    hash: nullable('Of the RFC 8785 JSON of `model`; sha256:…'),
    estimate: Type.Enum(['fixed', 'dynamic'], {
      description: 'Whether volatilities follow the ticks: `volatilities` of the methodology.',
    }),
    nextInstant: nullable('When dynamic ones change next, by the time of the market.'),
    model: Type.Union([FactorModelSchema, Type.Null()], {
      description: 'Null where scenarios come from a history alone.',
    }),
  },
  { additionalProperties: false, title: 'FactorsInfo' },
);

type FactorsInfo = Static<typeof FactorsInfoSchema>;

const EXAMPLE: FactorModel = {
  asOf: '2025-12-30T00:00:00Z',
  periodsPerYear: 365,
  factors: [
    { id: 'BTC:spot', volatility: 0.52 },
    { id: 'BTC:vol', volatility: 0.9 },
  ],
  correlation: [
    [1, -0.4],
    [-0.4, 1],
  ],
  degreesOfFreedom: 4,
};

const tags = ['market'];
const getFactors = {
  summary: 'The factor model in force',
  tags,
  response: { 200: FactorsInfoSchema, ...problems(503) },
};
const putFactors = {
  summary: 'A new factor model',
  description:
    'Answers when its scenarios are drawn and all instruments revalued, and in a book when it is durable. Until then figures come from the old scenario set; each is of one set, whose id it cites. One update at a time: another one, or a new market, meanwhile is 503.',
  tags,
  body: {
    content: { 'application/json': { schema: { ...FactorModelSchema, examples: [EXAMPLE] } } },
  },
  response: { 200: FactorsInfoSchema, ...problems(400, 408, 413, 415, 422, 503) },
};

export function factorRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine, limits, markets, desk } = context;
  const info = () => factorsInfo(context);
  app.get('/v1/factors', { schema: getFactors }, info);

  const config: { accepts: 'json'[] } = { accepts: ['json'] };
  app.put('/v1/factors', { schema: putFactors, config }, (request, reply) =>
    withBody(request, limits.marketBytes, context, async (bytes) => {
      // As with a snapshot: two are not built at once.
      const leave = await markets.enter(hangUpSignal(reply));
      try {
        const model = parseJson(decodeText(bytes)) as FactorModel;
        if (desk === null) await engine.updateFactors(model);
        else await desk.replaceFactors(model, 'http');
        return await info();
      } finally {
        leave();
      }
    }),
  );
}

async function factorsInfo({ engine, desk }: ServerContext): Promise<FactorsInfo> {
  const { scenarioSet, parameters } = await engine.info();
  const model = await engine.factorModel();
  const rule = ruleOf(parameters);
  const hour = desk?.journal.market.asOf() ?? null;
  // An instant is over when the market's time has reached it.
  const next = rule === null || hour === null ? null : rule.instants.from(Date.parse(hour) + 1);
  return {
    scenarioSet,
    hash: model === null ? null : hashOf(model),
    estimate: parameters.volatilities.estimate,
    nextInstant: next === null ? null : formatInstant(next),
    model,
  };
}
