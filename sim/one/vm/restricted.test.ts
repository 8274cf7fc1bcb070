import { describe, expect, it } from 'vitest';
import { Template } from '../syntax/syntax.ts';
import { restrictedAttribute } from './restricted.ts';

describe('a restricted attribute', () => {
  it.each([
    ['CONTEXT=[FILES=x]', 'CONTEXT', 'FILES'],
    ['NIC=[NETWORK_ID=0, MAC=x]', 'NIC', 'MAC'],
    ['NIC_ALIAS=[VLAN_ID=1]', 'NIC_ALIAS', 'VLAN_ID'],
    ['NIC=[INBOUND_AVG_BW=1]', 'NIC', 'INBOUND_AVG_BW'],
    ['DISK=[TOTAL_BYTES_SEC=1]', 'DISK', 'TOTAL_BYTES_SEC'],
    ['DISK=[READ_IOPS_SEC_MAX=1]', 'DISK', 'READ_IOPS_SEC_MAX'],
    ['DEPLOY_ID=x', 'DEPLOY_ID', undefined],
    ['PCI=[CLASS=1]', 'PCI', undefined],
    ['RAW=[DATA=x]', 'RAW', 'DATA'],
    ['USER_INPUTS=[CPU=x]', 'USER_INPUTS', 'CPU'],
    ['VCENTER_X=1', 'VCENTER_X', undefined],
    ['TOPOLOGY=[PIN_POLICY=CORE]', 'TOPOLOGY', 'PIN_POLICY'],
    ['VC_ID=x', 'VC_ID', undefined],
  ])('is in %s', (text, name, sub) => {
    expect(restrictedAttribute(Template.parse(text))).toEqual(sub === undefined ? { name } : { name, sub });
  });

  it.each(['NIC=[NETWORK_ID=0]', 'DISK=[SIZE=1]', 'RAW=[TYPE=kvm]', 'MAC=x', 'USER_INPUTS=[A=x]', 'CONTEXT=FILES'])(
    'is not in %s',
    (text) => {
      expect(restrictedAttribute(Template.parse(text))).toBeUndefined();
    },
  );
});
