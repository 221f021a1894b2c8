// Which package may import which, and which room (folder) of a package may import which. Type imports count.
// The order of the rooms is the order of a connection's steps, lowest first: a room imports only rooms before it.

/** Each package, and the packages of ours that it is built on. */
const PACKAGES = {
  'rate-limit': [],
  wire: [],
  core: ['rate-limit'],
  mysql2: ['core'],
  knex: ['core', 'mysql2'],
  typeorm: ['core', 'mysql2'],
  prisma: ['core'],
  local: ['wire'],
  cli: ['core', 'wire', 'local', 'rate-limit'],
}

/** The rooms of each package, lowest first. */
const ROOMS = {
  'rate-limit': ['queue', 'local', 'fleet', 'tickets'],
  wire: ['codec', 'packets', 'client', 'relay'],
  core: ['util', 'endpoint', 'tls', 'permit', 'credentials', 'token', 'lifetime', 'login'],
  mysql2: ['options', 'connect', 'auth', 'pool'],
  prisma: ['options', 'connect', 'pool'],
  local: ['log', 'iam', 'faults', 'tls', 'database', 'metadata', 'server'],
  cli: [
    'util',
    'options',
    'output',
    'token',
    'access',
    'trust',
    'gateway',
    'facts',
    'plan',
    'exec',
    'proxy',
    'local',
    'doctor',
    'fleet',
    'commands',
  ],
}

const any = (names) => `(?:${names.join('|')})`

const packageRules = Object.entries(PACKAGES).map(([name, below]) => ({
  name: `package ${name}`,
  comment: `${name} is built on ${below.join(', ') || 'none of our packages'}.`,
  severity: 'error',
  from: { path: `^packages/${name}/src/` },
  to: { path: '^packages/', pathNot: `^packages/${any([name, ...below])}/src/` },
}))

const roomRules = Object.entries(ROOMS).flatMap(([name, rooms]) => [
  ...rooms.map((room, index) => ({
    name: `room ${name}/${room}`,
    comment: `It uses only the rooms below it: ${rooms.slice(0, index).join(', ') || 'none'}.`,
    severity: 'error',
    from: { path: `^packages/${name}/src/${room}/` },
    to: {
      path: `^packages/${name}/src/[^/]+/`,
      pathNot: [room, ...rooms.slice(0, index)].map((allowed) => `^packages/${name}/src/${allowed}/`),
    },
  })),
  {
    name: `a room of ${name} without a place in the order`,
    comment: 'Give it its place in ROOMS.',
    severity: 'error',
    from: {},
    to: { path: `^packages/${name}/src/[^/]+/`, pathNot: `^packages/${name}/src/${any(rooms)}/` },
  },
])

export default {
  forbidden: [
    ...packageRules,
    ...roomRules,
    {
      name: 'no circle',
      comment: 'What imports itself in the end cannot be read from one side.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no driver below the adapters',
      comment: 'core, rate-limit and wire know no driver, no ORM and no store client.',
      severity: 'error',
      from: { path: '^packages/(?:core|rate-limit|wire)/src/' },
      to: { path: 'node_modules/(?:mysql2|mariadb|knex|typeorm|tarn|ioredis|redis|@prisma)/' },
    },
    {
      name: 'wire and rate-limit stand alone',
      comment: 'They import nothing but Node, and the DynamoDB client for users who have it installed.',
      severity: 'error',
      from: { path: '^packages/(?:wire|rate-limit)/src/' },
      to: { path: 'node_modules/', pathNot: 'node_modules/@aws-sdk/client-dynamodb/' },
    },
    {
      name: 'Local Aurora is a witness',
      comment: 'It verifies tokens with its own arithmetic: no code of the signer, ours or AWS’s.',
      severity: 'error',
      from: { path: '^packages/local/src/' },
      to: { path: '(?:^packages/core/|node_modules/(?:@aws-sdk|@smithy)/)' },
    },
    {
      name: 'a test imports its own package and the support package',
      comment: 'What two packages test with belongs in test/support.',
      severity: 'error',
      from: { path: '^packages/([^/]+)/test/' },
      to: { path: ['^packages/[^/]+/test/', '^test/'], pathNot: ['^packages/$1/test/', '^test/support/'] },
    },
    {
      name: 'a package is imported by its name',
      comment: 'A path into the src of another package passes by its public surface.',
      severity: 'error',
      from: { path: '^(?:packages/([^/]+)|test|examples)/' },
      to: { path: '^packages/[^/]+/src/', pathNot: '^packages/$1/src/', dependencyTypes: ['local'] },
    },
    {
      name: 'an import that cannot be resolved',
      comment: 'It would not be checked.',
      severity: 'error',
      from: { path: '^packages/[^/]+/src/' },
      to: { couldNotResolve: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/generated/', '/dist/', '^test/[^/]+/types/'] },
    enhancedResolveOptions: {
      conditionNames: ['@aurora-iam/source', 'node', 'import', 'require', 'default'],
      exportsFields: ['exports'],
    },
  },
}
