/**
 * For tests: the recordings in the order in which they were made, in groups, and what was done to the cloud between them.
 * The file has them by name; the ids in them tell the order.
 */
import { RECORDED } from './recorded-playback.ts';
import {
  ADMIN,
  act,
  allow,
  type Begun,
  begin,
  DAAS,
  down,
  during,
  FAAS,
  FAIL,
  hosts,
  lateLook,
  next,
  pass,
  put,
  type Step,
  seen,
  settle,
  slow,
  TESTER,
  write,
} from './recorded-steps.ts';

/** Recordings that need no runtime, each in a world of its own. */
const ALONE = [...RECORDED.keys()].filter((name) =>
  /^(auth_(?!(double_space|extra_colon)_post)|badauth_|bearer_|noauth_|wrongpass_|post_(?!no_service)|schema_|list_|unknown_|options_|patch_|root|trailing_|version_|server_|collection_|get_(via|with)_|chunked_|put_missing_n|id_(?!existing)|http_(?!long|very_long|lowercase)|failed_(deploy_try$|net)|create_(cdata|twodisk|name_xml))/.test(
    name,
  ),
);

/** Why a recording cannot be played here. */
export const NOT_PLAYED: Readonly<Record<string, string>> = {
  badnet_post: 'no answer was recorded: upstream lost a race and its web server closed the connection after 30 s',
  create_cpu_zero: 'as badnet_post',
  'failed_deploy_try#2': 'as badnet_post',
  conf_timeout3_failed_deploy: 'upstream lost the same race; the answer `0` is shown by the test of the time-out',
  http_long_header: 'a limit of the web server thin, below the engine; webrick answers as this engine does',
  http_long_uri: 'as http_long_header; puma answers as this engine does',
  http_very_long_uri: 'as http_long_uri',
  http_lowercase_method: 'refused by the web server, below the engine',
};

const runs = (name: string): boolean => RECORDED.get(name)?.response?.body?.includes('"STATE":"RUNNING"') ?? false;

/** From creation to deletion: recordings were made at once, when it ran, and at the end; some VMs ran at once. */
function life(name: string, unrecorded?: Begun): Step[] {
  const first = `get_${name}_first`;
  const steps: Step[] = [
    ...(runs(`create_${name}`) ? [lateLook] : []),
    unrecorded === undefined ? `create_${name}` : begin(unrecorded),
    ...(runs(first) ? [settle] : []),
    first,
    settle,
    `get_${name}_running`,
    `delete_${name}`,
  ];
  return steps.filter((step) => typeof step !== 'string' || RECORDED.has(step));
}

