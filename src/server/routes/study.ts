/** What routes that ask a question about one account have in common: `{ "account": …, …what is asked }` in, an answer out. */
import type { FastifyInstance, FastifySchema } from 'fastify';
import Type, { type TObject, type TProperties } from 'typebox';
import type { Keyed } from '../../book/desk/desk.ts';
import { PlimsollError } from '../../errors.ts';
import { AccountSchema, ColumnarAccountSchema } from '../../margin/account.ts';
import { reader } from '../../schema.ts';
import type { ServerContext } from '../context.ts';
import { hangUpSignal, withJson } from '../plugins/bodies.ts';
import { keyedBy } from '../plugins/idempotency.ts';
import { AnyAccountSchema, EXAMPLE_ACCOUNT } from '../schemas/accounts.ts';
import { problems } from '../schemas/problem.ts';

const closed = { additionalProperties: false } as const;
const bookedId = Type.String({ minLength: 1, description: 'Id of a booked account.' });

export interface StudyRoute {
  readonly url: string;
  readonly summary: string;
  readonly description: string;
  /** Fields beside the account, as the reference shows them. */
  readonly asked: TObject;
  /** The same as they are checked here, where their own reader says better what is wrong in them. */
  readonly checked?: TProperties;
  readonly example: Record<string, unknown>;
  readonly answer: FastifySchema['response'];
  /** Whether the account may be the id of a booked one: then `run` gets the text. */
  readonly booked?: boolean;
  /** Long ones take turns with risk reports. */
  readonly long: boolean;
  /** @returns the answer, or its JSON as a string */
  readonly run: (
    account: unknown,
    asked: Record<string, unknown>,
    signal: AbortSignal,
    /** Key and body, for what has an effect. */
    keyed: () => Keyed,
  ) => Promise<unknown>;
}

export function studyRoute(app: FastifyInstance, context: ServerContext, route: StudyRoute): void {
  const { limits, reports } = context;
  const { properties } = route.asked;
  const documented = Type.Object(
    {
      account: route.booked === true ? Type.Union([AnyAccountSchema, bookedId]) : AnyAccountSchema,
      ...properties,
    },
    closed,
  );
  const stated = Type.Object({});
  const read = reader(
    Type.Object(
      {
        account: route.booked === true ? Type.Union([stated, bookedId]) : stated,
        ...(route.checked ?? properties),
      },
      closed,
    ),
  );
  const schema = {
    summary: route.summary,
    description: route.description,
    tags: ['risk'],
    body: {
      content: {
        'application/json': {
          schema: { ...documented, examples: [{ account: EXAMPLE_ACCOUNT, ...route.example }] },
        },
      },
    },
    response: {
      200: route.answer,
      ...problems(400, 404, 408, 413, 415, 422, 503),
    },
  };
  app.post(route.url, { schema, config: { accepts: ['json'] } }, (request, reply) =>
    withJson(request, limits.jsonBytes, context, async (value) => {
      const { account, ...asked } = read(value) as { account: unknown };
      const signal = hangUpSignal(reply);
      const leave = route.long ? await reports.enter(signal) : () => {};
      try {
        const answer = await route.run(account, asked, signal, () => keyedBy(request, value));
        // A text is JSON already.
        if (typeof answer === 'string') reply.type('application/json; charset=utf-8');
        return answer;
      } catch (error) {
        throw typeof account === 'string' ? error : inBody(error, account, Object.keys(properties));
      } finally {
        leave();
      }
    }),
  );
}

const ACCOUNT_FIELDS = new Set([
  ...Object.keys(AccountSchema.properties),
  ...Object.keys(ColumnarAccountSchema.properties),
]);

/** A path within the account becomes one within the body; those in what is asked are already. */
function inBody(error: unknown, account: unknown, asked: readonly string[]): unknown {
  if (!(error instanceof PlimsollError)) return error;
  const { code, message, path } = error;
  const { id } = account as { readonly id?: unknown };
  const [field] = path?.split(/[.[]/) ?? [];
  const own =
    field !== undefined &&
    // What neither the account nor the question has was found in the account: the body's own reader would have refused it before.
    (ACCOUNT_FIELDS.has(field) || (code === 'UNKNOWN_FIELD' && !asked.includes(field)));
  if (!own || path === undefined) return error;
  return new PlimsollError(code, message, {
    path: `account.${path}`,
    account: typeof id === 'string' ? id : undefined,
  });
}
