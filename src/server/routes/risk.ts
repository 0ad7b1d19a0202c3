/** VaR and ES of one portfolio on demand. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { RiskReportSchema, RiskRequestSchema } from '../../engine/riskReport.ts';
import { PlimsollError } from '../../errors.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { AnyAccountSchema, EXAMPLE_ACCOUNT } from '../schemas/accounts.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
const parameters = RiskRequestSchema.properties;
const DocumentedSchema = Type.Object({ account: AnyAccountSchema, ...parameters }, closed);
/** The account's own reader says better what is wrong in it. */
const readBody = reader(Type.Object({ account: Type.Object({}), ...parameters }, closed));

const schema = {
  summary: 'VaR and ES of one portfolio',
  description:
    'On a scenario set of the caller’s choice; what is left out is as in the methodology. The work stops when the caller hangs up.',
  tags: ['risk'],
  body: {
    content: {
      'application/json': {
        schema: {
          ...DocumentedSchema,
          examples: [
            { account: EXAMPLE_ACCOUNT, confidence: 0.975, horizonDays: 10, scenarios: 50_000 },
          ],
        },
      },
    },
  },
  response: { 200: RiskReportSchema, ...problems(400, 408, 413, 415, 422, 503) },
};

export function riskRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine, limits, reports } = context;
  app.post('/v1/var', { schema, config: { accepts: ['json'] } }, (request, reply) =>
    withJson(request, limits.jsonBytes, context, async (value) => {
      const { account, ...asked } = readBody(value);
      const signal = hangUpSignal(reply);
      const leave = await reports.enter(signal);
      try {
        return await engine.valueAtRisk(account, { ...asked, signal });
      } catch (error) {
        throw inBody(error);
      } finally {
        leave();
      }
    }),
  );
}

/** A path within the account becomes one within the body. */
function inBody(error: unknown): unknown {
  if (!(error instanceof PlimsollError) || error.account === undefined) return error;
  const { code, message, path, account } = error;
  return new PlimsollError(code, message, {
    path: path === undefined ? 'account' : `account.${path}`,
    account,
  });
}
