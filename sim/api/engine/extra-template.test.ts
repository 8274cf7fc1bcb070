import { describe, expect, it } from 'vitest';
import { Template } from '../../one/syntax/syntax.ts';
import { type Hash, parseJson } from '../ruby-json.ts';
import { ENGINE_DEFAULTS } from './config.ts';
import { roleContents, userTemplate } from './extra-template.ts';
import { Crash } from './refusal.ts';

const FUNCTION_VM =
  'CPU=0.1 MEMORY=128 DISK=[IMAGE_ID="0"] CONTEXT=[SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]", NETWORK="YES"]';

const hash = (text: string): Hash => parseJson(text) as Hash;

const contents = (wanted: string, template: string): string =>
  roleContents(hash(wanted), Template.parse(template), 'oneadmin:opennebula', ENGINE_DEFAULTS.capacity, USER);

const USER = 'FLAVOURS="7"';

describe('roleContents', () => {
  it('is what upstream sends, byte for byte', () => {
    expect(contents('{"FLAVOUR":"Function"}', FUNCTION_VM)).toBe(
      `HOT_RESIZE=[CPU_HOT_ADD_ENABLED=YES,
MEMORY_HOT_ADD_ENABLED=YES]
MEMORY_RESIZE_MODE=BALLOONING
DISK=[IMAGE_ID="0",
SIZE="1024"]
CPU=2
VCPU=2
MEMORY=128
VCPU_MAX=4
MEMORY_MAX=256
CONTEXT=[NETWORK="YES",
SSH_PUBLIC_KEY="$USER[SSH_PUBLIC_KEY]",
SR_AUTH="b25lYWRtaW46b3Blbm5lYnVsYQ==
"]
FLAVOURS="7"`,
    );
  });

  it('is text that oned can parse, with the credentials in the context', () => {
    const context = Template.parse(contents('{"CPU":3,"MEMORY":177,"DISK_SIZE":1338}', FUNCTION_VM)).vector('CONTEXT');
    expect(context?.get('SR_AUTH')).toBe('b25lYWRtaW46b3Blbm5lYnVsYQ==\n');
  });

  it('takes capacity from the body, else from the template, else from the configuration', () => {
    const given = Template.parse(contents('{"CPU":3,"MEMORY":177,"DISK_SIZE":1338}', FUNCTION_VM));
    expect([given.get('CPU'), given.get('VCPU_MAX'), given.get('MEMORY')]).toEqual(['3', '6', '177']);
    expect(given.vector('DISK')?.get('SIZE')).toBe('1338');
    const ofTemplate = Template.parse(contents('{}', 'VCPU=4 MEMORY=512 DISK=[IMAGE_ID=0]'));
    expect([ofTemplate.get('CPU'), ofTemplate.get('MEMORY_MAX')]).toEqual(['4', '1024']);
    expect(Template.parse(contents('{}', 'MEMORY=0 DISK=[IMAGE_ID=0]')).get('MEMORY')).toBe('1024');
  });

  it('leaves a disk its own size', () => {
    const disk = Template.parse(contents('{"DISK_SIZE":777}', 'DISK=[IMAGE_ID=0, SIZE=300]')).vector('DISK');
    expect(disk?.get('SIZE')).toBe('300');
  });

  it('puts the credentials into a context of their own where the template has none', () => {
    const context = Template.parse(contents('{}', 'DISK=[IMAGE_ID=0]')).vector('CONTEXT');
    expect([...(context ?? [])].map(([key]) => key)).toEqual(['SR_AUTH']);
  });

  it('is made once for all that ask for the same, and anew for others', () => {
    const template = Template.parse(FUNCTION_VM);
    const of = (wanted: string, user = USER, session = 'a:b'): string =>
      roleContents(hash(wanted), template, session, ENGINE_DEFAULTS.capacity, user);
    const first = of('{"CPU":3}');
    expect(of('{"CPU":3}')).toBe(first);
    const others = [of('{"CPU":4}'), of('{"CPU":3}', ''), of('{"CPU":3}', USER, 'a:c'), of('{"CPU":3,"MEMORY":9}')];
    expect(new Set([first, ...others]).size).toBe(5);
    template.set('MEMORY', '512');
    expect(of('{"CPU":3}')).not.toBe(first);
  });

  it('crashes without a disk, with two, and when it is not UTF-8', () => {
    expect(() =>
      roleContents(hash('{}'), Template.parse(FUNCTION_VM), 'a:b', ENGINE_DEFAULTS.capacity, '\udce9'),
    ).toThrow(Crash);
    expect(() => contents('{}', 'MEMORY=128')).toThrow(Crash);
    expect(() => contents('{}', 'DISK=[IMAGE_ID=0] DISK=[IMAGE_ID=1]')).toThrow(Crash);
  });
});

describe('userTemplate', () => {
  it('puts scheduling into upper case, under the names of the scheduler', () => {
    expect(userTemplate(hash('{"SCHEDULING":{"POLICY":"energy","REQUIREMENTS":"free_cpu > 1"}}'))).toBe(
      'SCHED_RANK="ENERGY"\nSCHED_REQUIREMENTS="FREE_CPU > 1"\n',
    );
  });

  it('writes the device as a vector of what holds something', () => {
    expect(userTemplate(hash('{"DEVICE_INFO":{"FOO":"bar","X":false,"N":null,"Y":[1],"L":0.5}}'))).toBe(
      'DEVICE_INFO=[FOO="bar",\nY="[1]",\nL="0.5"]\n',
    );
    expect(userTemplate(hash('{"DEVICE_INFO":{}}'))).toBe('DEVICE_INFO=[]\n');
    expect(userTemplate(hash('{}'))).toBe('');
  });

  it('has no name for what the scheduler does not know, and crashes on what has no upper case', () => {
    expect(userTemplate(hash('{"SCHEDULING":{"OTHER":"x"}}'))).toBe('="X"\n');
    expect(() => userTemplate(hash('{"SCHEDULING":{"OTHER":1}}'))).toThrow(Crash);
  });
});
