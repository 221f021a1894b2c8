import { afterEach, describe, expect, test, vi } from 'vitest'
import { AuroraIamError } from '../src/errors.ts'
import { createAuroraIam } from '../src/index.ts'
import { type Address, type DriverAddress, resolveTarget, type TargetOptions } from '../src/target.ts'
import { caught } from './caught.ts'

const CLUSTER = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const GLOBAL = 'mydb.global-abcdefghijkl.global.rds.amazonaws.com'
const user = 'app'

function resolve(address: Partial<DriverAddress>, options: TargetOptions = {}) {
  return resolveTarget({ host: undefined, port: undefined, user, ...address }, options)
}

afterEach(() => {
  vi.unstubAllEnvs()
})

interface Case {
  readonly title: string
  readonly address: Partial<DriverAddress>
  readonly options?: TargetOptions
  readonly signed: readonly [hostname: string, port: number]
  readonly dialled: Address
}

const CASES: readonly Case[] = [
  {
    title: 'host alone',
    address: { host: CLUSTER },
    signed: [CLUSTER, 3306],
    dialled: { host: CLUSTER, port: 3306 },
  },
  {
    title: 'host in upper case with a trailing dot',
    address: { host: `${CLUSTER.toUpperCase()}.` },
    signed: [CLUSTER, 3306],
    dialled: { host: CLUSTER, port: 3306 },
  },
  {
    title: 'host and port, as a string',
    address: { host: CLUSTER, port: '3307' },
    signed: [CLUSTER, 3307],
    dialled: { host: CLUSTER, port: 3307 },
  },
  {
    title: 'the port option signs another port',
    address: { host: CLUSTER, port: 13306 },
    options: { port: 3306 },
    signed: [CLUSTER, 3306],
    dialled: { host: CLUSTER, port: 13306 },
  },
  {
    title: 'a tunnel: hostname and port are signed, host and port of the driver are dialled',
    address: { host: '127.0.0.1', port: 13306 },
    options: { hostname: CLUSTER, port: 3306 },
    signed: [CLUSTER, 3306],
    dialled: { host: '127.0.0.1', port: 13306 },
  },
  {
    title: 'hostname without a host',
    address: {},
    options: { hostname: CLUSTER },
    signed: [CLUSTER, 3306],
    dialled: { host: CLUSTER, port: 3306 },
  },
  {
    title: 'a CNAME is dialled, the hostname signed',
    address: { host: 'db.example.com' },
    options: { hostname: CLUSTER },
    signed: [CLUSTER, 3306],
    dialled: { host: 'db.example.com', port: 3306 },
  },
  {
    title: 'dial: a whole address',
    address: { host: CLUSTER },
    options: { dial: { host: '10.0.0.1', port: 13306 } },
    signed: [CLUSTER, 3306],
    dialled: { host: '10.0.0.1', port: 13306 },
  },
  {
    title: 'dial: a host alone',
    address: { host: CLUSTER, port: 3307 },
    options: { dial: { host: '10.0.0.1' } },
    signed: [CLUSTER, 3307],
    dialled: { host: '10.0.0.1', port: 3307 },
  },
  {
    title: 'dial: a port alone',
    address: { host: CLUSTER },
    options: { dial: { port: 13306 } },
    signed: [CLUSTER, 3306],
    dialled: { host: CLUSTER, port: 13306 },
  },
  {
    title: 'dial wins over a host beside a hostname',
    address: { host: 'localhost', port: 1 },
    options: { hostname: CLUSTER, port: 3306, dial: { host: '10.0.0.1', port: 2 } },
    signed: [CLUSTER, 3306],
    dialled: { host: '10.0.0.1', port: 2 },
  },
  {
    title: 'dial: a function of what is signed',
    address: { host: CLUSTER, port: 3307 },
    options: { dial: ({ hostname, port }) => ({ host: `${port}.${hostname}.internal` }) },
    signed: [CLUSTER, 3307],
    dialled: { host: `3307.${CLUSTER}.internal`, port: 3307 },
  },
]

test.each(CASES)('$title', ({ address, options, signed: [hostname, port], dialled }) => {
  const target = resolve(address, options)
  expect(target).toEqual({
    hostname,
    port,
    username: user,
    region: 'eu-west-1',
    kind: 'cluster',
    dial: dialled,
  })
})

test('a port option given as a string is signed as a number', () => {
  const options = { port: '3307' } as unknown as TargetOptions
  expect(resolve({ host: CLUSTER }, options).port).toBe(3307)
})

describe('Region', () => {
  test('the name tells it, whatever AWS_REGION says', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({ host: CLUSTER }).region).toBe('eu-west-1')
  })

  test('AWS_REGION is for names that do not tell', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({ hostname: 'db.example.com' } as never, { hostname: 'db.example.com' }).region).toBe(
      'us-east-1',
    )
  })

  test.each(['', 'default', 'us-east-1 '])('AWS_REGION=%j is no Region', (value) => {
    vi.stubEnv('AWS_REGION', value)
    expect(resolve({}, { hostname: 'db.example.com' }).region).toBeUndefined()
  })

  test('an explicit one is for names that do not tell, and may repeat what they tell', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({}, { hostname: 'db.example.com', region: 'eu-west-2' }).region).toBe('eu-west-2')
    expect(resolve({ host: CLUSTER }, { region: 'eu-west-1' }).region).toBe('eu-west-1')
  })

  test('the global writer needs one: AWS_REGION is not taken for it', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(caught(() => resolve({ host: GLOBAL }))).toMatchObject({
      code: 'ERR_AURORA_IAM_REGION_UNKNOWN',
      option: 'region',
    })
    expect(resolve({ host: GLOBAL }, { region: 'eu-west-1' })).toMatchObject({
      hostname: GLOBAL,
      kind: 'global-writer',
      region: 'eu-west-1',
    })
  })
})

