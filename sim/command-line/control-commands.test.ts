/** The commands that drive a running stand-in, from what is typed to what is printed. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import type { Machine } from '../machine.ts';
import { loadSimulator } from '../start.ts';
import { run } from './command.ts';

/** A stand-in, and a machine on which commands are typed. */
async function typing(files: Record<string, string> = {}, env: Machine['env'] = {}) {
  const simulator = await loadSimulator({ timing: { name: 'fast' } });
  const urls: string[] = [];
  const type = async (...args: string[]): Promise<readonly [number, string]> => {
    const lines: string[] = [];
    const print = (line: string): void => void lines.push(line);
    const machine: Partial<Machine> = {
      env,
      async readFile(path) {
        const text = files[path];
        if (text === undefined) throw Object.assign(new Error(path), { code: 'ENOENT' });
        return text;
      },
      async writeFile(path, text) {
        if (path.includes('/')) throw Object.assign(new Error(path), { code: 'ENOENT' });
        files[path] = text;
      },
      fetch(url, request) {
        urls.push(url);
        return simulator.fetch(new Request(url, request));
      },
      out: print,
      err: print,
    };
    return [await run(args, '', machine as Machine), lines.join('\n')];
  };
  return { type, urls, cloud: simulator.world.cloud };
}

describe('onesim clock', () => {
  it('says what time it is', async () => {
    const { type } = await typing();
    expect(await type('clock')).toEqual([0, expect.stringMatching(/^2026-01-01T00:00:00\.000Z {2}frozen; n/)]);
    expect(JSON.parse((await type('clock', '--json'))[1])).toMatchObject({
      now: '2026-01-01T00:00:00.000Z',
      factor: 0,
    });
  });

  it('moves it, and prints what happened', async () => {
    const { type, cloud } = await typing();
    const id = cloud.call('oneadmin:opennebula', 'one.vm.allocate', 'CPU=1 MEMORY=64');
    const [code, text] = await type('clock', 'run-until', 'vm.state', `vm/${id}`, 'to=PROLOG');
    expect(code).toBe(0);
    expect(text).toMatch(new RegExp(`vm.state +vm/${id} from=PENDING to=PROLOG\n.*frozen; next event at`));
    expect((await type('clock', 'advance', '1.5m'))[1]).toMatch(/to=RUNNING/);
    expect((await type('clock', 'step', '2'))[0]).toBe(0);
    expect((await type('clock', 'scale', '60x'))[1]).toMatch(/ {2}60x/);
    expect((await type('clock', 'freeze'))[1]).toMatch(/ {2}frozen/);
  });

  it.each([
    [['advanse', '1s'], 'onesim: unknown command "clock advanse", did you mean "advance"?'],
    [['advance'], 'onesim: usage: onesim clock advance DURATION'],
    [['advance', '1'], 'onesim: DURATION: expected a duration such as 500ms, 90s, 10m, 1h or 1d, not "1"'],
    [['scale', 'fast'], 'onesim: FACTOR: expected a number, not "fast"'],
    [['scale', '0'], 'onesim: factor must be a number between 0.001 and 1000000'],
    [['show', '--limit', '1'], 'onesim: clock show has no flag --limit'],
    [['show', '--ulr', 'x'], 'onesim: unknown flag "--ulr", did you mean "--url"?'],
    [['run-until', 'a', 'b', 'c'], 'onesim: clock run-until: "c" is no KEY=VALUE'],
    [['run-until', 'never'], 'onesim: Nothing is scheduled, so what is waited for cannot happen'],
  ])('%j is refused: %s', async (args, message) => {
    const { type } = await typing();
    const [code, text] = await type('clock', ...args);
    expect([code, text.split('\n')[0]]).toEqual([2, message]);
  });
});

