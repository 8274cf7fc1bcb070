/** Paths of the Gatekeeper, of Prometheus and of the monitoring manager that no step has a word of its own for. */

const PART = 'e60558d6-91c3-4196-abad-46079a0e3c61/vdu01/fa8869e3-cc5f-4a5e-8520-932226d804e1';
const UUID = '39cfccd6-9475-4e99-aa88-9a2066ac3976';

/** What anybody may read. */
export const READABLE = [
  '/api/v2/micro-services/public-key',
  '/api/v2/available-services',
  '/api/v2/kpis',
  '/api/v2/kpis?name=functions_metadata_queries',
  '/api/v2/kpis/collected',
  '/api/v2/kpis/collected?name=functions_metadata_queries&start=2026-01-01T00:00:00Z&end=2026-01-01T00:01:00Z&step=10s',
  '/api/v2/no-such-path',
  '/monitoring/api/v1/prometheus/metrics/list',
  '/monitoring/api/v1/prometheus/metrics/name/vm_up/',
  '/monitoring/api/v1/prometheus/metrics/name/vm_up',
  '/monitoring/api/v1/prometheus/metrics/name/1x/',
  '/monitoring/api/v1/no-such-path',
  '/api/v1/series?match[]=vm_up',
  '/api/v1/series',
  '/api/v1/labels',
  '/api/v1/labels?start=x',
  '/api/v1/label/job/values',
  '/api/v1/label/-/values',
  '/api/v1/metadata',
  '/api/v1/metadata?limit=x',
  '/api/v1/rules',
  '/api/v1/rules?type=x',
  '/api/v1/alerts',
  '/api/v1/status/buildinfo',
  '/api/v1/query_exemplars?query=vm_up&start=0&end=1',
  '/api/v1/query_exemplars',
  '/api/v1/no-such-path',
  '/-/healthy',
  '/-/ready',
] as const;

/** What is asked with a body: a form as a text, or JSON. */
export const POSTED = [
  ['/api/v1/query', 'query=vm_up'],
  ['/api/v1/query', 'query='],
  ['/api/v1/query', 'query=vm_cpu_perc%2Bon(job)vm_cpu_perc'],
  ['/api/v1/query_range', 'query=vm_cpu_perc%2Bon(job)vm_cpu_perc&start=1767225600&end=1767225660&step=15'],
  ['/api/v1/query_range', 'query=vm_up&start=0&end=60&step=15'],
  ['/api/v1/query_range', 'query=vm_up'],
  ['/api/v1/series', 'match[]=vm_up'],
  ['/api/v1/series', ''],
  ['/api/v1/labels', ''],
  ['/api/v1/labels', 'start=x'],
  ['/api/v1/query_exemplars', 'query=vm_up&start=0&end=1'],
  ['/api/v1/query_exemplars', ''],
  [
    '/monitoring/api/v1/prometheus/metrics/data',
    { name: 'vm_up', start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:01:00Z', step: '10s', labels: [] },
  ],
  ['/monitoring/api/v1/prometheus/metrics/data', { name: 'vm_up', start: 'x', end: 'x', step: 'x' }],
  ['/monitoring/api/v1/prometheus/metrics/data', {}],
  ['/monitoring/api/v1/prometheus/metrics/data', 'name=vm_up'],
  ['/monitoring/api/v1/ws/new', { metric: 'vm_up', filters: ["type='vnf'"] }],
  ['/monitoring/api/v1/ws/new', {}],
  ['/monitoring/api/v1/ws/new', []],
  ['/monitoring/api/v1/ws/new', 'metric=vm_up'],
] as const;

const GATEKEEPER = [
  ...['functions', 'functions/metrics/names', `functions/${UUID}`],
  ...['functions/metrics', 'functions'].flatMap((base) =>
    ['asynch-mon-data', 'asynch-mon-data/metrics=vm_up', 'synch-mon-data', 'synch-mon-data/metrics=vm_up'].map(
      (end) => `${base}/${PART}/${end}`,
    ),
  ),
  ...[
    'services',
    'records/functions',
    'records/services',
    'records/others',
    'packages',
    'requests',
    'licences',
  ].flatMap((list) => [list, `${list}/${UUID}`]),
  ...[`packages/${UUID}/download`, `requests/${UUID}/stop`, 'sessions', 'users', `users/${UUID}`],
  ...['users/sonata/user-public-key', 'kpis', 'kpis/collected', 'available-services', 'micro-services/public-key'],
];

export const PREFLIGHTED: readonly string[] = [
  ...GATEKEEPER.map((path) => `/api/v2/${path}`),
  ...['prometheus/metrics/list', 'prometheus/metrics/name/vm_up/', 'prometheus/metrics/data', 'ws/new'].map(
    (path) => `/monitoring/api/v1/${path}`,
  ),
];
