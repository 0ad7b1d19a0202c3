/** The one shape of every answer that is not a success. */
import Type, { type Static } from 'typebox';
import { ERROR_CODES, type ErrorCode } from '../../errors.ts';

export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'urn:plimsoll:problem: and the code in lower case.' }),
    title: Type.String({ description: 'What the code means.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What is wrong here, with value and limit; for people.' }),
    code: Type.Enum(Object.keys(ERROR_CODES) as ErrorCode[], {
      description: 'Stable: what programs match on.',
    }),
    path: Type.Optional(Type.String({ description: 'The field at fault: positions[3].size.' })),
    account: Type.Optional(Type.String({ description: 'Id of the account at fault.' })),
  },
  {
    additionalProperties: false,
    title: 'Problem',
    description: 'RFC 9457.',
    examples: [
      {
        type: 'urn:plimsoll:problem:unknown-instrument',
        title: 'The position names an instrument that the market does not hold.',
        status: 422,
        detail: 'positions[0].instrument "BTC-PERP" is not an instrument of the market',
        code: 'UNKNOWN_INSTRUMENT',
        path: 'positions[0].instrument',
        account: 'acct-1',
      },
    ],
  },
);

export type Problem = Static<typeof ProblemSchema>;

const content = { 'application/problem+json': { schema: ProblemSchema } };

const STATUS_TEXTS = {
  400: 'Malformed.',
  404: 'Nothing under this name.',
  408: 'The body came too slowly.',
  413: 'Too large.',
  415: 'A content type that the route does not read.',
  422: 'Well-formed but wrong: `code` and `path` say what and where.',
  503: 'Saturated, starting or closing: try again after `Retry-After` seconds.',
} as const;

/** Responses of a route, by status, for its schema. */
export function problems(
  ...statuses: (keyof typeof STATUS_TEXTS)[]
): Record<number, { description: string; content: typeof content }> {
  return Object.fromEntries(
    statuses.map((status) => [status, { description: STATUS_TEXTS[status], content }]),
  );
}
