/** Why an account's requirement is what it is. */
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import {
  type ExplainDocument,
  ExplainParametersSchema,
  ExplanationSchema,
} from '../../engine/studies/explainSchema.ts';
import type { ServerContext } from '../context.ts';
import { AnyAccountSchema } from '../schemas/accounts.ts';
import { studyRoute } from './study.ts';

const parameters = ExplainParametersSchema.properties;

export function explainRoutes(app: FastifyInstance, context: ServerContext): void {
  studyRoute(app, context, {
    url: '/v1/explain',
    summary: 'Why an account’s requirement is what it is',
    description:
      'Components with their inputs, exact parts of ES by position, underlying, expiry and factor type, the worst scenarios; with `other` or `change`, what is different then.',
    asked: Type.Object({ other: Type.Optional(AnyAccountSchema), ...parameters }),
    checked: { other: Type.Optional(Type.Object({})), ...parameters },
    example: { worst: 5, change: { fills: [{ instrument: 'BTC-PERPETUAL', size: -5_000 }] } },
    answer: ExplanationSchema,
    long: false,
    run: (account, asked, signal) =>
      context.engine.explain(account, asked as ExplainDocument, { signal }),
  });
}
