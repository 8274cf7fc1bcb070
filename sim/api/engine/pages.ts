/** The pages of the web framework under the Provisioning Engine: no route, a crash, a query string or a form that is none. Mirrors Sinatra 3.0 in kind; the words are ours. */

/** Headers of every answer that Sinatra itself gives in HTML. */
const HTML_HEADERS = {
  'Content-Type': 'text/html;charset=utf-8',
  'X-XSS-Protection': '1; mode=block',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'SAMEORIGIN',
};

export const noRoutePage = (method: string, path: string): Response =>
  new Response(page('404 Not Found', `No route for ${method} ${path}`), {
    status: 404,
    headers: { 'X-Cascade': 'pass', ...HTML_HEADERS },
  });

export const crashPage = (path: string, reason: string): Response =>
  new Response(page('500 Internal Server Error', `The engine crashed at ${path}: ${reason}`), {
    status: 500,
    headers: { 'Content-Type': 'text/html' },
  });

const page = (title: string, text: string): string =>
  `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body><h1>${title}</h1><p>${escapeHtml(text)}</p></body></html>\n`;

/** What the framework has against a query string; null when it can read it. */
export const queryProblem = (query: string): Response | null => encodingProblem(query.split(/[&;] */));

const MULTIPART = /^multipart\/form-data\s*;.*boundary="?([^";,]+)"?/i;
const URL_ENCODED = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Whether a body of this media type is a form to the framework. */
export const isForm = (type: string): boolean => MULTIPART.test(type) || URL_ENCODED.test(type);

/** What the framework has against a form; null when it can read it. */
export function formProblem(type: string, body: string): Response | null {
  if (body === '') return null;
  if (URL_ENCODED.test(type)) return encodingProblem(body.split(/& */));
  const boundary = MULTIPART.exec(type)?.[1];
  return body.includes(`--${boundary}--`) ? null : badRequest('Invalid multipart/form-data: EOFError');
}

function encodingProblem(pairs: readonly string[]): Response | null {
  const wrong = pairs
    .flatMap((pair) => {
      const equals = pair.indexOf('=');
      return equals < 0 ? [pair] : [pair.slice(0, equals), pair.slice(equals + 1)];
    })
    .find((part) => /%(?![0-9A-Fa-f]{2})/.test(part));
  if (wrong === undefined) return null;
  return badRequest(`Invalid query parameters: ${escapeHtml(`invalid %-encoding (${wrong})`)}`);
}

const badRequest = (message: string): Response =>
  new Response(escapeHtml(message), { status: 400, headers: HTML_HEADERS });

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#x27;',
  '"': '&quot;',
  '/': '&#x2F;',
};

const escapeHtml = (text: string): string => text.replace(/[&<>'"/]/g, (char) => ENTITIES[char] ?? char);
