/** Liquidation prices and plans, and hedges. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { HedgesRequestSchema, HedgesSchema } from '../../engine/studies/hedgesSchema.ts';
import { LiquidationRequestSchema, LiquidationSchema } from '../../engine/studies/liquidation.ts';
import { PlimsollError } from '../../errors.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { AnyAccountSchema, EXAMPLE_ACCOUNT } from '../schemas/accounts.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
/** The account's own reader says better what is wrong in it. */
const body = <P extends Parameters<typeof Type.Object>[0]>(parameters: P) => ({
  documented: Type.Object({ account: AnyAccountSchema, ...parameters }, closed),
  read: reader(Type.Object({ account: Type.Object({}), ...parameters }, closed)),
});

const liquidationBody = body(LiquidationRequestSchema.properties);
const hedgesBody = body(HedgesRequestSchema.properties);
const answers = problems(400, 408, 413, 415, 422, 503);
const json = (schema: object, example: object) => ({
  content: { 'application/json': { schema: { ...schema, examples: [example] } } },
});

const liquidationSchema = {
  summary: 'Liquidation prices of one account, and how its liquidation would go',
  description:
    'The nearest price of each underlying, below and above, at which equity meets the maintenance requirement, both computed anew at each price. With `plan`: orders cancelled, positions closed and hedged up to the release level; insurance fund; deleveraging.',
  tags: ['risk'],
  body: json(liquidationBody.documented, {
    account: EXAMPLE_ACCOUNT,
    plan: { fund: 100_000 },
  }),
  response: { 200: LiquidationSchema, ...answers },
};

const hedgesSchema = {
  summary: 'Trades that free most margin per unit of cost',
  description:
    'Perpetuals, futures and options of the account’s underlyings, each trade at the size where margin freed less cost is greatest; margin before and after.',
  tags: ['risk'],
  body: json(hedgesBody.documented, { account: EXAMPLE_ACCOUNT, count: 2 }),
  response: { 200: HedgesSchema, ...answers },
};

export function liquidationRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine, limits, reports } = context;
  const accepts: { accepts: 'json'[] } = { accepts: ['json'] };
  app.post('/v1/liquidation', { schema: liquidationSchema, config: accepts }, (request, reply) =>
    withJson(request, limits.jsonBytes, context, async (value) => {
      const { account, ...asked } = liquidationBody.read(value);
      const signal = hangUpSignal(reply);
      const leave = await reports.enter(signal);
      try {
        return await engine.liquidation(account, asked, { signal });
      } catch (error) {
        throw inBody(error);
      } finally {
        leave();
      }
    }),
  );
  app.post('/v1/hedges', { schema: hedgesSchema, config: accepts }, (request, reply) =>
    withJson(request, limits.jsonBytes, context, async (value) => {
      const { account, ...asked } = hedgesBody.read(value);
      const signal = hangUpSignal(reply);
      const leave = await reports.enter(signal);
      try {
        return await engine.hedges(account, asked, { signal });
      } catch (error) {
        throw inBody(error);
      } finally {
        leave();
      }
    }),
  );
}

/** A path within the account becomes one within the body; that of a counterparty or an instrument asked for is one already. */
function inBody(error: unknown): unknown {
  if (!(error instanceof PlimsollError)) return error;
  const { code, message, path, account } = error;
  if (path?.startsWith('counterparties') === true) {
    return new PlimsollError(code, message, { path: `plan.${path}` });
  }
  if (path === undefined || path.startsWith('instruments[')) return error;
  return new PlimsollError(code, message, { path: `account.${path}`, account });
}