describe('onesim fault', () => {
  const BOOT = '{"selector":{"layer":"vm","operation":"deploy"},"effect":{"do":"fail","message":"No KVM"}}';

  it('arms, lists and takes away', async () => {
    const { type } = await typing({ 'two.yaml': `faults:\n  - ${BOOT}\n  - ${BOOT}\n` });
    expect(await type('fault')).toEqual([0, 'no fault is armed']);
    expect(await type('fault', 'add', BOOT)).toEqual([
      0,
      'f1  vm fail message=No KVM  on operation=deploy  armed, hit 0 of 0',
    ]);
    expect((await type('fault', 'add', 'two.yaml'))[1].split('\n')).toHaveLength(2);
    expect(await type('fault', 'rm', 'f4')).toEqual([2, 'onesim: there is no fault f4, did you mean "f1"?']);
    expect(await type('fault', 'rm', 'f1')).toEqual([0, 'f1 is gone']);
    expect(await type('fault', 'clear')).toEqual([0, 'gone: f2, f3']);
    expect(await type('fault', 'clear')).toEqual([0, 'no fault was armed']);
    expect(await type('fault', 'add', '[]')).toEqual([0, 'there is no fault in it']);
  });

  it('arms all or none', async () => {
    const wrong = BOOT.replace('deploy', 'deplooy');
    const { type } = await typing();
    const [code, text] = await type('fault', 'add', BOOT, wrong);
    expect(code).toBe(2);
    expect(text).toMatch(/did you mean "deploy"/);
    expect(await type('fault', 'list')).toEqual([0, 'no fault is armed']);
    expect(await type('fault', 'add', 'no.yaml')).toEqual([2, 'onesim: cannot read no.yaml: no such file']);
  });
});

describe('onesim journal', () => {
  it('says why a VM is as it is', async () => {
    const { type, cloud } = await typing();
    const id = cloud.call('oneadmin:opennebula', 'one.vm.allocate', 'CPU=1 MEMORY=64');
    await type('fault', 'add', '{"selector":{"layer":"vm","operation":"deploy"},"effect":{"do":"fail"}}');
    await type('clock', 'run-until', 'vm.state', 'to=BOOT_FAILURE');
    const [code, text] = await type('journal', 'why', String(id));
    expect(code).toBe(0);
    expect(text).toMatch(/ fault .*fault=f1.*\n.*from=BOOT to=BOOT_FAILURE\nVM \d+ is BOOT_FAILURE$/);
    expect((await type('journal', 'to=BOOT*', '--kind', 'vm.*', '--subject', `vm/${id}`))[1].split('\n')).toHaveLength(
      2,
    );
    expect(await type('journal', 'count', '--kind', 'fault')).toEqual([0, '1']);
    expect((await type('journal', 'wait', '--kind', 'fault'))[1]).toMatch(/fault=f1/);
    expect(await type('journal', 'wait', '--kind', 'never', '--max', '1ms')).toEqual([
      1,
      'that has not happened within 1 ms',
    ]);
    expect(await type('journal', 'why', '999')).toEqual([2, 'onesim: There is no VM 999']);
    expect((await type('journal', 'shwo'))[1]).toMatch(/did you mean "show"/);
  });
});

describe('onesim snapshot', () => {
  it('writes the world down, and goes on with it', async () => {
    const files: Record<string, string> = {};
    const { type, cloud } = await typing(files);
    expect(await type('snapshot', 'save', 'world.json')).toEqual([0, 'the world is in world.json']);
    cloud.call('oneadmin:opennebula', 'one.vm.allocate', 'CPU=1 MEMORY=64');
    await type('clock', 'advance', '1m');
    expect(await type('snapshot', 'restore', 'world.json')).toEqual([0, 'the world is that of world.json']);
    expect((await type('clock'))[1]).toContain('2026-01-01T00:00:00.000Z');
    expect((await type('journal', 'count', 'to=RUNNING', '--kind', 'vm.state', '--subject', 'vm/1'))[1]).toBe('0');
  });

  it.each([
    [['restore', 'none.json'], 'onesim: none.json: no such file'],
    [['restore', 'letter.json'], 'onesim: letter.json: This is no snapshot of onesim'],
    [['save', 'no/world.json'], 'onesim: no/world.json: cannot be written: no such file'],
    [['save'], 'onesim: usage: onesim snapshot save FILE'],
  ])('%j says what is wrong', async (args, message) => {
    const { type } = await typing({ 'letter.json': '{}' });
    expect(await type('snapshot', ...args)).toEqual([2, message]);
  });
});

describe('onesim reset', () => {
  it('begins with a seed, or with nothing', async () => {
    const { type } = await typing();
    expect(await type('reset', '--seed', '9')).toEqual([0, 'the world is as it was loaded']);
    expect(await type('reset', '--empty')).toEqual([0, 'the world is empty']);
  });
});

