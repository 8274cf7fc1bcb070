/** What `onesim serve` says once it is ready: a line for programs, or a banner for people. */
import type { Config } from '../config.ts';
import type { Urls } from '../net/listen.ts';
import type { World } from '../world/world-file.ts';

/** What a stand-in is, for those who are to use it. */
export interface Ready {
  readonly version: string;
  readonly pid: number;
  readonly config: Config;
  readonly urls: Urls;
  readonly world: World;
}

/** The first line on stdout with `--log json`. */
export const readyLine = ({ pid, config: { seed }, urls }: Ready): string =>
  JSON.stringify({ event: 'ready', pid, seed, urls });

const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const PLAIN = '\u001b[0m';

export function banner(ready: Ready, coloured: boolean): string {
  const bold = (text: string): string => (coloured ? `${BOLD}${text}${PLAIN}` : text);
  const dim = (text: string): string => (coloured ? `${DIM}${text}${PLAIN}` : text);
  const row = (name: string, value: string): string => `  ${dim(name.padEnd(18))}${value}`;
  const { version, config, urls, world } = ready;
  const users = [...new Map([DEFAULT_ADMIN, ...accounts(world)])].map(([name, password]) => `${name}:${password}`);
  const guests = (world.gatekeeper?.users ?? []).map(({ username, password }) => `${username}:${password}`);
  return [
    '',
    `  ${bold('onesim')} ${version}  a local OpenNebula that you can break on purpose`,
    '',
    row('engine', bold(urls.engine)),
    row('gatekeeper', bold(urls.gatekeeper)),
    row('oned', urls.oned),
    row('oneflow', urls.oneflow),
    ...(config.managerPort === 'off' ? [] : [row('manager', urls.manager)]),
    row('control', urls.control),
    '',
    row('cloud users', users.join('  ')),
    ...(guests.length === 0 ? [] : [row('gatekeeper users', guests.join('  '))]),
    row(
      'world',
      `${nameOf(config.world)}, seed ${config.seed}${config.state === null ? '' : `, kept in ${config.state}`}`,
    ),
    row('time', `clock ${paceName(config.clock)}, timing ${nameOf(config.timing)}`),
    row('profile', [config.profile, ...switched(config)].join(', ')),
    '',
    `  ${dim('Create a runtime, or whatever else you came for:')}`,
    '',
    `  ${example(ready)}`,
    '',
  ].join('\n');
}

const DEFAULT_ADMIN = ['oneadmin', 'opennebula'] as const;

const accounts = ({ users = [] }: World): (readonly [name: string, password: string])[] =>
  users.map(({ name, password }) => [name, password]);

const nameOf = (given: Config['world'] | Config['timing']): string => ('name' in given ? given.name : given.file);

const paceName = (factor: number): string =>
  factor === 0 ? 'virtual, stands still until advanced' : factor === 1 ? 'real' : `${factor}x`;

const switched = ({ deviations }: Config): string[] =>
  Object.entries(deviations).map(([id, on]) => `${id} ${on ? 'on' : 'off'}`);

/** A command that works when pasted: as an ordinary user, for a flavour that there is. */
function example({ urls, world }: Ready): string {
  const [user, password] = accounts(world).find(([name]) => name !== DEFAULT_ADMIN[0]) ?? DEFAULT_ADMIN;
  const flavour = world.serviceTemplates?.find(({ roles }) => roles.length === 1)?.name;
  if (flavour === undefined) return `curl ${urls.engine}/server/version`;
  const body = JSON.stringify({ SERVERLESS_RUNTIME: { FAAS: { FLAVOUR: flavour } } });
  const json = "-H 'Content-Type: application/json'";
  return `curl -u ${quoted(`${user}:${password}`)} ${json} -d ${quoted(body)} ${urls.engine}/serverless-runtimes`;
}

/** As a shell reads it back. */
const quoted = (text: string): string => (/^[\w:.@-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
