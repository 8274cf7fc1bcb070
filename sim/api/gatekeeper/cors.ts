/** Cross-origin requests: what a browser is told when a page of another origin asks. */

/** In every answer to a request with an origin, which is echoed. */
const HEADERS = {
  'Access-Control-Allow-Methods': 'POST, GET, OPTIONS',
  'Access-Control-Allow-Headers': '*, Content-Type, Accept, AUTHORIZATION, Cache-Control',
  'Access-Control-Allow-Credentials': 'true',
  'Access-Control-Max-Age': '1728000',
  // The real server keeps the last two from pages.
  'Access-Control-Expose-Headers':
    'Cache-Control, Content-Language, Content-Type, Expires, Last-Modified, Pragma, Link, Record-Count',
} as const;

/** Adds the headers that an answer does not have of its own. */
export function allowOrigin(headers: Headers, origin: string): void {
  for (const [name, value] of Object.entries({ 'Access-Control-Allow-Origin': origin, ...HEADERS })) {
    if (!headers.has(name)) headers.set(name, value);
  }
}

/** The headers of an answer to OPTIONS. */
export const preflight = (methods: string): Readonly<Record<string, string>> => ({
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Methods': methods,
});
