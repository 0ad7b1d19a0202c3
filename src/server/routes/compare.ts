/** Margin modes and methodologies side by side. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { ComparisonSchema } from '../../engine/comparison.ts';
import { type CompareRequest, CompareRequestSchema } from '../../engine/studies/compareSchema.ts';
import { LIMITS } from '../../limits.ts';
import type { ServerContext } from '../context.ts';
import { studyRoute } from './study.ts';

const methodologies = Type.Optional(
  Type.Array(Type.Unknown(), { maxItems: LIMITS.comparedMethodologiesMax }),
);

export function compareRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/compare',
    summary: 'One account in each margin mode, and under other methodologies',
    description:
      'Portfolio, cross and isolated margin with their components, what switching would mean, and capital efficiency; the same under each methodology that is named, on scenarios drawn for it.',
    asked: CompareRequestSchema,
    checked: { methodologies },
    example: { methodologies: ['market-risk'] },
    answer: ComparisonSchema,
    long: true,
    run: (account, asked, signal) =>
      context.engine.compare(account, asked as CompareRequest, { signal }),
  });
}
