/** For tests: the recorded calls of `fixtures/golden/xmlrpc.ndjson`, in the order in which they are played again. */
import { recordings } from './recorded.ts';

export const CALLS = recordings('xmlrpc.ndjson');

// ---- what is not reproduced ---------------------------------------------------------------------------------------

const CHANCE = 'the dummy drivers report chance numbers';
const SETTINGS = 'settings of parts that are not there; those that are there are compared below';
export const NOT_REPRODUCED: Readonly<Record<string, string>> = {
  err_type_int_for_bool: `${CHANCE}, and the VM was made by a service`,
  'host.monitoring': CHANCE,
  'vmpool.monitoring': CHANCE,
  'vmpool.info_range': 'shows VMs that services made and ended before',
  listMethods: 'methods that are not there; those that are there are compared below',
  methodHelp: 'oned has a sentence for each method, and we for none',
  'system.config_admin': SETTINGS,
  'system.config_user': SETTINGS,
};

// ---- in which order they were made --------------------------------------------------------------------------------

export const DOCUMENTS = [
  'document.allocate',
  'document.allocate_noname',
  'document.allocate_dupname',
  'document.allocate_badname',
  'document.allocate_badsyntax',
  'document.allocate_badxml',
  'document.allocate_longname',
  'document.clone',
  'document.update_replace',
  'document.update_append',
  'document.info_after_update',
  'document.update_bad',
  'document.update_badtype',
  'document.update_missing',
  'document.update_other',
  'document.info_after_badtype',
  'document.rename',
  'document.rename_empty',
  'document.rename_long',
  'document.rename_missing',
  'document.rename_other',
  'document.rename_same',
  'document.rename_xml',
  'document.chmod_bad',
  'document.chmod_adm',
  'document.chmod_other',
  'document.chown',
  'document.chown_user',
  'document.chown_back',
];
export const LOCKED_DOCUMENT = [
  'document.lock_again',
  'document.lock_badlevel',
  'document.info_locked',
  'document.update_locked',
  'document.delete_locked',
  'document.unlock',
  'document.unlock_again',
  'document.delete_other',
  'document.delete',
  'document.delete_again',
  'document.info_deleted',
];

export const NEW_VMS = [
  'template.instantiate_ok',
  'template.instantiate_hold',
  'template.instantiate_extra',
  'template.instantiate_cpu_over_max',
  'template.instantiate_mem_nan_max',
  'vm.info_noflag',
  'vm.info_decrypt',
  'vm.info_other',
  'vmpool.info_2',
  'vmpool.info_3',
  'vmpool.info_m1',
  'vmpool.info_m2',
  'vmpool.info_m3',
  'vmpool.info_m4',
  'vmpool.info_state_pending',
  'vmpool.infoextended',
  'vmpool.infoset',
  'vmpool.infoset_short',
  'vm.resize_pending',
  'vm.deploy_nohost',
  'vm.deploy_user',
];
/** Of the VM once it runs; each is given the time that it takes. */
export const RUNNING_VM = [
  'vm.info_RUNNING_user',
  'vm.resize_badtmpl',
  'vm.resize_cpuneg',
  'vm.resize_empty',
  'vm.resize_huge_mem',
  'vm.resize_memneg',
  'vm.resize_other',
  'vm.resize_other_attr',
  'vm.resize_vcpuneg',
  'vm.resize_mem_float',
  'vm.resize_xml',
  'vm.resize_over_vcpu_max',
  'vm.resize_noenforce',
  'vm.diskresize_context',
  'vm.diskresize_empty',
  'vm.diskresize_float',
  'vm.diskresize_int_size',
  'vm.diskresize_missing',
  'vm.diskresize_neg',
  'vm.diskresize_other',
  'vm.diskresize_same',
  'vm.diskresize_smaller',
  'vm.diskresize_text',
  'vm.diskresize_ok',
  'host.info_used',
  'image.info_used',
  'vm.update_append',
  'vm.update_bad',
  'vm.update_badtype',
  'vm.update_missing',
  'vm.update_replace',
  'vm.info_after_update',
  'vm.update_cpu_in_user_template',
  'vm.update_device_info',
  'vm.info_after_update2',
  'vm.rename',
  'vm.rename_empty',
  'vm.rename_long',
  'vm.chmod',
  'vm.chown_user',
  'vm.info_other_after_chmod',
  'vm.action_other_use',
  'vm.lock',
  'vm.info_locked',
  'vm.action_locked',
  'vm.unlock',
  'vm.recover_1arg',
  'vm.recover_neg',
  'vm.recover_missing',
  'vm.resize_missing',
  'vm.attachnic_missing',
  'vm.allocate_nomem',
  'vm.allocate_user',
  'vm.updateconf',
  'vm.snapshotcreate',
];

export const ORDERED: readonly string[] = [...DOCUMENTS, ...LOCKED_DOCUMENT, ...NEW_VMS, ...RUNNING_VM];

/** All the others change nothing, so that their order does not matter. */
export const STILL = [...CALLS.keys()].filter((name) => !(name in NOT_REPRODUCED) && !ORDERED.includes(name));

/** What the dummy probe tells of a machine that it makes up, and what it measures there. */
const withoutHardware = (body: string): string =>
  body
    .replace(/(&lt;(PCI_DEVICES|NUMA_NODES)&gt;).*?(&lt;\/\2&gt;)/g, '$1$3')
    .replace(/&lt;(ARCH|CPUSPEED|KVM_CPU_FEATURES|KVM_CPU_MODELS|MODELNAME)&gt;.*?&lt;\/\1&gt;/g, '')
    .replace(/&lt;MONITORING&gt;.*?&lt;\/MONITORING&gt;/g, '&lt;MONITORING/&gt;');

/** What of an answer is not compared. */
export const adaptation = (name: string) => (name.startsWith('host') ? withoutHardware : undefined);
