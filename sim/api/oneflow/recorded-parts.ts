/**
 * For tests: the recorded answers of OneFlow in the order in which they are played again, and what is done between them.
 * Each part is played on a cloud of its own.
 */
import type { State } from '../../one/vm/lifecycle.ts';
import type { RecordedCloud } from './recorded.ts';

/** What a recording says that this cloud cannot, and why. */
export const LEFT_OUT: Readonly<Record<string, string>> = {
  service_get_0: 'the recording looks between the answer and the first VM; here the VMs are there with the answer',
  service_document: "XML-RPC: the same body, in oned's XML; its JSON is compared in 'keeps the body that oned shows'",
  vm_of_service: 'XML-RPC',
  vm_after_role_reboot: 'XML-RPC',
};

interface Part {
  readonly name: string;
  readonly script: (cloud: RecordedCloud, play: (...cases: string[]) => Promise<void>) => Promise<void>;
}

/** The one VM is in a state, or the part makes no sense. */
function requireState({ cloud }: RecordedCloud, wanted: State): void {
  const { state } = cloud.vms.get(0);
  if (state !== wanted) throw new Error(`the VM is ${state}, not ${wanted}`);
}

export const PARTS: readonly Part[] = [
  {
    name: 'who may ask, and what there is',
    script: async (_cloud, play) => {
      await play('auth_empty_pass', 'auth_lower', 'badauth', 'bearer', 'head', 'noauth', 'options', 'root');
      await play('trailing_slash', 'unknown', 'unknown_noauth', 'service_post_collection', 'service_put_collection');
      await play('service_get_alpha', 'service_get_huge', 'service_get_missing', 'service_get_neg');
      await play('service_get_template_id', 'service_delete_alpha', 'service_delete_huge', 'service_delete_neg');
      await play('service_recover_alpha', 'service_recover_huge', 'service_recover_missing', 'service_recover_neg');
      await play('service_recover_template_id', 'service_recover_delete_alpha', 'service_recover_delete_huge');
      await play('service_recover_delete_missing', 'service_recover_delete_neg', 'service_recover_delete_template_id');
      await play('service_template_get_alpha', 'service_template_get_huge', 'service_template_get_missing');
      await play('service_template_get_neg', 'service_template_get_template_id', 'service_template_list_admin');
      await play('st_create_failed_net');
    },
  },

  {
    name: 'service templates',
    script: async (_cloud, play) => {
      await play('st_create_array', 'st_create_badjson', 'st_create_empty', 'st_create_emptyobj', 'st_create_noname');
      await play('st_create_noroles', 'st_create_name_int', 'st_create_longname', 'st_create_bad_deployment');
      await play(
        'st_create_roles_string',
        'st_create_role_badname',
        'st_create_role_dup',
        'st_create_role_no_template',
      );
      await play('st_create_card_over_max', 'st_create_ok', 'st_create_dupname', 'st_create_roles_empty');
      await play('st_create_nodeployment', 'st_create_unknown_key', 'st_create_role_unknown_key');
      await play('st_create_role_tmpl_string', 'st_create_role_card_string', 'st_create_role_no_card');
      await play('st_create_role_parent_missing', 'st_create_role_parent_self', 'st_create_vm_template_missing');
      await play('st_create_card_zero', 'st_get', 'st_get_other', 'st_put', 'st_put_bad', 'st_put_badjson');
      await play('st_put_missing', 'st_put_other', 'st_action_badjson', 'st_action_noaction', 'st_action_nobody');
      await play('st_action_noperform', 'st_action_unknown', 'st_action_update_bad', 'st_action_update_none');
      await play('st_action_clone', 'st_action_clone_norec', 'st_action_chmod_none', 'st_action_chmod');
      await play('st_action_inst_denied', 'st_action_inst_missing', 'st_action_inst_bad_merge');
      await play('st_action_inst_merge_badrole', 'st_action_inst_merge_unknown', 'st_action_rename');
      await play('st_action_chmod_bad', 'st_action_chown', 'st_delete');
      await play('st_delete_again', 'st_get_deleted');
    },
  },

  {
    name: 'a template that others may not see',
    script: async (_cloud, play) => {
      await play('st_create_ok', 'st_delete_other');
    },
  },

  {
    name: 'a service that runs',
    script: async (cloud, play) => {
      await play('inst_merge');
      cloud.wait();
      await play('service_get_RUNNING', 'service_list_admin', 'service_list_other', 'service_get_other');
      await play('service_delete_other', 'service_recover_other', 'service_recover_running');
      await play('service_action_badjson', 'service_action_noaction', 'service_action_nobody', 'service_unknown');
      await play('service_chown_none', 'service_chgrp_none', 'service_chmod_none', 'service_rename_none');
      await play('service_shutdown_unknown', 'service_sched_noparams', 'service_role_reboot_noparams');
      await play('service_role_reboot', 'service_role_unknown_role', 'service_role_unknown_action');
      await play('service_role_shutdown', 'service_sched_params', 'service_update_bad', 'service_update_badjson');
      await play('service_update', 'service_chown_user', 'service_chmod', 'service_rename');
      await play('scale_badjson', 'scale_bad_role', 'scale_while_scaling_or_cooldown', 'service_get_after_scale');
      await play('service_get_after_update', 'service_recover_cooldown2');
      await cloud.send('DELETE', `/service/${cloud.documents.get(226)}`);
      await play('service_get_UNDEPLOYING', 'service_delete_UNDEPLOYING', 'service_recover_undeploying');
      await play('service_get_DONE');
    },
  },

  {
    name: 'a VM that is terminated behind its service',
    script: async (cloud, play) => {
      cloud.deploy(227);
      cloud.wait();
      await cloud.cloud.run(cloud.cloud.root, 'one.vm.action', 'terminate', 0);
      cloud.wait();
      await play('service_get_vm_gone', 'service_delete_vm_gone');
    },
  },

  {
    name: 'a service whose VM boots',
    script: async (cloud, play) => {
      cloud.deploy(228);
      cloud.wait(1_700);
      requireState(cloud, 'BOOT');
      await play(
        'service_get_DEPLOYING',
        'scale_in_deploying',
        'service_delete_DEPLOYING',
        'service_recover_deploying',
      );
    },
  },

  {
    name: 'a service whose VM waits for a host',
    script: async (cloud, play) => {
      cloud.deploy(229);
      await play('service_get_DEPLOYING_vm_pending', 'service_recover_delete_vm_pending');
    },
  },

  {
    name: 'a service whose VM cannot be made',
    script: async (cloud, play) => {
      cloud.deploy(232, 'FAILED_DEPLOY');
      await play('service_get_FAILED_DEPLOYING_novm', 'service_recover_failed_novm', 'service_get_after_recover_novm');
      await play('service_recover_delete_failed_novm');
    },
  },

  {
    name: 'a VM that does not shut down',
    script: async (cloud, play) => {
      cloud.deploy(234);
      cloud.wait();
      await play('service_delete_shutdownfail');
      cloud.cloud.driver.finish(cloud.cloud.vms.get(0), false, 'no');
      cloud.wait();
      await play('service_get_shutdownfail');
    },
  },

  {
    name: 'two roles',
    script: async (cloud, play) => {
      cloud.deploy(237, 'Function-Data');
      cloud.wait();
      await play('service_get_two_roles');
    },
  },

  {
    name: 'a role and its parent',
    script: async (cloud, play) => {
      await cloud.instantiate(236, {
        name: 'PC',
        deployment: 'straight',
        roles: [
          { name: 'FAAS', cardinality: 1, vm_template: 0 },
          { name: 'DAAS', cardinality: 1, vm_template: 0, parents: ['FAAS'] },
        ],
      });
      cloud.wait();
      cloud.wait();
      await play('service_get_parents');
    },
  },

  {
    name: 'a service on hold',
    script: async (cloud, play) => {
      await cloud.instantiate(239, {
        name: 'HOLD',
        deployment: 'straight',
        roles: [{ name: 'FAAS', cardinality: 1, vm_template: 0 }],
        on_hold: true,
      });
      cloud.wait();
      await play('service_get_HOLD', 'service_release_hold');
    },
  },

  {
    name: 'a service that waits for READY',
    script: async (cloud, play) => {
      await cloud.instantiate(241, {
        name: 'GATE',
        deployment: 'straight',
        roles: [{ name: 'FAAS', cardinality: 1, vm_template: 0 }],
        ready_status_gate: true,
      });
      cloud.wait();
      await play('service_get_GATE_waiting');
      cloud.cloud.run(cloud.cloud.root, 'one.vm.update', 0, 'READY=YES', 1);
      cloud.wait(100);
      await play('service_get_GATE_running');
    },
  },

  {
    name: 'a service that is worried, scaled and cools down',
    script: async (cloud, play) => {
      const { root } = cloud.cloud;
      cloud.deploy(242);
      cloud.wait();
      cloud.cloud.run(root, 'one.vm.action', 'poweroff', 0);
      cloud.wait();
      cloud.cloud.run(root, 'one.vm.action', 'resume', 0);
      cloud.wait();
      cloud.cloud.driver.enter(cloud.cloud.vms.get(0), 'UNKNOWN');
      cloud.wait();
      await play('service_get_WARNING', 'service_recover_warning', 'scale_in_warning');
      cloud.cloud.driver.enter(cloud.cloud.vms.get(0), 'RUNNING');
      cloud.wait();
      cloud.cloud.run(root, 'one.vm.action', 'suspend', 0);
      cloud.wait();
      await play('service_get_VM_SUSPENDED');
      cloud.cloud.run(root, 'one.vm.action', 'resume', 0);
      cloud.wait();
      const scale = { role_name: 'FAAS', cardinality: 2, force: false };
      await cloud.send('POST', `/service/${cloud.documents.get(242)}/scale`, scale);
      cloud.wait();
      await play('service_get_COOLDOWN', 'scale_in_cooldown', 'service_delete_COOLDOWN', 'service_recover_cooldown');
      await play('scale_down');
    },
  },

  {
    name: 'numbers of VMs',
    script: async (cloud, play) => {
      cloud.deploy(243);
      cloud.wait();
      await play('scale_over', 'scale_same', 'scale_string');
    },
  },

  {
    name: 'a worried service that is deleted',
    script: async (cloud, play) => {
      cloud.deploy(244);
      cloud.wait();
      cloud.cloud.run(cloud.cloud.root, 'one.vm.action', 'poweroff', 0);
      cloud.wait();
      await play('service_delete_WARNING');
    },
  },

  {
    name: 'a VM that does not boot',
    script: async (cloud, play) => {
      cloud.deploy(245);
      cloud.wait(1_700);
      cloud.cloud.driver.finish(cloud.cloud.vms.get(0), false, 'no');
      cloud.wait(30_000);
      await play('service_get_FAILED_DEPLOYING', 'service_delete_FAILED_DEPLOYING', 'service_recover_failed_deploying');
      cloud.wait();
      await play('service_get_recovered', 'service_delete_recovered');
    },
  },

  {
    name: 'a VM whose disks are not cleared away',
    script: async (cloud, play) => {
      cloud.deploy(246);
      cloud.wait();
      await play('service_delete_epilogfail');
      cloud.wait(700);
      requireState(cloud, 'EPILOG');
      cloud.cloud.driver.finish(cloud.cloud.vms.get(0), false, 'no');
      cloud.wait(30_000);
      await play('service_get_FAILED_UNDEPLOYING', 'service_delete_FAILED_UNDEPLOYING');
      await play('service_recover_failed_undeploying');
    },
  },
];
