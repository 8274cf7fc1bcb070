/** Parameters that come as a form instead of a query string. */
import { BodyTooLarge, readBody } from '../edge.ts';
import { ApiError } from './answer.ts';

/** Of a form, what it says comes before what the query string says. @throws ApiError */
export async function formOf(request: Request, maxBodyBytes: number): Promise<URLSearchParams> {
  const type = request.headers.get('Content-Type') ?? '';
  const asked = new URL(request.url).searchParams;
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return asked;
  try {
    const body = new TextDecoder().decode(await readBody(request, maxBodyBytes));
    return new URLSearchParams([...new URLSearchParams(body), ...asked]);
  } catch (error) {
    if (!(error instanceof BodyTooLarge)) throw error;
    throw new ApiError('bad_data', 'error parsing form values: http: request body too large');
  }
}
