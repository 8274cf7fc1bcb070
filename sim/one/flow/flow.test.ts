import { beforeEach, describe, expect, test } from 'vitest';
import type { Caller } from '../access/user.ts';
import type { Cloud } from '../cloud.ts';
import { furnishedCloud, OTHER, TESTER } from '../testing.ts';
import type { FlowError } from './flow-error.ts';
import type { Json, JsonObject } from './json.ts';
import { roleNamed, roleState, type Service, serviceState } from './service.ts';
import { cloneServiceTemplate, createServiceTemplate, deleteServiceTemplate } from './service-template.ts';

let cloud: Cloud;
let tester: Caller;
let other: Caller;

beforeEach(() => {
  cloud = furnishedCloud();
  tester = cloud.authenticate(TESTER, 'one.user.info');
  other = cloud.authenticate(OTHER, 'one.user.info');
});

const role = (more: JsonObject = {}): JsonObject => ({ name: 'FAAS', cardinality: 1, vm_template: 0, ...more });

function made(body: JsonObject = {}, merge?: Json): Service {
  const template = createServiceTemplate(cloud, tester, {
    name: 'F',
    deployment: 'straight',
    roles: [role()],
    ...body,
  });
  return cloud.flow.instantiate(tester, template.id, merge).service;
}

/** Brings every VM that waits to a host, and lets all settle. */
function settle(ms = 10_000): void {
  for (let round = 0; round < 3; round++) {
    for (const vm of cloud.vms) if (vm.state === 'PENDING') cloud.run(cloud.root, 'one.vm.deploy', vm.id, 0);
    cloud.clock.advanceNow(ms / 2);
  }
}

function running(body: JsonObject = {}, merge?: Json): Service {
  const service = made(body, merge);
  settle();
  expect(serviceState(service)).toBe('RUNNING');
  return service;
}

