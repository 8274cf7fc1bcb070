import { expect, test } from 'vitest';
import { CONFIG_DEFAULTS } from '../config.ts';
import { banner, type Ready, readyLine } from './banner.ts';

const READY: Ready = {
  version: '1.2.3',
  pid: 42,
  config: CONFIG_DEFAULTS,
  urls: {
    engine: 'http://127.0.0.1:1337',
    gatekeeper: 'http://127.0.0.1:1337/api/v2',
    oned: 'http://127.0.0.1:2633/RPC2',
    oneflow: 'http://127.0.0.1:2474',
    control: 'http://127.0.0.1:1337/_onesim',
    manager: 'http://127.0.0.1:1337/monitoring/api/v1',
  },
  world: {
    users: [
      { name: 'oneadmin', password: 'opennebula' },
      { name: 'alice', password: 'alice' },
    ],
    serviceTemplates: [{ name: 'Function', roles: [{ name: 'FAAS', vm_template: 0 }] }],
    gatekeeper: { users: [{ username: 'demo', password: 'demo' }] },
  },
};

test('programs get one line with process, seed and addresses', () => {
  expect(JSON.parse(readyLine(READY))).toEqual({ event: 'ready', pid: 42, seed: 1, urls: READY.urls });
});

test('people get addresses, credentials, and a command to paste', () => {
  expect(banner(READY, false)).toMatchInlineSnapshot(`
    "
      onesim 1.2.3  a local OpenNebula that you can break on purpose

      engine            http://127.0.0.1:1337
      gatekeeper        http://127.0.0.1:1337/api/v2
      oned              http://127.0.0.1:2633/RPC2
      oneflow           http://127.0.0.1:2474
      control           http://127.0.0.1:1337/_onesim

      cloud users       oneadmin:opennebula  alice:alice
      gatekeeper users  demo:demo
      world             default, seed 1
      time              clock real, timing realistic
      profile           upstream

      Create a runtime, or whatever else you came for:

      curl -u alice:alice -H 'Content-Type: application/json' -d '{"SERVERLESS_RUNTIME":{"FAAS":{"FLAVOUR":"Function"}}}' http://127.0.0.1:1337/serverless-runtimes
    "
  `);
});

test('the profile is said with what is switched besides', () => {
  const config = { ...CONFIG_DEFAULTS, deviations: { 'get-200': false, 'limit-uncapped': true } };
  expect(banner({ ...READY, config }, false)).toContain('upstream, get-200 off, limit-uncapped on\n');
});

test('colours are for terminals only', () => {
  expect(banner(READY, true)).toContain('\u001b[1monesim\u001b[0m');
  expect(banner(READY, false)).not.toContain('\u001b');
});

test('the command is quoted for a shell, whatever the password', () => {
  const world = { ...READY.world, users: [{ name: 'bob', password: "it's $HOME" }] };
  expect(banner({ ...READY, world }, false)).toContain(`curl -u 'bob:it'\\''s $HOME' -H`);
});

test('a world without flavours is asked for its version', () => {
  expect(banner({ ...READY, world: {} }, false)).toContain('  curl http://127.0.0.1:1337/server/version');
  expect(banner({ ...READY, world: {} }, false)).toContain('oneadmin:opennebula');
});

test('a port of its own is shown where there is one', () => {
  const config = { ...CONFIG_DEFAULTS, managerPort: 8000 };
  const urls = { ...READY.urls, manager: 'http://127.0.0.1:8000/api/v1' };
  expect(banner({ ...READY, config, urls }, false)).toContain('  manager           http://127.0.0.1:8000/api/v1\n');
});
