/** The path of a request as the real servers see it: an encoded slash separates segments too. */

/** The path of a URL as sent, without its query string. */
export function pathOf(url: string): string {
  const path = url.slice(url.indexOf('/', url.indexOf('://') + 3));
  return path.replace(/[?#].*$/s, '');
}

/** What routes are matched with. */
export const routePath = (url: string): string => pathOf(url).replace(/%2f/gi, '/');
