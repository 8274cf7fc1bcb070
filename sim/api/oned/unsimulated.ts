/** Methods that a real oned has beside those of `methods.ts`: whoever calls one is told so in the journal. Of OpenNebula 6.10. */

/** By what they are about. */
const NAMES: Readonly<Record<string, string>> = {
  system: 'shutdown capabilities getCapabilities',
  'one.vntemplate': 'update instantiate allocate delete chown chmod clone rename lock unlock',
  'one.zone':
    'updatedb allocate update delete rename enable replicate fedreplicate voterequest addserver delserver resetserver',
  'one.vmgroup': 'allocate delete chown chmod rename update lock unlock roleadd roledelete roleupdate',
  'one.vdc':
    'allocate update delete addgroup delgroup addcluster delcluster addhost delhost adddatastore deldatastore addvnet delvnet rename',
  'one.vrouter': 'update allocate delete chown chmod rename instantiate attachnic detachnic lock unlock',
  'one.market': 'updatedb allocatedb allocate update delete chmod chown rename enable',
  'one.marketapp': 'updatedb dropdb allocatedb allocate update delete chmod chown enable lock unlock rename',
  'one.hook': 'allocate delete update rename lock unlock retry',
  'one.backupjob':
    'allocate delete update rename chown chmod lock unlock backup cancel retry priority schedadd scheddelete schedupdate',
  'one.system': 'sql sqlquery',
};

export const UNSIMULATED: ReadonlySet<string> = new Set(
  Object.entries(NAMES).flatMap(([about, names]) => names.split(' ').map((name) => `${about}.${name}`)),
);
