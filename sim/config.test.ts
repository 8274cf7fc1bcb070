import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONFIG_DEFAULTS, type Config, DEVIATIONS, flagsHelp, parseConfig, readCommandLine } from './config.ts';
import { readSource } from './source.ts';

type Environment = Readonly<Record<string, string>>;

const configOf = (args: string[], env: Environment = {}): Config => parseConfig(readCommandLine(args, env));

const withFile = async (text: string, args: string[] = [], env: Environment = {}): Promise<Config> =>
  parseConfig(readCommandLine(args, env), await readSource(text, 'onesim.config.yaml'));

describe('settings', () => {
  test('are what the table says when nothing is given', () => {
    expect(configOf([])).toEqual(CONFIG_DEFAULTS);
    expect(CONFIG_DEFAULTS).toMatchObject({
      host: '127.0.0.1',
      port: 1337,
      onedPort: 2633,
      oneflowPort: 2474,
      managerPort: 'off',
      world: { name: 'default' },
      seed: 1,
      clock: 1,
      epoch: 'now',
      timing: { name: 'realistic' },
      profile: 'upstream',
      log: 'auto',
    });
  });

  test('come from the file, over it from the environment, over that from flags', async () => {
    const file = 'port: 1\nonedPort: 1\noneflowPort: 1\n';
    const env = { ONESIM_PORT: '2', ONESIM_ONED_PORT: '2', PATH: '/bin' };
    const config = await withFile(file, ['--port', '3'], env);
    expect([config.port, config.onedPort, config.oneflowPort]).toEqual([3, 2, 1]);
  });

  test('may be joined to their flag, and the last one counts', () => {
    expect(configOf(['--seed=4', '--seed', '5']).seed).toBe(5);
  });

  test('that are on or off are switched off by --no-', () => {
    expect(CONFIG_DEFAULTS.control).toBe('on');
    expect(configOf(['--no-control', '--seed', '2'])).toMatchObject({ control: 'off', seed: 2 });
    expect(configOf(['--no-oned-port']).onedPort).toBe('off');
    expect(() => configOf(['--no-seed'])).toThrow('unknown flag "--no-seed"');
    expect(() => configOf(['--no-control=on'])).toThrow('unknown flag "--no-control"');
  });

  test('that may be repeated are a list in the file', async () => {
    expect(await withFile('controlHosts: [a.test, B.test]', ['--control-host', 'c.test'])).toMatchObject({
      controlHosts: ['a.test', 'b.test', 'c.test'],
    });
    await expect(withFile('controlHosts: ["a test"]')).rejects.toThrow(/onesim.config.yaml:1:.*the name of a host/);
  });

  test('are the same by flag, variable and key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(
          ['port', '--port', 'ONESIM_PORT'] as const,
          ['oneflowPort', '--oneflow-port', 'ONESIM_ONEFLOW_PORT'] as const,
        ),
        fc.integer({ min: 0, max: 65_535 }),
        async ([key, flag, variable], port) => {
          const expected = { ...CONFIG_DEFAULTS, [key]: port };
          expect(configOf([flag, String(port)])).toEqual(expected);
          expect(configOf([], { [variable]: String(port) })).toEqual(expected);
          expect(await withFile(`${key}: ${port}`)).toEqual(expected);
        },
      ),
      { seed: 1, numRuns: 50 },
    );
  });

  test.each([
    [['--oned-port', 'off'], { onedPort: 'off' }],
    [['--seed', '0x9f3a'], { seed: 0x9f3a }],
    [['--seed', '9007199254740991'], { seed: Number.MAX_SAFE_INTEGER }],
    [['--clock', 'virtual'], { clock: 0 }],
    [['--clock', '60x'], { clock: 60 }],
    [['--clock', '0.5x'], { clock: 0.5 }],
    [['--epoch', '2017-08-29'], { epoch: Date.UTC(2017, 7, 29) }],
    [['--epoch', '2017-08-29T12:54:47+02:00'], { epoch: Date.UTC(2017, 7, 29, 10, 54, 47) }],
    [['--timing', 'fast'], { timing: { name: 'fast' } }],
    [['--timing', './fast.yaml'], { timing: { file: './fast.yaml' } }],
    [['--world', 'empty'], { world: { name: 'empty' } }],
    [['--max-body', '512KiB'], { maxBody: 512 * 1024 }],
    [['--max-body', '65536'], { maxBody: 65_536 }],
    [['--engine-resize-mode', 'HOTPLUG'], { engineResizeMode: 'HOTPLUG' }],
    [['--gatekeeper-rate-limits', 'on'], { gatekeeperRateLimits: 'on' }],
    [['--deviation', 'get-200=off'], { deviations: { 'get-200': false } }],
    [
      ['--deviation=get-200=off', '--deviation', 'limit-uncapped=on'],
      { deviations: { 'get-200': false, 'limit-uncapped': true } },
    ],
    [['--deviation', 'get-200=off,get-writes=on'], { deviations: { 'get-200': false, 'get-writes': true } }],
    [['--deviation', 'get-200=off', '--deviation', 'get-200=on'], { deviations: { 'get-200': true } }],
  ])('are read from %j', (args, expected) => {
    expect(configOf(args)).toEqual({ ...CONFIG_DEFAULTS, ...expected });
  });

  test.each([
    [['--prot', '1'], 'unknown flag "--prot", did you mean "--port"?'],
    [['--onedport=1'], 'unknown flag "--onedport", did you mean "--oned-port"?'],
    [['-p', '1'], 'unknown flag "-p"'],
    [['world.yaml'], 'unexpected argument "world.yaml"'],
    [['--port'], '--port needs a value'],
    [['--port', '65536'], '--port: expected a whole number from 0 to 65535, not "65536"'],
    [['--port', '1e3'], '--port: expected a whole number from 0 to 65535, not "1e3"'],
    [['--port', ''], '--port: expected a whole number from 0 to 65535, not ""'],
    [
      ['--oned-port', 'of'],
      '--oned-port: expected a whole number from 0 to 65535, or off, not "of", did you mean "off"?',
    ],
    [
      ['--seed', '9007199254740992'],
      '--seed: expected a whole number from 0 to 9007199254740991, not "9007199254740992"',
    ],
    [['--seed', '-1'], '--seed: expected a whole number from 0 to 9007199254740991, not "-1"'],
    [['--clock', '0x'], '--clock: expected real, virtual, or a factor such as 60x, up to 1000000x, not "0x"'],
    [
      ['--clock', 'reel'],
      '--clock: expected real, virtual, or a factor such as 60x, up to 1000000x, not "reel", did you mean "real"?',
    ],
    [
      ['--epoch', 'yesterday'],
      '--epoch: expected a time from 1970 to 9998 such as 2026-01-01T00:00:00Z, not "yesterday"',
    ],
    [
      ['--epoch', '2026-13-01'],
      '--epoch: expected a time from 1970 to 9998 such as 2026-01-01T00:00:00Z, not "2026-13-01"',
    ],
    [
      ['--timing', 'fats'],
      '--timing: expected instant, fast, realistic, slow, or a file, not "fats", did you mean "fast"?',
    ],
    [['--profile', 'upsteam'], '--profile: expected upstream or contract, not "upsteam", did you mean "upstream"?'],
    [
      ['--max-body', '2TiB'],
      '--max-body: expected a number of bytes from 1024 to 1073741824, such as 65536, 512KiB or 4MiB, not "2TiB"',
    ],
    [
      ['--deviation', 'get-20=off'],
      '--deviation: expected ID=on or ID=off, with the id of a deviation, not "get-20=off", did you mean "get-200=off"?',
    ],
    [
      ['--deviation', 'public-key-html'],
      '--deviation: expected ID=on or ID=off, with the id of a deviation, not "public-key-html", did you mean "public-key-html=on"?',
    ],
    [['--deviations', 'get-200=off'], 'unknown flag "--deviations", did you mean "--deviation"?'],
    [['--journal-size', '0'], '--journal-size: expected a whole number from 1 to 100000000, not "0"'],
  ])('are refused in %j', (args, message) => {
    expect(() => configOf(args)).toThrow(new Error(message));
  });

  test('that may be repeated add up over file, environment and flags', async () => {
    const file = 'deviations:\n  get-200: off\n  get-writes: false\n  crash-html: off\n';
    const env = { ONESIM_DEVIATION: 'get-writes=on, public-key-html=off' };
    const { deviations } = await withFile(file, ['--deviation', 'crash-html=on'], env);
    expect(deviations).toEqual({ 'get-200': false, 'get-writes': true, 'crash-html': true, 'public-key-html': false });
  });

  test('name the variable that is wrong', () => {
    expect(() => configOf([], { ONESIM_PROT: '1' })).toThrow(
      'unknown environment variable ONESIM_PROT, did you mean "ONESIM_PORT"?',
    );
    expect(() => configOf([], { ONESIM_SEED: 'x' })).toThrow(/^ONESIM_SEED: expected a whole number/);
  });

  test.each([
    ['port: 1\nsede: 2\n', 'onesim.config.yaml:2:1: unknown key "sede", did you mean "seed"?'],
    ['oned-port: 2\n', 'onesim.config.yaml:1:1: unknown key "oned-port", did you mean "onedPort"?'],
    ['config: x.yaml\n', 'onesim.config.yaml:1:1: unknown key "config"'],
    ['port: [1]\n', 'onesim.config.yaml:1:7: port takes a number or a text'],
    ['\nport: many\n', 'onesim.config.yaml:2:7: port: expected a whole number from 0 to 65535, not "many"'],
    ['deviations: get-200\n', 'onesim.config.yaml:1:13: deviations takes a list, or keys with on or off'],
    [
      'deviations:\n  get-200: off\n  crash-htm: off\n',
      'onesim.config.yaml:3:3: deviations: expected ID=on or ID=off, with the id of a deviation, not "crash-htm=off", did you mean "crash-html=off"?',
    ],
    ['- 1\n', 'onesim.config.yaml:1:1: a configuration is keys with values'],
  ])('name the line of the file that is wrong: %j', async (file, message) => {
    await expect(withFile(file)).rejects.toThrow(new Error(message));
  });

  test('have a file that is named by flag, or by variable', () => {
    expect(readCommandLine([], {}).configFile).toBeUndefined();
    expect(readCommandLine([], { ONESIM_CONFIG: 'a' }).configFile?.text).toBe('a');
    expect(readCommandLine(['--config', 'b'], { ONESIM_CONFIG: 'a' }).configFile?.text).toBe('b');
  });

  test('are all in the help, each with its default', () => {
    const help = flagsHelp();
    for (const key of Object.keys(CONFIG_DEFAULTS)) {
      const words = ['deviations', 'controlHosts'].includes(key) ? key.slice(0, -1) : key;
      const flag = `--${words.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
      expect(help).toMatch(new RegExp(`^ {2}${flag} .*\\(.+\\)$`, 'm'));
    }
    for (const id of DEVIATIONS) expect(help).toContain(id);
  });
});
