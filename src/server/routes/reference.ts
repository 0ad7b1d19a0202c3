/** The OpenAPI document, made of the schemas that validate, and the pages that show it; all of it served from here. */
import { isDeepStrictEqual } from 'node:util';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { ICON } from '../../dashboard/icon.ts';
import { ENGINE } from '../../engine/fingerprint.ts';
import { ensure } from '../../errors.ts';

type Json = Record<string, unknown>;

/** Schemas with a title become components of that name, each written once. */
export function hoistTitled(document: Json): Json {
  const schemas: Json = {};
  const visit = (node: unknown): unknown => {
    if (Array.isArray(node)) return node.map(visit);
    if (node === null || typeof node !== 'object') return node;
    const copy = Object.fromEntries(
      Object.entries(node as Json).map(([key, value]) => [key, isData(key) ? value : visit(value)]),
    );
    const { title, type } = copy;
    if (typeof title !== 'string' || type !== 'object') return copy;
    const same = schemas[title] === undefined || isDeepStrictEqual(schemas[title], copy);
    ensure(same, `two schemas are called ${title}`);
    schemas[title] = copy;
    return { $ref: `#/components/schemas/${title}` };
  };
  const { components, ...rest } = document;
  const visited = visit(rest) as Json;
  return { ...visited, components: { ...(components as Json | undefined), schemas } };
}

/** Examples look like anything, schemas too. */
function isData(key: string): boolean {
  return key === 'example' || key === 'examples';
}

/** Before any route: it collects them as they come. */
export async function addReference(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Plimsoll',
        version: ENGINE.split('/')[1]!,
        description:
          'Continuous margining. Errors are application/problem+json (RFC 9457) with a stable code; every simulated figure carries its standard error and the hashes that reproduce it.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      tags: [
        { name: 'margin', description: 'Margin of accounts' },
        { name: 'risk', description: 'Risk measures on demand' },
        { name: 'market', description: 'What figures are computed on' },
        { name: 'operations', description: 'Health' },
      ],
    },
    transformObject: (document) =>
      'openapiObject' in document
        ? (hoistTitled(document.openapiObject as Json) as typeof document.openapiObject)
        : document.swaggerObject,
  });
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    // The page's own policy: its styles are set by script, its icons are data URLs, nothing comes from elsewhere.
    staticCSP:
      "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    uiConfig: { docExpansion: 'list', validatorUrl: null },
    theme: { title: 'Plimsoll: API' },
    logo: { type: 'image/svg+xml', content: Buffer.from(ICON), href: '/' },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async () => app.swagger());
}
