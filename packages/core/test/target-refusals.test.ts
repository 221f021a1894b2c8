import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { expect, test } from 'vitest'
import { type DriverAddress, resolveTarget, type TargetOptions } from '../src/endpoint/connection-target.ts'
import { AuroraIamError } from '../src/errors.ts'
import { createAuroraIam } from '../src/index.ts'

const CLUSTER = 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com'
const GLOBAL = 'mydb.global-abcdefghijkl.global.rds.amazonaws.com'
const user = 'app'

function resolve(address: Partial<DriverAddress>, options: TargetOptions = {}) {
  return resolveTarget({ host: undefined, port: undefined, user, ...address }, options)
}

const aroundCluster = (parts: string) =>
  new RegExp(`there is ${parts} beside the name. Give the name alone: '${CLUSTER}'`)

const REFUSALS: ReadonlyArray<
  readonly [title: string, address: object, options: object, code: string, option: string, remedy: RegExp]
> = [
  [
    'loopback',
    { host: 'localhost' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /localhost \(this machine\).*`hostname`/,
  ],
  [
    'a name under localhost',
    {},
    { hostname: 'db.localhost' },
    'HOST_NOT_SIGNABLE',
    'hostname',
    /RDS did not issue/,
  ],
  [
    'a port after loopback',
    { host: 'localhost:3306' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /a port beside the name. Give the name alone: 'localhost'/,
  ],
  [
    'a port after what may be a password',
    { host: 'hunter2:3306' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /for a text that is no host name \(12 characters\)/,
  ],
  [
    'two words',
    { host: 'my db' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /for a text that is no host name \(5 characters\)/,
  ],
  [
    'two parts around it',
    { host: `mysql://${CLUSTER}/` },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    aroundCluster('a scheme and a path'),
  ],
  ['loopback by number', { host: '127.0.0.1' }, {}, 'HOST_NOT_SIGNABLE', 'host', /IP address.*`hostname`/],
  ['IPv6', { host: '::1' }, {}, 'HOST_NOT_SIGNABLE', 'host', /IP address.*`hostname`/],
  ['a CNAME', { host: 'db.example.com' }, {}, 'HOST_NOT_SIGNABLE', 'host', /CNAME.*`hostname`/],
  ['a short name', { host: 'mydb' }, {}, 'HOST_NOT_SIGNABLE', 'host', /without a domain.*`hostname`/],
  [
    'a load balancer',
    { host: 'x-1.elb.eu-west-1.amazonaws.com' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /load balancer/,
  ],
  [
    'loopback as hostname',
    {},
    { hostname: 'LOCALHOST' },
    'HOST_NOT_SIGNABLE',
    'hostname',
    /RDS did not issue/,
  ],
  [
    'a load balancer as hostname',
    {},
    { hostname: 'x-1.elb.cn-north-1.amazonaws.com.cn' },
    'HOST_NOT_SIGNABLE',
    'hostname',
    /RDS did not issue/,
  ],
  ['an IP as hostname', {}, { hostname: '10.0.0.1' }, 'HOST_NOT_SIGNABLE', 'hostname', /RDS did not issue/],
  [
    'a URL as hostname',
    {},
    { hostname: 'mysql://x.y' },
    'HOST_NOT_SIGNABLE',
    'hostname',
    /a scheme.*name alone: 'x\.y'/,
  ],
  ['no host', {}, {}, 'INVALID_OPTION', 'host', /the endpoint.*undefined.*environment variable/],
  ['an empty host', { host: '' }, {}, 'INVALID_OPTION', 'host', /the endpoint.*an empty string\.$/],
  ['a port after it', { host: `${CLUSTER}:3306` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('a port')],
  ['a blank', { host: ` ${CLUSTER}` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('a blank')],
  ['a newline', { host: `${CLUSTER}\n` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('a line break')],
  [
    'a scheme',
    { host: `jdbc:mysql://${CLUSTER}:3306/app` },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    aroundCluster('a scheme, a port and a path'),
  ],
  [
    'double quotes',
    { host: `"${CLUSTER}"` },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    aroundCluster('a quotation mark'),
  ],
  ['a comma', { host: `${CLUSTER},` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('other text')],
  [
    'an invisible character',
    { host: `\u200b${CLUSTER}` },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    aroundCluster('other text'),
  ],
  ['tcp( )', { host: `tcp(${CLUSTER}:3306)` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('other text')],
  [
    'quotes as hostname',
    {},
    { hostname: `'${CLUSTER}'` },
    'HOST_NOT_SIGNABLE',
    'hostname',
    aroundCluster('a quotation mark'),
  ],
  [
    'a variable that was not expanded',
    { host: '$DB_HOST' },
    {},
    'HOST_NOT_SIGNABLE',
    'host',
    /no host name.*such as mydb\.cluster/,
  ],
  [
    'a port beside hostname',
    { host: 'bastion:3307' },
    { hostname: CLUSTER },
    'INVALID_OPTION',
    'host',
    /there is a port beside the name/,
  ],
  ...['"bastion"', '[::1]', 'my bastion', '&&'].map(
    (dialled) =>
      [
        `${dialled} to dial`,
        { host: CLUSTER },
        { dial: { host: dialled } },
        'INVALID_OPTION',
        'dial.host',
        /expected a host name or an IP address/,
      ] as const,
  ),
  ['a user', { host: `app:pw@${CLUSTER}` }, {}, 'HOST_NOT_SIGNABLE', 'host', aroundCluster('a user')],
  [
    'a port to dial',
    { host: CLUSTER },
    { dial: { host: 'bastion:3306' } },
    'INVALID_OPTION',
    'dial.host',
    /a port/,
  ],
  ['a host that is no string', { host: 7 }, {}, 'INVALID_OPTION', 'host', /expected/],
  ['no user', { host: CLUSTER, user: undefined }, {}, 'INVALID_OPTION', 'user', /expected .*database user/],
  [
    'a number to dial',
    { host: CLUSTER },
    { dial: { host: 7 } },
    'INVALID_OPTION',
    'dial.host',
    /got a number/,
  ],
  ['an empty user', { host: CLUSTER, user: '' }, {}, 'INVALID_OPTION', 'user', /expected .*database user/],
  ...[0, -1, 65_536, 3306.5, Number.NaN, '', '33 06', '0x1', true, null, [3306]].map(
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
    /from 1 to 65535, got 0\.$/,
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

test.each(REFUSALS)('%s: refused, with the remedy', (_title, address, options, code, option, remedy) => {
  const error = errorThrownBy(() => resolve(address, options))
  expect(error).toBeInstanceOf(AuroraIamError)
  expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
  expect(error.message).toMatch(remedy)
  expect(error.message).toBe(error.message.trim())
})

test.each([
  ['a promise', async () => ({ host: 'x' }), 'INVALID_OPTION', 'dial', /not a promise/],
  ['null', () => null, 'INVALID_OPTION', 'dial', /expected/],
  ['nothing', () => undefined, 'INVALID_OPTION', 'dial', /expected/],
  ['a port out of range', () => ({ port: 0 }), 'INVALID_OPTION', 'dial.port', /from 1 to 65535/],
  ['an option of another', () => ({ hostname: 'x' }), 'UNKNOWN_OPTION', 'dial.hostname', /host, port/],
])('dial that returns %s: refused before a socket is opened', (_title, dial, code, option, remedy) => {
  const target = resolve({ host: CLUSTER }, { dial } as TargetOptions)
  const error = errorThrownBy(() => target.dial(target))
  expect(error).toMatchObject({ code: `ERR_AURORA_IAM_${code}`, option, retryable: false })
  expect(error.message).toMatch(remedy)
})

test.each([
  'mysql://app:hunter2@db.example.com/app',
  'mysql://app:a@hunter2.hush/b@db.example.com/app',
  `mysql://app:a@hunter2.hush/b@${CLUSTER}/app`,
  `mysql://app:a@hunter2.hush:b@${CLUSTER}/app`,
  `mysql://app:"hunter2"@${CLUSTER}`,
])('a URL given as the host (case %#): refused without its password', (host) => {
  const error = errorThrownBy(() => resolve({ host }))
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_HOST_NOT_SIGNABLE', option: 'host' })
  expect(error.message).not.toMatch(/hunter2|hush/)
})

test.each([
  '127.0.0.1',
  '::1',
  'fe80::1%eth0',
  'bastion',
  'my_db.internal',
  'bücher.example',
  'हिन्दी.example',
])('%s to dial: accepted', (dialled) => {
  expect(resolve({ host: CLUSTER }, { dial: { host: dialled } }).fixedAddress?.host).toBe(dialled)
  expect(resolve({ host: dialled }, { hostname: CLUSTER }).fixedAddress?.host).toBe(dialled)
})

test.each([
  ['hostname', { hostname: '', port: 3306, username: user }],
  ['hostname', { hostname: 7, port: 3306, username: user }],
  ['hostname', { hostname: 'localhost', port: 3306, username: user }],
  ['username', { hostname: CLUSTER, port: 3306, username: '' }],
  ['port', { hostname: CLUSTER, port: 0, username: user }],
])("token() with a wrong value: the error names the AWS SDK's %s", async (option, target) => {
  await expect(createAuroraIam().token(target as never)).rejects.toMatchObject({ option })
})
