/** The REST API of OneFlow 6.10, over the fake OpenNebula. Mirrors `oneflow-server.rb`: its routes, statuses, headers and texts. */
import { type Context, Hono } from 'hono';
import type { Caller } from '../../one/access/user.ts';
import type { Cloud } from '../../one/cloud.ts';
import { crashBody, FlowCrash, FlowError } from '../../one/flow/flow-error.ts';
import { copyJson, isObject, type Json } from '../../one/flow/json.ts';
import { validateTemplate } from '../../one/flow/service-schema.ts';
import {
  cloneServiceTemplate,
  createServiceTemplate,
  deleteServiceTemplate,
  serviceTemplate,
  updateServiceTemplate,
} from '../../one/flow/service-template.ts';
import type { Refuse } from '../breakage.ts';
import { BodyTooLarge, type Edge, readBody, routePath } from '../edge.ts';
import { KnownPaths } from '../known-paths.ts';
import { ParserError } from '../ruby-json.ts';
import { actionOf } from './action.ts';
import { documentJson, poolJson } from './document-json.ts';
import { at, isTruthy, printJson, readJson, toInteger, toText } from './ruby-value.ts';
import { scheduled, serviceAction } from './service-action.ts';
import { templateAction } from './template-action.ts';

/** What the API needs of a world. */
export interface OneflowWorld {
  readonly cloud: Cloud;
  /** Largest body that is read. */
  readonly maxBodyBytes: number;
}

type Env = { Bindings: Edge; Variables: { caller: Caller; body: string } };

export function oneflowApi({ cloud, maxBodyBytes }: OneflowWorld): Hono<Env> {
  const { flow } = cloud;
  const app = new Hono<Env>({ getPath: routePath, router: new KnownPaths() });

  // Before any route, and also where there is none.
  app.use(async (c, next) => {
    c.set('caller', flow.authenticate(sessionOf(c.req.header('Authorization'))));
    c.set('body', new TextDecoder().decode(await readBody(c.req.raw, maxBodyBytes)));
    // Handlers wait for nothing more, so all they do is done on behalf of this request.
    await cloud.clock.because(c.env?.cause ?? 0, next);
  });

  app.get('/service', (c) => text(200, printJson(poolJson(cloud, flow.services(c.get('caller'))))));

  app.get('/service/:id', (c) => shown(200, documentJson(cloud, flow.info(c.get('caller'), idOf(c)))));

  app.delete('/service/:id', (c) => {
    flow.delete(c.get('caller'), idOf(c));
    return noContent();
  });

  app.put('/service/:id', (c) => {
    const { body, append } = updateOf(c.get('body'));
    flow.update(c.get('caller'), idOf(c), body, append);
    return noContent();
  });

  app.post('/service/:id/action', (c) => {
    serviceAction(flow, c.get('caller'), idOf(c), actionOf(c.get('body')));
    return noContent();
  });

  app.post('/service/:id/scale', (c) => {
    const body = parsed(c.get('body'));
    const force = at(body, 'force');
    const cardinality = toInteger(at(body, 'cardinality'));
    flow.scale(
      c.get('caller'),
      idOf(c),
      toText(at(body, 'role_name')),
      cardinality,
      force === undefined ? force : force === true,
    );
    return noContent();
  });

  app.post('/service/:id/role/:role/action', (c) => {
    const { perform, params } = actionOf(c.get('body'));
    const line = "\n\n    opts['period'] ||= conf[:action_period]\n        ^^^^^^^^^^";
    flow.schedule(c.get('caller'), idOf(c), scheduled(toText(perform), params, line), c.req.param('role'));
    return noContent();
  });

  app.post('/service/:id/role_action', (c) => {
    const { perform, params } = actionOf(c.get('body'));
    if (perform === 'add_role') {
      const role = at(params, 'role');
      flow.addRole(c.get('caller'), idOf(c), typeof role === 'string' ? parsed(role, 400) : (role ?? null));
    } else if (perform === 'remove_role') {
      flow.removeRole(c.get('caller'), idOf(c), toText(at(params, 'role')));
    } else {
      throw new FlowError(500, `Action ${toText(perform)} not supported`);
    }
    return noContent();
  });

  app.post('/service_pool/purge_done', (c) => {
    flow.purgeDone(c.get('caller'));
    return noContent();
  });

  app.get('/service_template', (c) => text(200, printJson(poolJson(cloud, flow.templates(c.get('caller'))))));

  app.get('/service_template/:id', (c) =>
    shown(200, documentJson(cloud, serviceTemplate(cloud, c.get('caller'), idOf(c)))),
  );

  app.post('/service_template', (c) => {
    const created = createServiceTemplate(cloud, c.get('caller'), parsed(c.get('body'), 400));
    return shown(201, documentJson(cloud, created));
  });

  app.put('/service_template/:id', (c) => {
    const body = c.get('body');
    const updated = updateServiceTemplate(cloud, c.get('caller'), idOf(c), () => parsed(body, 400));
    return shown(200, documentJson(cloud, updated));
  });

  app.delete('/service_template/:id', (c) => {
    deleteServiceTemplate(cloud, c.get('caller'), idOf(c), extentOf(c.get('body')));
    return noContent();
  });

  app.post('/service_template/:id/action', (c) => {
    const caller = c.get('caller');
    const id = idOf(c);
    const { perform, params = {} } = actionOf(c.get('body'));
    if (perform === 'instantiate') {
      const { service, body } = flow.instantiate(caller, id, at(params, 'merge_template'));
      return shown(201, documentJson(cloud, service, body));
    }
    if (perform === 'clone') {
      const name = at(params, 'name');
      const copy = cloneServiceTemplate(
        cloud,
        caller,
        id,
        typeof name === 'string' ? name : undefined,
        toText(at(params, 'recursive')),
      );
      return shown(201, documentJson(cloud, copy));
    }
    return templateAction(cloud, caller, id, { perform, params }) ? noContent() : text(200, '');
  });

  app.notFound((c) => noRoute(c.req.method, c.req.path));

  app.onError((error) => {
    if (error instanceof FlowCrash) return crashed(error.message);
    if (error instanceof FlowError) return text(error.status, error.message);
    if (error instanceof ParserError) return crashed(error.message);
    if (error instanceof BodyTooLarge) return text(413, error.message);
    throw error;
  });

  return app;
}