const REFUSALS: ReadonlyArray<
  readonly [title: string, address: object, options: object, code: string, option: string, remedy: RegExp]
> = [
  ['loopback', { host: 'localhost' }, {}, 'HOST_NOT_SIGNABLE', 'host', /`hostname`/],
  ['loopback by number', { host: '127.0.0.1' }, {}, 'HOST_NOT_SIGNABLE', 'host', /IP address.*`hostname`/],
  ['IPv6', { host: '::1' }, {}, 'HOST_NOT_SIGNABLE', 'host', /IP address.*`hostname`/],
  ['a CNAME', { host: 'db.example.com' }, {}, 'HOST_NOT_SIGNABLE', 'host', /CNAME.*`hostname`/],
  ['a short name', { host: 'mydb' }, {}, 'HOST_NOT_SIGNABLE', 'host', /full domain name.*`hostname`/],
  [
    'a load balancer',
    { host: 'x-1.elb.eu-west-1.amazonaws.com' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /load balancer/,
  ],
  ['loopback as hostname', {}, { hostname: 'LOCALHOST' }, 'HOST_NOT_SIGNABLE', 'hostname', /RDS issued/],
  ['an IP as hostname', {}, { hostname: '10.0.0.1' }, 'HOST_NOT_SIGNABLE', 'hostname', /RDS issued/],
  ['a URL as hostname', {}, { hostname: 'mysql://x.y' }, 'HOST_NOT_SIGNABLE', 'hostname', /RDS issued/],
  ['no host', {}, {}, 'INVALID_OPTION', 'host', /Give the endpoint/],
  ['an empty host', { host: '' }, {}, 'INVALID_OPTION', 'host', /Give the endpoint/],
  ['a host that is no string', { host: 7 }, {}, 'INVALID_OPTION', 'host', /expected/],
  ['no user', { host: CLUSTER, user: undefined }, {}, 'INVALID_OPTION', 'user', /expected .*database user/],
  ['an empty user', { host: CLUSTER, user: '' }, {}, 'INVALID_OPTION', 'user', /expected .*database user/],
  ...[0, -1, 65_536, 3306.5, Number.NaN, '', '33 06', '0x1', true, null].map(
    (port) =>
      [
        `port ${JSON.stringify(port)}`,
        { host: CLUSTER },
        { port: port ?? Number.NaN },
        'INVALID_OPTION',
        'port',
        /from 1 to 65535/,
      ] as const,
  ),
  ['a port of the driver', { host: CLUSTER, port: 'mysql' }, {}, 'INVALID_OPTION', 'port', /from 1 to 65535/],
  [
    'a port to dial',
    { host: CLUSTER },
    { dial: { port: 0 } },
    'INVALID_OPTION',
    'dial.port',
    /from 1 to 65535/,
  ],
  [
    'an empty host to dial',
    { host: CLUSTER },
    { dial: { host: '' } },
    'INVALID_OPTION',
    'dial.host',
    /expected/,
  ],
  [
    'dial in the words of another',
    { host: CLUSTER },
    { dial: { hostname: 'x' } },
    'UNKNOWN_OPTION',
    'dial.hostname',
    /host, port/,
  ],
  [
    'dial with a promise',
    { host: CLUSTER },
    { dial: async () => ({ host: 'x' }) },
    'INVALID_OPTION',
    'dial',
    /not a promise/,
  ],
  ['dial with nothing', { host: CLUSTER }, { dial: () => undefined }, 'INVALID_OPTION', 'dial', /expected/],
  [
    'a Region that contradicts the name',
    { host: CLUSTER },
    { region: 'us-east-1' },
    'CONFLICTING_OPTIONS',
    'region',
    /Leave `region` out/,
  ],
  [
    'the global writer without a Region',
    { host: GLOBAL },
    {},
    'REGION_UNKNOWN',
    'region',
    /cluster endpoint/,
  ],
]

test.each(REFUSALS)('refused, with the remedy: %s', (_title, address, options, code, option, remedy) => {
  const error = caught(() => resolve(address, options))
  expect(error).toBeInstanceOf(AuroraIamError)
  expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
  expect(error.message).toMatch(remedy)
})

test('a URL given as the host is refused without its password', () => {
  const error = caught(() => resolve({ host: 'mysql://app:hunter2@db.example.com/app' }))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_HOST_NOT_SIGNABLE', option: 'host' })
  expect(error.message).not.toContain('hunter2')
})

test.each([
  ['hostname', { hostname: '', port: 3306, username: user }],
  ['hostname', { hostname: 7, port: 3306, username: user }],
  ['hostname', { hostname: 'localhost', port: 3306, username: user }],
  ['username', { hostname: CLUSTER, port: 3306, username: '' }],
  ['port', { hostname: CLUSTER, port: 0, username: user }],
])("token() names the AWS SDK's %s", async (option, target) => {
  await expect(createAuroraIam().token(target as never)).rejects.toMatchObject({ option })
})
