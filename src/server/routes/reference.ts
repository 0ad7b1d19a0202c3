/** The OpenAPI document, made of the schemas that validate, and the pages that show it; all of it served from here. */
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { ICON } from '../../dashboard/icon.ts';
import { ENGINE } from '../../engine/fingerprint.ts';
import { openApiDocument } from '../schemas/openapi.ts';

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
        { name: 'operations', description: 'Health and metrics' },
      ],
    },
    transformObject: (document) =>
      'openapiObject' in document
        ? (openApiDocument({ ...document.openapiObject }) as typeof document.openapiObject)
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