// ---- requests -----------------------------------------------------------------------------------------------------

/** `user:password` of a Basic header, whatever the case of its first word. @throws FlowError 401 */
function sessionOf(header: string | undefined): string {
  const [, encoded] = /^basic\s+(\S+)/i.exec(header ?? '') ?? [];
  const session = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString();
  if (!session.includes(':')) throw new FlowError(401, 'A username and password must be provided');
  return session;
}

/** A text that does not start with a number is 0. */
const idOf = (c: Context): number => toInteger(c.req.param('id'));

/** @param status of the refusal where the route has one; elsewhere the parser's exception is not caught */
function parsed(source: string, status?: number): Json {
  try {
    return readJson(source);
  } catch (error) {
    if (!(error instanceof ParserError) || status === undefined) throw error;
    throw new FlowError(status, error.message);
  }
}

/** A whole body, which has to be one of a service; or with `append` single keys, in a text of their own. */
function updateOf(source: string): { body: { [key: string]: Json }; append: boolean } {
  const whole = parsed(source, 400);
  if (!isObject(whole)) throw new FlowCrash(`undefined method \`key?' for ${JSON.stringify(whole)}`);
  if (!Object.hasOwn(whole, 'append')) return { body: checked(whole), append: false };
  if (!Object.hasOwn(whole, 'template')) throw new FlowError(400, 'Missing template to append');
  if (typeof whole.template !== 'string') throw new FlowCrash('no implicit conversion of Hash into String');
  const body = parsed(whole.template, 400);
  if (!isTruthy(whole.append)) return { body: checked(body), append: false };
  if (!isObject(body)) throw new FlowCrash('no implicit conversion of String into Integer');
  return { body, append: true };
}

/** The body as it came: the check's conversions are not stored. */
function checked(body: Json): { [key: string]: Json } {
  validateTemplate(copyJson(body), 400);
  return isObject(body) ? body : {};
}

/** A body that cannot be read says nothing about what goes with the template. */
function extentOf(source: string): string {
  try {
    const extent = at(readJson(source), 'delete_type');
    return isTruthy(extent) ? toText(extent) : 'none';
  } catch {
    return 'none';
  }
}

// ---- answers ------------------------------------------------------------------------------------------------------

/** Every body is said to be HTML, JSON included. */
const HEADERS = {
  'Content-Type': 'text/html;charset=utf-8',
  'X-XSS-Protection': '1; mode=block',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
};

const text = (status: number, body: string): Response => new Response(body, { status, headers: HEADERS });

/** How OneFlow refuses what a fault refuses. */
export const oneflowRefuses: Refuse = text;

const shown = (status: number, document: Json): Response => text(status, printJson({ DOCUMENT: document }));

const noContent = (): Response =>
  new Response(null, { status: 204, headers: { 'X-Content-Type-Options': HEADERS['X-Content-Type-Options'] } });

const crashed = (reason: string): Response => text(500, crashBody(reason));

/** Sinatra's page in kind; the words are ours. */
function noRoute(method: string, path: string): Response {
  const route = `${method} ${path}`.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  const page = `<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body><h1>No route for ${route}</h1></body></html>\n`;
  return new Response(page, { status: 404, headers: { 'X-Cascade': 'pass', ...HEADERS } });
}