export const GROUPS: Readonly<Record<string, readonly Step[]>> = {
  ...Object.fromEntries(ALONE.map((name) => [name, [name]])),

  ...Object.fromEntries(
    [
      'client_ids',
      'daas_empty_flavour',
      'device_info_latency_int',
      'faas_minimal',
      'name_128',
      'name_empty',
      'name_quotes',
      'name_trailing_space',
      'name_unicode',
      'nature',
      'net6',
      'netx',
      'nomem',
      'scheduling',
      'sized',
      'vcpu4',
    ].map((name) => [`a runtime: ${name}`, life(name)]),
  ),
  'a runtime: daas_capacity': life('daas_capacity', {
    document: 49,
    service: 48,
    vm: 17,
    vm2: 18,
    body: `"NAME":"Function and Data as a Service","FAAS":{"FLAVOUR":"Function","CPU":2,"MEMORY":133,"DISK_SIZE":1025},"DAAS":{"CPU":3,"MEMORY":197,"DISK_SIZE":1337,"FLAVOUR":"Data"},"SCHEDULING":{},"DEVICE_INFO":{}`,
  }),
  'a runtime: daas_minimal': life('daas_minimal', {
    document: 47,
    service: 46,
    vm: 15,
    vm2: 16,
    body: '"FAAS":{"FLAVOUR":"Function"},"DAAS":{"FLAVOUR":"Data"}',
  }),
  'a runtime: device_info': life('device_info', {
    document: 53,
    service: 52,
    vm: 20,
    body: '"FAAS":{"FLAVOUR":"Function"},"DEVICE_INFO":{"LATENCY_TO_PE":0.360587,"GEOGRAPHIC_LOCATION":"Madrid"}',
  }),
  'a runtime: device_info_only_extra': life('device_info_only_extra', {
    document: 57,
    service: 56,
    vm: 22,
    body: '"FAAS":{"FLAVOUR":"Function"},"DEVICE_INFO":{"FOO":"bar","X":false,"Y":[1]}',
  }),
  'a runtime: faas_capacity': life('faas_capacity', {
    document: 45,
    service: 44,
    vm: 14,
    body: '"NAME":"Function as a Service","FAAS":{"FLAVOUR":"Function","MEMORY":177,"CPU":3,"DISK_SIZE":1338}',
  }),
  'a runtime: extra_props': life('extra_props', {
    document: 79,
    service: 78,
    vm: 33,
    body: '"FAAS":{"FLAVOUR":"Function","FOO":1},"BAR":[1,2]',
  }),
  'a runtime: nocontext_nonic': life('nocontext_nonic', {
    document: 65,
    service: 64,
    vm: 26,
    body: '"FAAS":{"FLAVOUR":"NoContext"}',
  }),
  'a runtime: scheduling_policy_only': life('scheduling_policy_only', {
    document: 61,
    service: 60,
    vm: 24,
    body: '"FAAS":{"FLAVOUR":"Function"},"SCHEDULING":{"POLICY":"energy, latency"}',
  }),
  'credentials that work': ['auth_double_space_post', lateLook, 'auth_extra_colon_post'],

  'no service template to use': [
    ({ cloud }) => {
      for (const { id } of cloud.documents) cloud.run(cloud.root, 'one.document.chmod', id, 1, 1, 0, 0, 0, 0, 0, 0, 0);
    },
    'post_no_service_templates',
    'post_no_service_templates_invalid',
  ],

  updates: [
    begin({ document: 95, service: 94, vm: 43 }),
    settle,
    'put_same_values',
    'put_capacity_up',
    'put_cpu_only_up',
    'put_cpu_over_max',
    'put_memory_over_max',
    'put_lower_cpu',
    'put_lower_memory',
    'get_current',
    'put_missing_cpu',
    'put_missing_memory',
    'put_missing_disk',
    'put_only_flavour',
    'get_after_missing',
    'put_no_faas',
    'put_only_name',
    'put_null',
    'put_invalid_json',
    'put_empty_object',
    'put_rename',
    'get_after_rename',
    'put_rename_same',
    'put_rename_empty',
    'put_rename_long',
    'get_after_rename_long',
    'put_rename_xml',
    'put_device_info',
    'get_after_device_info',
    'put_device_info_partial',
    'put_device_info_empty',
    'put_full_echo',
    'get_full_echo',
    'put_ids_changed',
    'put_daas_added',
    'put_cpu_zero',
    'put_memory_zero',
    'put_cpu_negative',
    'put_memory_negative',
    'put_memory_huge',
    'put_disk_zero',
    'put_disk_negative',
    'put_disk_huge',
    'get_end_of_puts',
    'id_existing_alnum',
    'id_existing_ext_json',
    'id_existing_float',
    'id_existing_query',
    'perm_get_other_user',
    'perm_put_other_user',
    'perm_delete_other_user',
    'perm_get_oneadmin',
    allow('document', 95, 1, 0),
    'perm_get_other_doc_use',
    'perm_put_other_doc_use',
    'perm_delete_other_doc_use',
    allow('document', 94, 1, 0),
    'perm_get_other_doc_service_use',
    allow('vm', 43, 1, 0),
    'perm_get_other_all_use',
    'perm_delete_other_all_use',
    allow('document', 95, 1, 1),
    'perm_get_other_doc_manage',
    'perm_put_other_doc_manage',
    'perm_delete_other_doc_manage',
    'get_perm_owner',
    'delete_ok',
    'get_deleted',
    'put_deleted',
  ],

  'a VM that waits for a host': [
    hosts(1),
    'st_pending_create',
    'st_pending_get',
    'st_pending_put',
    'st_pending_put_rename',
    'st_pending_get_after_rename',
    'st_pending_delete',
  ],

  'the states of a VM': [
    next('deploy', slow(60)),
    begin({ document: 99, service: 98, vm: 45 }),
    pass(10),
    'st_boot_get',
    'st_boot_put',
    settle,
    next('resize', slow(8)),
    during('st_resize_slow_put', 45, ['st_updating_get', 'st_updating_put']),
    next('resize', { do: 'stick' }),
    'st_resize_stuck_put',
    (play) => play.cloud.run(play.cloud.root, 'one.vm.recover', play.id('vm', 45), 1),
    next('resize', FAIL),
    'st_resize_fail_put',
    'st_resize_fail_get',
    put(99, '"CPU":2,"MEMORY":192,"DISK_SIZE":1024'),
    'st_cur',
    next('diskResize', FAIL),
    'st_diskresize_fail_put',
    'st_diskresize_fail_get',
    act(45, 'poweroff'),
    'st_poweroff_get',
    'st_poweroff_put',
    act(45, 'resume'),
    act(45, 'suspend'),
    'st_suspended_get',
    'st_suspended_put',
    act(45, 'resume'),
    act(45, 'stop'),
    'st_stopped_get',
    'st_stopped_put',
    act(45, 'resume'),
    act(45, 'undeploy'),
    'st_undeployed_get',
    'st_undeployed_put',
    'st_delete_after',
  ],

  'a boot that failed': [
    next('deploy', FAIL),
    begin({ document: 101, service: 100, vm: 46 }),
    settle,
    'st_bootfail_get',
    'st_bootfail_put',
    'st_bootfail_get_after',
    settle,
    'st_bootfail_get_recovered',
    'st_bootfail_delete',
  ],

  'a prolog that failed': [
    next('prolog', FAIL),
    lateLook,
    begin({ document: 103, service: 102, vm: 47 }),
    settle,
    'st_prologfail_get',
    'st_prologfail_delete',
  ],

  'a boot that failed, and an administrator': [
    next('deploy', FAIL),
    lateLook,
    begin({ document: 113, service: 112, vm: 52, as: ADMIN }),
    settle,
    next('deploy', slow(30)),
    'st_bootfail_admin_put',
    'st_bootfail_admin_get',
    settle,
    'st_bootfail_admin_get_running',
    'st_bootfail_admin_delete',
  ],

  'a service that is gone': [
    begin({ document: 105, service: 104, vm: 48 }),
    settle,
    (play) => play.cloud.run(play.cloud.root, 'one.document.delete', play.id('document', 104)),
    'st_noservice_get',
    'st_noservice_put',
    'st_noservice_delete',
    'st_noservice_get2',
  ],

  'a VM that is gone': [
    begin({ document: 107, service: 106, vm: 49 }),
    settle,
    act(49, 'terminate'),
    'st_vmgone_get',
    'st_vmgone_put',
    'st_vmgone_delete',
    'st_vmgone_get2',
  ],

  'a function that says when it is ready': [
    'st_ready_create',
    'st_ready_no_get',
    settle,
    'st_ready_not_yet_get',
    'st_ready_not_yet_put',
    (play) => play.cloud.run(play.cloud.root, 'one.vm.update', play.id('vm', 50), 'READY=YES', 1),
    'st_ready_yes_get',
  ],

  'a deletion during boot': [
    next('deploy', slow(600)),
    begin({ document: 115, service: 114, vm: 53 }),
    pass(10),
    'st_boot_delete',
    'st_boot_delete_get',
  ],

  'a deletion during a resize': [
    begin({ document: 117, service: 116, vm: 54 }),
    settle,
    next('resize', slow(10)),
    during('st_resize_deleted_put', 54, ['st_updating_delete', 'st_updating_delete_again']),
  ],

  'a shutdown that failed': [
    begin({ document: 119, service: 118, vm: 55 }),
    settle,
    next('shutdown', FAIL),
    'st_shutdown_fail_delete',
  ],

  'a shutdown that takes long': [
    begin({ document: 121, service: 120, vm: 56 }),
    settle,
    next('shutdown', slow(60)),
    'st_shutdown_slow_delete',
    'st_shutdown_slow_get',
  ],

  'a service that is being undeployed': [
    begin({ document: 123, service: 122, vm: 57 }),
    settle,
    next('shutdown', slow(600)),
    (play) => play.cloud.flow.delete(play.cloud.root, play.id('document', 122)),
    pass(5),
    'st_undeploying_get',
    'st_undeploying_put',
    'st_undeploying_delete',
  ],

  'documents that others wrote': [
    write(125, '<TEMPLATE><BODY>not json</BODY></TEMPLATE>'),
    write(126, 'A=1'),
    write(127, '<TEMPLATE><BODY>{"FAAS":{"FLAVOUR":"Function"},"SERVICE_ID":999999}</BODY></TEMPLATE>'),
    'odd_body_notjson_get',
    'odd_body_missing_get',
    'odd_service_missing_get',
  ],

  'two functions': [
    begin({ document: 129, service: 128, vm: 58, vm2: 59, body: `${FAAS},${DAAS}` }),
    settle,
    'daas_put_both_up',
    'daas_put_daas_fails',
    'daas_get_after_partial',
    'daas_put_only_faas',
    act(59, 'poweroff'),
    'daas_poweroff_get',
    'daas_poweroff_put',
    'daas_poweroff_get2',
    'daas_delete',
  ],

  'an empty DAAS': [
    begin({ document: 131, service: 130, vm: 60, body: `${FAAS},"DAAS":{"FLAVOUR":""}` }),
    settle,
    'daas_empty_put',
    'daas_empty_delete',
  ],

  'a VM that is not heard of': [
    begin({ document: 134, service: 133, vm: 61 }),
    settle,
    seen(61, 'FAILURE'),
    'st_unknown_get',
    'st_unknown_put',
    'st_unknown_delete',
  ],

  'a VM that is seen powered off': [
    begin({ document: 136, service: 135, vm: 62 }),
    settle,
    seen(62, 'POWEROFF'),
    'st_monitor_poweroff_get',
    'st_monitor_poweroff_delete',
  ],

  'OneFlow away': [
    begin({ document: 138, service: 137, vm: 63 }),
    settle,
    down('OneFlow', [
      'down_oneflow_get',
      'down_oneflow_put',
      'down_oneflow_delete',
      'down_oneflow_post',
      'down_oneflow_get_missing',
      'down_oneflow_version',
    ]),
    'down_oneflow_back_get',
    'down_oneflow_back_delete',
  ],

  'oned away': [
    begin({ document: 164, service: 163, vm: 67 }),
    settle,
    down('oned', ['down_oned_get', 'down_oned_put', 'down_oned_delete', 'down_oned_post']),
    'down_oned_back_get',
    'down_oned_back_delete',
  ],

  'a small round': [
    begin({ document: 140, service: 139, vm: 64 }),
    'get',
    'head',
    settle,
    'put_ok',
    (play) =>
      play.ask('DELETE', `/serverless-runtimes/${play.id('document', 140)}`, new Headers({ Authorization: TESTER })),
    'delete_twice',
  ],
};
