/** What the web server in XML-RPC for C/C++ says to requests that are no calls: a page of HTML. */

const SERVER = '<a href="http://xmlrpc-c.sourceforge.net">ABYSS Web Server for XML-RPC For C/C++</a>';

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

export function errorPage(status: 400 | 404 | 405, why: string): Response {
  const title = `Error ${status}`;
  const page =
    `<HTML><HEAD><TITLE>${title}</TITLE></HEAD><BODY><H1>${title}</H1><P>${escaped(why)}</P>` +
    `<p><HR><b><i>${SERVER}</i></b> version 1.33.14<br></p></BODY></HTML>`;
  return new Response(page, { status, headers: { 'Content-type': 'text/html' } });
}
