/** The HTTP service as an application that does not listen: `inject` it in tests, or start it with `startServer`. */
import helmet from '@fastify/helmet';
import underPressure from '@fastify/under-pressure';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import type { TSchema } from 'typebox';
import type { Desk } from '../book/desk/desk.ts';
import type { Engine } from '../engine/engine.ts';
import { PlimsollError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { type Reader, reader } from '../schema.ts';
import { SERVER_LIMITS, type ServerContext, type ServerLimits, serverContext } from './context.ts';
import { addMediaTypes } from './plugins/mediaTypes.ts';
import { addMetrics, ServerMetrics } from './plugins/metrics.ts';
import { addAnswerMarks, addProblems, onClientError, sendProblem } from './plugins/problems.ts';
import { addDraining } from './plugins/readiness.ts';
import { accountRoutes } from './routes/accounts.ts';
import { backtestRoutes } from './routes/backtest.ts';
import { batchRoutes } from './routes/batch.ts';
import { bookCommandRoutes } from './routes/bookCommands.ts';
import { compareRoutes } from './routes/compare.ts';
import { explainRoutes } from './routes/explain.ts';
import { factorRoutes } from './routes/factors.ts';
import { healthRoutes } from './routes/health.ts';
import { liquidationRoutes } from './routes/liquidation.ts';
import { marginRoutes } from './routes/margin.ts';
import { marketRoutes } from './routes/market.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { pageRoutes } from './routes/page.ts';
import { addReference } from './routes/reference.ts';
import { riskRoutes } from './routes/risk.ts';
import { streamRoutes } from './routes/stream.ts';
import { stressRoutes } from './routes/stress.ts';
import { tickRoutes } from './routes/ticks.ts';
import { timelineRoutes } from './routes/timeline.ts';
import { triggerRoutes } from './routes/triggers.ts';
import { whatIfRoutes } from './routes/whatIf.ts';
import { writeJson } from './writeJson.ts';

export interface AppOptions {
  /** Not closed with the application: whoever made it closes it. It may still be starting. */
  readonly engine: Engine;
  /** The book; without one its routes answer NO_STORE. Not closed with the application. */
  readonly desk?: Desk | undefined;
  /** A pino logger; true for one on stdout; default none. */
  readonly logger?: boolean | FastifyBaseLogger | undefined;
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<ServerLimits> | undefined;
}

/**
 * Builds the application.
 * @returns it ready for `inject` and `listen`; `close()` drains: requests under way are answered, new ones are refused with 503
 */
export async function buildApp({
  engine,
  desk,
  logger,
  limits,
}: AppOptions): Promise<FastifyInstance> {
  const bounds = { ...SERVER_LIMITS, ...limits };
  const app = newFastify(bounds, logger);
  const context = serverContext(engine, bounds, new ServerMetrics(), desk);
  app.setValidatorCompiler(({ schema, httpPart }) => {
    // Bodies are streams here; the handlers read them with the readers of the layers below.
    if (httpPart === 'body') return () => true;
    return validator(reader(schema as TSchema), httpPart === 'querystring' ? 'query' : httpPart);
  });
  app.setSerializerCompiler(() => writeJson);
  app.setReplySerializer(writeJson);
  addProblems(app);
  addMetrics(app, context.metrics);
  addDraining(app, context.readiness);
  await addGuards(app, context);
  addMediaTypes(app);
  addQueryCheck(app);
  addAnswerMarks(app);
  await addReference(app);
  healthRoutes(app, context);
  metricsRoutes(app, context);
  marginRoutes(app, context);
  batchRoutes(app, context);
  riskRoutes(app, context);
  whatIfRoutes(app, context);
  compareRoutes(app, context);
  timelineRoutes(app, context);
  stressRoutes(app, context);
  explainRoutes(app, context);
  liquidationRoutes(app, context);
  triggerRoutes(app, context);
  backtestRoutes(app, context);
  marketRoutes(app, context);
  tickRoutes(app, context);
  factorRoutes(app, context);
  accountRoutes(app, context);
  bookCommandRoutes(app, context);
  streamRoutes(app, context);
  modelRoutes(app, context);
  pageRoutes(app);
  await app.ready();
  return app;
}

function newFastify(
  bounds: ServerLimits,
  logger: boolean | FastifyBaseLogger = false,
): FastifyInstance {
  const log =
    typeof logger === 'object'
      ? { loggerInstance: logger }
      : logger && { logger: { redact: ['req.headers.authorization', 'req.headers.cookie'] } };
  return Fastify({
    ...log,
    // Thousands of requests a second would be as many lines: the metrics have them, the log has what failed.
    logController: new LogController({ disableRequestLogging: true }),
    connectionTimeout: bounds.idleMs,
    // Node's clock for a whole request counts streamed batches too; bodies read whole have their own, shorter one.
    requestTimeout: bounds.uploadMs,
    keepAliveTimeout: bounds.keepAliveMs,
    maxRequestsPerSocket: bounds.socketRequests,
    bodyLimit: bounds.jsonBytes,
    // Ids stand in paths, where a character may take nine.
    routerOptions: { maxParamLength: 9 * LIMITS.idLengthMax },
    http: {
      headersTimeout: bounds.headersMs,
      connectionsCheckingInterval: bounds.checkMs,
      // Checked by a hook instead, which answers with a problem.
      requireHostHeader: false,
    },
    // Draining answers for itself, with a problem.
    return503OnClosing: false,
    // A proxy's headers are believed only by whoever names the proxy.
    trustProxy: false,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
    clientErrorHandler: onClientError,
  }) as unknown as FastifyInstance;
}

function validator(read: Reader<unknown>, prefix: string | undefined) {
  return (value: unknown) => {
    try {
      return { value: read(value, prefix === undefined ? {} : { prefix }) };
    } catch (error) {
      return { error: error as Error };
    }
  };
}

/** How often the lag of the event loop is taken. */
const LAG_SAMPLED_MS = 1_000;

/** Headers that keep browsers safe, and refusal under pressure. */
async function addGuards(app: FastifyInstance, { limits }: ServerContext): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:'],
        'connect-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
      },
    },
    // Transport security is the proxy's to promise: this service speaks plain HTTP.
    strictTransportSecurity: false,
  });
  await app.register(underPressure, {
    maxEventLoopDelay: limits.loopDelayMs,
    sampleInterval: LAG_SAMPLED_MS,
    // Whoever watches the service must be able to see that it is slow.
    pressureHandler: (request, _reply, _type, value) => {
      // Without a single sample in an interval the figure is infinite: the lag was as long as that, and more is not known.
      const lag = Number.isFinite(value) ? value! : LAG_SAMPLED_MS;
      if (!request.url.startsWith('/v1/') || lag < limits.loopDelayMs) return;
      throw new PlimsollError(
        'SATURATED',
        `the event loop lags by ${Math.round(lag)} ms, ${limits.loopDelayMs} ms at most`,
      );
    },
  });
}

/** A query that a route does not read is a mistake of the caller: refused, as an unknown field of a body is. */
function addQueryCheck(app: FastifyInstance): void {
  app.addHook('onRequest', async (request) => {
    const { url, schema } = request.routeOptions;
    if (url === undefined || !url.startsWith('/v1/') || schema?.querystring !== undefined) return;
    const [name] = Object.keys(request.query as Record<string, unknown>);
    if (name === undefined) return;
    throw new PlimsollError('UNKNOWN_FIELD', `query.${name} is not a parameter of ${url}`, {
      path: `query.${name}`,
    });
  });
}
