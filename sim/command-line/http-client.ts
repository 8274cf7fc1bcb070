/** `onesim http`: the client tool of the Provisioning Engine's user guide. Mirrors `http_cli.rb`, which prints JSON as Ruby does. */
import { ParserError, parseJson, prettyJson } from '../api/ruby-json.ts';
import { type Machine, reason } from '../machine.ts';

export const HTTP_USAGE = 'onesim http [get|post|put|delete] <URI> [<JSON file, for post and put only>]';

/** Whether a method sends a file. */
const METHODS: Readonly<Record<string, boolean>> = { get: false, post: true, put: true, delete: false };

const CREDENTIALS = '.provision_engine_auth';

/** A reason to stop, for the user to read. */
class Stop extends Error {}

type Client = Pick<Machine, 'home' | 'readFile' | 'fetch' | 'out' | 'err'>;

/** Returns the exit code: 0 whatever the server answered, 1 when it was not asked, 2 after the usage. */
export async function http(args: readonly string[], machine: Client): Promise<0 | 1 | 2> {
  const [method = '', uri = '', file, ...more] = args;
  const sends = Object.hasOwn(METHODS, method) ? METHODS[method] : undefined;
  if (sends === undefined || sends !== (file !== undefined) || more.length > 0 || !isHttp(uri)) {
    machine.err(`Usage: ${HTTP_USAGE}`);
    return 2;
  }
  try {
    const credentials = await credentialsOf(machine);
    const body = file === undefined ? undefined : await jsonFile(machine, file);
    const response = await ask(machine, uri, {
      method: method.toUpperCase(),
      headers: {
        Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        ...(body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    });
    machine.out(`Response Code: ${response.status}`);
    const text = await response.text();
    if (text !== '') machine.out(pretty(text));
    return 0;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    machine.err(error.message);
    return 1;
  }
}

const isHttp = (uri: string): boolean => URL.canParse(uri) && /^https?:$/.test(new URL(uri).protocol);

async function credentialsOf(machine: Client): Promise<string> {
  const text = await readText(machine, `${machine.home}/${CREDENTIALS}`);
  const credentials = text.trim();
  if (!credentials.includes(':')) throw new Stop(`~/${CREDENTIALS} does not hold user:password`);
  return credentials;
}

async function jsonFile(machine: Client, file: string): Promise<string> {
  const text = await readText(machine, file);
  try {
    parseJson(text);
  } catch (error) {
    throw new Stop(`${file} is not JSON: ${reason(error)}`);
  }
  return text;
}

async function readText(machine: Client, file: string): Promise<string> {
  try {
    return await machine.readFile(file);
  } catch (error) {
    throw new Stop(`Cannot read ${file}: ${reason(error)}`);
  }
}

async function ask(machine: Client, uri: string, request: RequestInit): Promise<Response> {
  try {
    return await machine.fetch(uri, request);
  } catch (error) {
    // What fetch throws says what happened only in its cause.
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    throw new Stop(`Cannot reach ${uri}: ${reason(cause)}`);
  }
}

/** What is no JSON, such as a page of a crash, is printed as it is. */
function pretty(text: string): string {
  try {
    return prettyJson(parseJson(text));
  } catch (error) {
    if (!(error instanceof ParserError)) throw error;
    return text;
  }
}
