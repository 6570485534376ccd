import { option } from './types.ts';

/** What the agent registers, checks and watches. */
export const serviceOptions = [
  option('service', 'service', 'One service definition.'),
  option('services', 'services', 'Service definitions.'),
  option('check', 'check', 'One check of the node.'),
  option('checks', 'checks', 'Checks of the node, or of a service by `service_id`.'),
  option('watches', 'maps', 'Queries whose changes run a handler: `type`, its arguments, and `args` or `handler_type = "http"`.'),
  option('enable_script_checks', 'bool', 'Run script checks, registered over the API too.', {
    flag: 'enable-script-checks',
    default: false,
  }),
  option('enable_local_script_checks', 'bool', 'Run script checks from files only.', {
    flag: 'enable-local-script-checks',
    default: false,
  }),
  option('check_update_interval', 'duration', 'How long a change of output alone may wait for the next sync.', { default: '5m' }),
  option('check_output_max_size', 'int', "Bytes kept of a check's output.", { flag: 'check_output_max_size', default: 4096 }),
  option('discard_check_output', 'bool', 'Keep the output of checks out of the catalog.', { default: false }),
  option('check_refuse_link_local', 'bool', 'HTTP and TCP checks never dial link-local addresses (Lictor).', { default: false }),
  option('enable_agent_tls_for_checks', 'bool', "Checks present the agent's certificate.", { default: false, status: 'inert' }),
  option('enable_central_service_config', 'bool', 'Merge proxy-defaults and service-defaults into registrations.', { default: true }),
  option('config_entries.bootstrap', 'maps', 'Config entries that the leader writes when they are missing.'),
  option('connect.enabled', 'bool', 'Serve the mesh.', { default: true }),
  option('connect.ca_provider', 'string', 'Who signs: `consul`.', { default: '' }),
  option('connect.ca_config', 'map', "The provider's configuration, used the first time only."),
  option('connect.enable_mesh_gateway_wan_federation', 'bool', 'Federate through mesh gateways.', { default: false, status: 'inert' }),
  option('connect.test_ca_leaf_root_change_spread', 'duration', 'Over how long leaves follow a new root; 0 is 30 s.', { default: '0s' }),
  option('peering.enabled', 'bool', 'Cluster peering.', { default: true, status: 'inert' }),
  option('peering.test_allow_peer_registrations', 'bool', 'For tests of peering.', { default: false, status: 'inert' }),
  option('cache.entry_fetch_rate', 'float', 'Refreshes of one cache entry a second.', { status: 'inert' }),
  option('cache.entry_fetch_max_burst', 'int', 'Refreshes of one cache entry in a row.', { default: 2, status: 'inert' }),
] as const;
