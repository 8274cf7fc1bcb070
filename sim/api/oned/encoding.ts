/** The characters of an XML document, by the encoding that it is written in: those that expat knows. */
import { FAULT_CODES, Fault } from './xmlrpc.ts';

const DECLARED = /^<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']/;

/** @throws Fault */
export function documentText(body: Uint8Array): string {
  const [first, second] = body;
  if (first === 0xfe && second === 0xff) return decoded(body, new TextDecoder('utf-16be', { fatal: true }));
  if (first === 0xff && second === 0xfe) return decoded(body, new TextDecoder('utf-16le', { fatal: true }));
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, 300)).toString('latin1');
  const name = DECLARED.exec(start.replace(/^\xef\xbb\xbf/, ''))?.[1]?.toLowerCase() ?? 'utf-8';
  switch (name) {
    case 'utf-8':
    case 'utf8':
      return decoded(body, UTF_8);
    case 'iso-8859-1':
      return Buffer.from(body).toString('latin1');
    case 'us-ascii': {
      const text = Buffer.from(body).toString('latin1');
      if (/[\x80-\xff]/.test(text)) throw invalid('not well-formed');
      return text;
    }
    default:
      throw invalid('unknown encoding');
  }
}

const UTF_8 = new TextDecoder('utf-8', { fatal: true });

function decoded(body: Uint8Array, decoder: typeof UTF_8): string {
  try {
    return decoder.decode(body);
  } catch {
    throw invalid('not well-formed');
  }
}

const invalid = (why: string): Fault =>
  new Fault(FAULT_CODES.PARSE, `Call XML not a proper XML-RPC call.  Call is not valid XML.  ${why}`);