/** `status message` of a refusal. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    const { status, message } = error as FlowError;
    return `${status} ${message}`;
  }
  throw new Error('was not refused');
}

const messages = (service: Service): string[] => (service.body.log ?? []).map(({ message }) => message);
const stateOf = (service: Service, name: string): string => {
  const found = roleNamed(service, name);
  return found === undefined ? 'none' : roleState(found);
};
const gone = (service: Service): boolean => cloud.documents.find(service.id) === undefined;

describe('instantiation', () => {
  test('answers with an early picture of a service that is further on', () => {
    const template = createServiceTemplate(cloud, tester, { name: 'F', roles: [role()] });
    const { service, body } = cloud.flow.instantiate(tester, template.id);
    expect(body).toMatchObject({ state: 0, roles: [{ state: 0 }] });
    expect(body.log).toBeUndefined();
    expect(serviceState(service)).toBe('DEPLOYING');
    expect(service.body.roles[0]?.nodes).toHaveLength(1);
  });

  test('tells the VM where it belongs', () => {
    const service = made({}, { roles: [{ vm_template_contents: 'X="1"' }] });
    const vm = cloud.vms.get(0);
    expect(vm.name).toBe(`FAAS_0_(service_${service.id})`);
    expect(vm.userTemplate.get('SERVICE_ID')).toBe(String(service.id));
    expect(vm.userTemplate.get('ROLE_NAME')).toBe('FAAS');
    expect(vm.userTemplate.get('X')).toBe('1');
  });

  test('keeps what APPEND names beside what is given', () => {
    cloud.run(cloud.root, 'one.template.update', 0, 'TAG="a"', 1);
    made({}, { roles: [{ vm_template_contents: 'APPEND="TAG"\nTAG="b"' }] });
    const tags = [...cloud.vms.get(0).userTemplate].filter(({ name }) => name === 'TAG').map(({ value }) => value);
    expect(tags).toEqual(['a', 'b']);
  });

  test('fills in custom attributes, user inputs and networks', () => {
    const networks = { pub: 'M|network|d| |id:0' };
    const contents = 'A="$X" B="$Y" N="$pub" Z="$Z"';
    const body = {
      networks,
      custom_attrs: { X: 'O|text', Y: 'O|text' },
      roles: [role({ vm_template_contents: contents })],
    };
    const merge = { custom_attrs_values: { X: '1', Y: '2' }, roles: [{ user_inputs_values: { I: 'in' } }] };
    made(body, merge);
    const { userTemplate } = cloud.vms.get(0);
    expect(['A', 'B', 'N', 'Z', 'I'].map((name) => userTemplate.get(name))).toEqual(['1', '2', '0', '$Z', 'in']);
  });

  test.each<[JsonObject, Json, string]>([
    [
      { custom_attrs: { X: 't' } },
      {},
      'The Service template specifies custom attributes but no values have been found',
    ],
    [{ custom_attrs: { X: 't' } }, { custom_attrs_values: [] }, 'Wrong custom_attrs or custom_attrs_values format'],
    [
      { custom_attrs: { X: 't' } },
      { custom_attrs_values: {} },
      'Verify that every custom attribute have its corresponding value defined',
    ],
    [{ networks: { pub: 'M|network' } }, {}, 'Wrong networks format'],
    [{ networks: { pub: 'M|network|d| |id:0' } }, { networks_values: ['x'] }, 'Wrong networks_values format'],
    [
      { networks: { pub: 'M|network|d| |id:0' } },
      { networks_values: [{ priv: { id: '0' } }] },
      'Every network key must have its value defined at networks_value',
    ],
  ])('of %j with %j is refused', (body, merge, message) => {
    expect(refusal(() => made(body, merge))).toBe(`400 ${message}`);
  });

  test('of a network that cannot be made is refused, and leaves the service behind', () => {
    expect(refusal(() => made({ networks: { pub: 'M|network|d| |template_id:9' } }))).toBe(
      '404 [one.vntemplate.instantiate] Error getting virtual network template [9].',
    );
    expect(cloud.flow.services(tester).map(serviceState)).toEqual(['FAILED_DEPLOYING']);
  });

  test('reserves networks for the service, and gives them back with it', () => {
    cloud.run(cloud.root, 'one.vn.chmod', 0, 1, 1, 0, 1, 1, 0, 1, 1, 0);
    cloud.run(cloud.root, 'one.acl.addrule', '0x200000001', '0x4400000000', '0xa', '0x400000000');
    const merge = { networks_values: [{ pub: { reserve_from: '0', extra: 'SIZE=5' } }] };
    const service = running({ networks: { pub: 'M|network|d| |reserve_from:0' } }, merge);
    expect([...cloud.vnets].map(({ name }) => name)).toEqual(['fnet', `pub-${service.id}`]);
    cloud.flow.delete(tester, service.id);
    settle();
    expect([...cloud.vnets].map(({ name }) => name)).toEqual(['fnet']);
  });

  test('of a role whose template the caller may not use fails at once', () => {
    cloud.run(cloud.root, 'one.template.chmod', 0, 1, 1, 0, 0, 0, 0, 0, 0, 0);
    const service = made();
    expect(serviceState(service)).toBe('FAILED_DEPLOYING');
    expect(messages(service)).toEqual([
      'New state: DEPLOYING_NETS',
      'Role FAAS : Instantiate failed for template 0; ' +
        '[one.template.instantiate] User [2] : Not authorized to perform USE TEMPLATE [0].',
      'New state: FAILED_DEPLOYING',
    ]);
  });

  test('bounds the number of VMs of a role', () => {
    const service = made({ roles: [role({ cardinality: 1_000_000_000 })] });
    expect(serviceState(service)).toBe('FAILED_DEPLOYING');
    expect(cloud.vms.size).toBe(0);
  });

  test('of nothing runs at once, and of a role without VMs soon', () => {
    expect(serviceState(made({ roles: [] }))).toBe('RUNNING');
    const empty = made({ roles: [role({ cardinality: 0 })] });
    expect(serviceState(empty)).toBe('DEPLOYING');
    settle();
    expect(messages(empty).at(-1)).toBe('New state: RUNNING');
  });

  test('waits for ever for a parent that does not exist', () => {
    const service = made({ roles: [role({ parents: ['NOBODY'] })] });
    settle();
    expect(serviceState(service)).toBe('DEPLOYING_NETS');
  });
});

describe('strategies', () => {
  const roles = [role({ name: 'A' }), role({ name: 'B', parents: ['A'] })];

  test('straight deploys parents first', () => {
    const service = made({ roles });
    expect([stateOf(service, 'A'), stateOf(service, 'B')]).toEqual(['DEPLOYING', 'PENDING']);
    settle();
    expect(serviceState(service)).toBe('RUNNING');
  });

  test('none deploys all at once', () => {
    const service = made({ deployment: 'none', roles });
    expect([stateOf(service, 'A'), stateOf(service, 'B')]).toEqual(['DEPLOYING', 'DEPLOYING']);
  });

  test('a child reads what its parent has', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is OneFlow's own syntax
    const child = role({ name: 'B', parents: ['A'], vm_template_contents: 'IP_A="${A.nic.ip}" NONE="${C.nic.ip}"' });
    running({ roles: [role({ name: 'A' }), child] });
    expect(cloud.vms.get(1).userTemplate.get('IP_A')).toBe(cloud.vms.get(0).nics[0]?.ip);
    expect(cloud.vms.get(1).userTemplate.get('NONE')).toBe('');
  });

  test('what is on hold is released parents first', () => {
    const service = made({ roles, on_hold: true });
    settle();
    expect(serviceState(service)).toBe('HOLD');
    expect([...cloud.vms].map(({ state }) => state)).toEqual(['HOLD', 'HOLD']);
    cloud.flow.release(tester, service.id);
    expect([stateOf(service, 'A'), stateOf(service, 'B')]).toEqual(['DEPLOYING', 'HOLD']);
    settle();
    expect(serviceState(service)).toBe('RUNNING');
    expect(refusal(() => cloud.flow.release(tester, service.id))).toBe('500 Service has no roles in HOLD');
  });
});

describe('scaling', () => {
  test('goes up, cools down and comes back', () => {
    const service = running();
    cloud.flow.scale(tester, service.id, 'FAAS', 3, false);
    expect(service.body.roles[0]).toMatchObject({ cardinality: 3, scale_way: 0 });
    settle();
    expect(serviceState(service)).toBe('COOLDOWN');
    expect(service.body.roles[0]).not.toHaveProperty('scale_way');
    cloud.clock.advanceNow(300_000);
    expect(serviceState(service)).toBe('RUNNING');
    cloud.flow.scale(tester, service.id, 'FAAS', 1, false);
    settle();
    expect(service.body.roles[0]?.nodes.map((node) => node.deploy_id)).toEqual([2]);
  });

  test('gives new VMs to the owner of the service, whoever asks', () => {
    const service = running();
    cloud.flow.scale(cloud.root, service.id, 'FAAS', 2, false);
    expect(cloud.vms.get(1).uid).toBe(tester.uid);
  });

  test('keeps to its bounds, unless forced', () => {
    const service = running({ roles: [role({ min_vms: 1, max_vms: 2 })] });
    const scale = (to: number, force?: boolean): string =>
      refusal(() => cloud.flow.scale(tester, service.id, 'FAAS', to, force));
    expect(scale(0, false)).toBe(`500 Can't scale service ${service.id}: Minimum cardinality is 1`);
    expect(scale(3, false)).toBe(`500 Can't scale service ${service.id}: Maximum cardinality is 2`);
    expect(scale(1, true)).toBe('500 Cardinality of FAAS is already at 1');
    cloud.flow.scale(tester, service.id, 'FAAS', 3, true);
    expect(service.body.roles[0]?.nodes).toHaveLength(3);
  });

  test('fails as a whole when a VM cannot be made, and recovers when it can', () => {
    const service = running({ deployment: 'none' });
    cloud.run(cloud.root, 'one.template.chmod', 0, 1, 1, 0, 0, 0, 0, 0, 0, 0);
    expect(refusal(() => cloud.flow.scale(tester, service.id, 'FAAS', 2, false))).toMatch(
      /^500 Error deploying role FAAS: Error instantiating VM Template 0 in Role FAAS: /,
    );
    expect(serviceState(service)).toBe('FAILED_SCALING');
    cloud.run(cloud.root, 'one.template.chmod', 0, 1, 1, 0, 1, 0, 0, 1, 0, 0);
    cloud.flow.recover(tester, service.id);
    settle();
    expect(serviceState(service)).toBe('COOLDOWN');
    expect(service.body.roles[0]?.nodes).toHaveLength(2);
  });
});

describe('roles', () => {
  test('can be added to a running service, and removed again', () => {
    const service = running();
    cloud.flow.addRole(tester, service.id, role({ name: 'DAAS' }));
    expect(serviceState(service)).toBe('DEPLOYING');
    settle();
    expect(serviceState(service)).toBe('RUNNING');
    expect(refusal(() => cloud.flow.addRole(tester, service.id, role({ name: 'DAAS' })))).toBe(
      '500 Role DAAS already exists',
    );
    cloud.flow.removeRole(tester, service.id, 'DAAS');
    settle();
    expect(service.body.roles.map(({ name }) => name)).toEqual(['FAAS']);
    expect(serviceState(service)).toBe('RUNNING');
    expect(refusal(() => cloud.flow.removeRole(tester, service.id, 'DAAS'))).toBe('500 Role DAAS does not exist');
  });

  test('the last one takes the service with it', () => {
    const service = running();
    cloud.flow.removeRole(tester, service.id, 'FAAS');
    settle();
    expect(gone(service)).toBe(true);
  });
});

describe('the watchdog', () => {
  test('removes the node of a VM that is done, and with automatic deletion the service', () => {
    const service = running({ automatic_deletion: true });
    cloud.run(cloud.root, 'one.vm.action', 'terminate-hard', 0);
    settle();
    expect(gone(service)).toBe(true);
  });

  test('does not look after a service whose scaling was refused for its role or its number', () => {
    const service = running();
    expect(refusal(() => cloud.flow.scale(tester, service.id, 'NOPE', 2, false))).toBe('500 Role NOPE not found');
    cloud.run(cloud.root, 'one.vm.action', 'poweroff', 0);
    settle();
    expect(serviceState(service)).toBe('RUNNING');
  });
});

describe('updates', () => {
  const readBack = (service: Service): JsonObject => JSON.parse(JSON.stringify(service.body)) as JsonObject;

  test('take back what was read, with other policies', () => {
    const service = running();
    cloud.flow.update(tester, service.id, { ...readBack(service), note: 'x' }, false);
    expect(cloud.flow.info(tester, service.id).body.note).toBe('x');
    cloud.run(cloud.root, 'one.vm.action', 'poweroff', 0);
    settle();
    expect(serviceState(service)).toBe('WARNING');
  });

  test.each<[(body: JsonObject) => JsonObject, boolean, string]>([
    [(body) => ({ ...body, state: 1 }), false, 'Immutable value: `service/state` can not be changed'],
    [(body) => ({ ...body, roles: [] }), false, 'Immutable value: `service/roles size` can not be changed'],
    [
      (body) => ({ ...body, roles: [{ ...(body.roles as JsonObject[])[0], name: 'X' }] }),
      false,
      'To change `service/name` use rename operation',
    ],
    [
      (body) => ({ ...body, roles: [{ ...(body.roles as JsonObject[])[0], cardinality: 9 }] }),
      false,
      'Immutable value: `role/cardinality` can not be changed',
    ],
    [() => ({ name: 'X' }), true, 'Immutable value: `service/name` can not be changed'],
  ])('are refused for what may not change', (change, append, message) => {
    const service = running();
    expect(refusal(() => cloud.flow.update(tester, service.id, change(readBack(service)), append))).toBe(
      `500 ${message}`,
    );
  });

  test('are noticed when they come through oned', () => {
    const service = running();
    const body = { ...readBack(service), note: 'x' };
    cloud.run(tester, 'one.document.update', service.id, `BODY=${JSON.stringify(JSON.stringify(body))}`, 0);
    expect(cloud.flow.info(tester, service.id).body).toMatchObject({ note: 'x', state: 2 });
  });
});

describe('rights', () => {
  test('of a reader are not enough to change anything', () => {
    const service = running();
    cloud.flow.chmod(tester, service.id, '644');
    expect(cloud.flow.info(other, service.id)).toBe(service);
    expect(refusal(() => cloud.flow.delete(other, service.id))).toBe(
      '500 Error undeploying role FAAS: Error undeploying nodes for role `FAAS`',
    );
    expect(refusal(() => cloud.flow.rename(other, service.id, 'mine'))).toBe(
      `401 [one.document.rename] User [3] : Not authorized to perform MANAGE DOCUMENT [${service.id}].`,
    );
    settle();
    expect(serviceState(service)).toBe('RUNNING');
    expect(messages(service).at(-1)).toBe('New state: RUNNING');
    cloud.run(cloud.root, 'one.vm.action', 'poweroff', 0);
    settle();
    expect(serviceState(service)).toBe('WARNING');
  });

  test('to give the service away includes its VMs, or is taken back', () => {
    const service = running();
    cloud.flow.chown(cloud.root, service.id, other.uid, -1);
    expect([service.uid, cloud.vms.get(0).uid]).toEqual([3, 3]);
    cloud.run(cloud.root, 'one.vm.lock', 0, 4);
    expect(refusal(() => cloud.flow.chown(cloud.root, service.id, tester.uid, -1))).toMatch(/^500 \[one.vm.chown\]/);
    expect(service.uid).toBe(3);
    expect(messages(service).at(-1)).toBe(
      'Chown operation failed, will try to rollback all VMs to the old user and group',
    );
  });

  test('come from the session', () => {
    expect(cloud.flow.authenticate(TESTER).uid).toBe(2);
    expect(refusal(() => cloud.flow.authenticate('tester:no'))).toBe('401 Invalid credentials');
  });
});

describe('service templates', () => {
  const template = { name: 'T', roles: [role({ name: 'A' }), role({ name: 'B' })] };

  test('are cloned with their VM templates, each once', () => {
    cloud.run(cloud.root, 'one.template.chmod', 0, 1, 1, 0, 1, 1, 0, 1, 1, 0);
    const source = createServiceTemplate(cloud, tester, template);
    const copy = cloneServiceTemplate(cloud, tester, source.id, 'copy', 'templates');
    expect(copy.body.roles.map((each) => each.vm_template)).toEqual([1, 1]);
    expect(cloud.templates.get(1).name).toBe('Function-vm-copy');
    deleteServiceTemplate(cloud, tester, copy.id, 'templates');
    expect(cloud.templates.find(1)).toBeUndefined();
    expect(refusal(() => deleteServiceTemplate(cloud, tester, source.id, 'some'))).toBe(
      '500 Wrong type NilClass. Not allowed!',
    );
  });
});

test('the log keeps the last fifty entries', () => {
  const service = running();
  for (let i = 0; i < 40; i++) {
    cloud.run(cloud.root, 'one.vm.action', i % 2 === 0 ? 'poweroff' : 'resume', 0);
    settle(4_000);
  }
  for (let i = 0; i < 10; i++) {
    cloud.driver.enter(cloud.vms.get(0), 'UNKNOWN');
    settle(4_000);
    cloud.driver.enter(cloud.vms.get(0), 'RUNNING');
    settle(4_000);
  }
  expect(service.body.log).toHaveLength(50);
});

test('a service that runs and waits for nothing keeps no event in the queue', () => {
  // The scheduler has its own, as soon as it has had work.
  cloud.flow.delete(tester, running().id);
  settle();
  const before = cloud.clock.pending;
  running();
  expect(cloud.clock.pending).toBe(before);
});
