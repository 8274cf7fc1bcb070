/** The pages of the web framework under the Provisioning Engine: no route, a crash, a form that is none. Mirrors Sinatra 3.0 in kind; the words are ours. */

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

/** What the framework has against a form before it looks at the route; null when it can read it. */
export function formProblem(type: string, body: string): Response | null {
  if (body === '') return null;
  const boundary = /^multipart\/form-data\s*;.*boundary="?([^";,]+)"?/i.exec(type)?.[1];
  if (boundary !== undefined) {
    return body.includes(`--${boundary}--`) ? null : badRequest('Invalid multipart/form-data: EOFError');
  }
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return null;
  const wrong = body.split(/[&=]/).find((part) => /%(?![0-9A-Fa-f]{2})/.test(part));
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
