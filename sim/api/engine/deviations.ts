/**
 * Where the Provisioning Engine departs from its contract: the names of the switches that the handlers read. What each
 * one means, and what the verifier then accepts, is in `contracts/deviations/engine-1.3.3.yaml`.
 */
export const ENGINE_DEVIATIONS = [
  'get-200',
  'put-invalid-500',
  'put-error-null-message',
  'put-error-owner-not-recovered',
  'body-without-runtime-500',
  'basic-without-credentials-500',
  'form-body-html',
  'delete-never-423',
  'delete-leaks-vm',
  'put-504-as-500',
  'post-504-leaves-service',
  'short-timeout-zero',
  'id-lenient',
  'password-cut-at-colon',
  'get-writes',
  'rename-shows-late',
  'put-writes-what-it-read',
  'rename-before-423',
  'capacity-run-together',
  'daas-copy-of-faas',
  'unknown-path-html',
  'crash-html',
  'no-www-authenticate',
] as const;

export type EngineDeviation = (typeof ENGINE_DEVIATIONS)[number];

/** The switches that are on: all of them in profile `upstream`, none in profile `contract`. */
export type Deviations = Pick<ReadonlySet<EngineDeviation>, 'has'>;
