/** What an orchestrator asks: is the process alive, and should it be sent requests. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { ServerContext } from '../context.ts';
import { problems } from '../schemas/problem.ts';

const StatusSchema = (...states: string[]) =>
  Type.Object({ status: Type.Enum(states) }, { additionalProperties: false });

const tags = ['operations'];

export function healthRoutes(app: FastifyInstance, { readiness }: ServerContext): void {
  const live = {
    summary: 'The process answers',
    tags,
    response: { 200: StatusSchema('alive') },
  };
  app.get('/health/live', { schema: live }, async () => ({ status: 'alive' }));
  const ready = {
    summary: 'The service takes requests',
    description: '503 while the scenarios are drawn at the start, and while the service closes.',
    tags,
    response: { 200: StatusSchema('ready'), ...problems(503) },
  };
  app.get('/health/ready', { schema: ready }, async () => {
    readiness.require();
    return { status: 'ready' };
  });
}
