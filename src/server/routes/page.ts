/** The page: one document, its style and its script, from memory. */
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';
import { PAGE } from '../../dashboard/document.ts';
import { ICON } from '../../dashboard/icon.ts';
import { STYLE } from '../../dashboard/style.ts';

const hidden = { schema: { hide: true } };

/** The compiled script beside this module; from sources (in tests) the build's. */
function script(name: string): string {
  const here = import.meta.url;
  const folder = here.endsWith('.ts') ? '../../../dist/src/dashboard/' : '../../dashboard/';
  return readFileSync(new URL(`${folder}${name}`, here), 'utf8');
}

export function pageRoutes(app: FastifyInstance): void {
  const serve = (path: string, type: string, text: string): void => {
    app.get(path, hidden, async (_request, reply) =>
      reply.type(`${type}; charset=utf-8`).header('cache-control', 'no-cache').send(text),
    );
  };
  serve('/', 'text/html', PAGE);
  serve('/page/style.css', 'text/css', STYLE);
  serve('/page/icon.svg', 'image/svg+xml', ICON);
  for (const name of ['page.js', 'figures.js']) {
    serve(`/page/${name}`, 'text/javascript', script(name));
  }
}