describe('onesim sandbox', () => {
  it('opens, lists and closes', async () => {
    const { type } = await typing();
    const line = 'a  seed 7  2026-01-01T00:00:00.000Z  /_onesim/sandboxes/a';
    expect(await type('sandbox')).toEqual([0, 'there is no sandbox']);
    expect(await type('sandbox', 'open', 'a', '--seed', '7', '--empty')).toEqual([0, line]);
    expect(await type('sandbox', 'list')).toEqual([0, line]);
    const factorOf = async (name: string, clock: string): Promise<number> =>
      JSON.parse((await type('sandbox', 'open', name, '--clock', clock, '--json'))[1]).factor;
    expect(await Promise.all([factorOf('b', '60x'), factorOf('c', 'real'), factorOf('d', 'virtual')])).toEqual([
      60, 1, 0,
    ]);
    expect((await type('sandbox', 'open', 'e', '--clock', '0x'))[1]).toMatch(
      /^onesim: --clock: expected real, virtual, or/,
    );
    for (const name of ['b', 'c', 'd']) await type('sandbox', 'close', name);
    const inside = ['--url', 'http://127.0.0.1:1337/_onesim/sandboxes/a'];
    expect((await type('clock', 'advance', '1m', ...inside))[1]).toContain('2026-01-01T00:01:00.000Z');
    expect((await type('clock'))[1]).toContain('2026-01-01T00:00:00.000Z');
    expect(await type('sandbox', 'close', 'a')).toEqual([0, 'gone: a']);
    expect(await type('sandbox', 'close', 'a')).toEqual([2, 'onesim: There is no sandbox a']);
  });
});

describe('where the stand-in is', () => {
  it('is what serve is told, unless a flag says otherwise', async () => {
    const { type, urls } = await typing({}, { ONESIM_PORT: '4711' });
    await type('clock');
    await type('clock', '--url', 'http://127.0.0.1:8080/');
    expect(urls).toEqual(['http://127.0.0.1:4711/_onesim/clock', 'http://127.0.0.1:8080/_onesim/clock']);
  });

  it('is named when nobody is there', async () => {
    const lines: string[] = [];
    const machine: Partial<Machine> = {
      env: {},
      fetch: async () => {
        throw new TypeError('fetch failed', { cause: Object.assign(new Error('x'), { code: 'ECONNREFUSED' }) });
      },
      err: (line) => void lines.push(line),
    };
    expect(await run(['reset'], '', machine as Machine)).toBe(2);
    expect(lines).toEqual([
      'onesim: cannot reach http://127.0.0.1:1337: nobody listens there; name a stand-in with --url, or start one with onesim serve',
    ]);
  });
});

it.each(['clock', 'fault', 'journal', 'snapshot', 'reset', 'sandbox'])(
  'onesim %s has help of its own',
  async (name) => {
    const { type, urls } = await typing();
    const [code, text] = await type(name, '--help');
    expect(code).toBe(0);
    const lines = text.split('\n');
    expect(lines.slice(0, -2).every((line) => line.startsWith(`  onesim ${name} `))).toBe(true);
    expect(lines.at(-1)).toContain('--url URL');
    expect(urls).toEqual([]);
  },
);

describe('onesim completion', () => {
  it('completes commands, subcommands, flags, and the names of faults and sandboxes', async () => {
    const { type } = await typing();
    const [code, script] = await type('completion');
    expect(code).toBe(0);
    /** What bash offers at the end of a line, while one fault is armed. */
    const offered = (line: string): string[] => {
      const program = `onesim() { if [ "$1" = fault ]; then echo 'f1  vm fail'; else echo 'there is no sandbox'; echo 'tests  seed 1'; fi; }
${script}
COMP_WORDS=(${line
        .split(' ')
        .map((word) => `'${word}'`)
        .join(' ')})
COMP_CWORD=$((\${#COMP_WORDS[@]} - 1))
_onesim
echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', program], { encoding: 'utf8' }).trim().split(' ');
    };
    expect(offered('onesim jo')).toEqual(['journal']);
    expect(offered('onesim clock run-')).toEqual(['run-until-idle', 'run-until']);
    expect(offered('onesim serve --oned')).toEqual(['--oned-port']);
    expect(offered('onesim fault rm ')).toEqual(['f1']);
    expect(offered('onesim sandbox close t')).toEqual(['tests']);
    expect(offered('onesim sandbox cl')).toEqual(['close']);
    expect(offered('onesim reset --h')).toEqual(['--help']);
  });
});
