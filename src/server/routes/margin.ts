/** Margin of one account. */
import type { FastifyInstance } from 'fastify';
import { PlimsollError } from '../../errors.ts';
import { MarginResultSchema } from '../../margin/result.ts';
import type { ServerContext } from '../context.ts';
import { withBody } from '../plugins/bodies.ts';
import { AnyAccountSchema, EXAMPLE_ACCOUNT, EXAMPLE_COLUMNS } from '../schemas/accounts.ts';
import { problems } from '../schemas/problem.ts';

const schema = {
  summary: 'Margin of one account',
  description:
    'One account in, its margin result out. A rejected account is a problem with the path of the field at fault. Concurrent calls are gathered into one task; the figures are those of a batch, bit for bit.',
  tags: ['margin'],
  body: {
    content: {
      'application/json': {
        schema: { ...AnyAccountSchema, examples: [EXAMPLE_ACCOUNT, EXAMPLE_COLUMNS] },
      },
    },
  },
  response: { 200: MarginResultSchema, ...problems(400, 408, 413, 415, 422, 503) },
};

export function marginRoutes(app: FastifyInstance, context: ServerContext): void {
  const { engine, limits, metrics } = context;
  app.post('/v1/margin', { schema, config: { accepts: ['json'] } }, (request) =>
    // The bytes go to a worker as they are: a large account parsed here would hold up everybody.
    withBody(request, limits.accountBytes, context, async (bytes) => {
      const outcome = await engine.marginDocument(bytes);
      metrics.accounts.inc({ route: '/v1/margin' });
      if (!('error' in outcome)) return outcome;
      const { code, message, path } = outcome.error;
      metrics.rejected.inc({ code });
      throw new PlimsollError(code, message, { path, account: outcome.account ?? undefined });
    }),
  );
}
