import { errorThrownBy } from '@aurora-iam/test-support/rejection-of'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Address } from '../../src/endpoint/address.ts'
import {
  type DriverAddress,
  resolveTarget,
  type TargetOptions,
} from '../../src/endpoint/connection-target.ts'

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

test('dial as a function: called once for each connection, and for nothing else', () => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3']
  const target = resolve({ host: CLUSTER }, { dial: () => ({ host: addresses.shift() as string }) })
  expect(addresses).toHaveLength(3)
  expect(target.fixedAddress).toBeUndefined()
  expect(target.dial(target)).toEqual({ host: '10.0.0.1', port: 3306 })
  expect(target.dial(target)).toEqual({ host: '10.0.0.2', port: 3306 })
})

test('dial as a function: a copy of the target for another user asks for that user', () => {
  const target = resolve({ host: CLUSTER }, { dial: ({ username }) => ({ host: `${username}.internal` }) })
  expect(target.dial({ ...target, username: 'batch' }).host).toBe('batch.internal')
})

/** Returns what the target throws whose `dial` throws `thrown`. */
function errorOfDial(thrown: unknown): unknown {
  const dial = () => {
    throw thrown
  }
  const target = resolve({ host: CLUSTER }, { dial })
  try {
    return target.dial(target)
  } catch (error) {
    return error
  }
}

test('an error that a dial function throws, also one of another realm: passed on unchanged', () => {
  for (const error of [new Error('no such service'), { message: 'of another realm' }]) {
    expect(errorOfDial(error)).toBe(error)
  }
})

test.each([
  ['a string', 'no such service'],
  ['undefined', undefined],
  ['null', null],
  ['an object', { message: 5 }],
])('%s that a dial function throws: INVALID_OPTION, with that as the cause', (what, thrown) => {
  const error = errorOfDial(thrown) as Error
  expect(error).toMatchObject({ code: 'ERR_AURORA_IAM_INVALID_OPTION', option: 'dial' })
  expect(error.cause).toBe(thrown)
  expect(error.message).toContain(`the function threw ${what}`)
})

test.each(CASES)(
  '$title: signed and dialled as the table lists it',
  ({ address, options, signed: [hostname, port], dialled }) => {
    const target = resolve(address, options)
    expect(target).toEqual({
      hostname,
      port,
      username: user,
      region: 'eu-west-1',
      kind: 'cluster',
      fixedAddress: typeof options?.dial === 'function' ? undefined : dialled,
      dial: expect.any(Function),
    })
    expect(target.dial(target)).toEqual(dialled)
  },
)

test('a CNAME as the hostname: signed in lower case, of no known kind', () => {
  vi.stubEnv('AWS_REGION', '')
  expect(resolve({}, { hostname: 'DB.Example.com.' })).toMatchObject({
    hostname: 'db.example.com',
    kind: 'other',
    region: undefined,
    fixedAddress: { host: 'db.example.com', port: 3306 },
  })
})

test.each([1, 65_535])('port %d: accepted', (port) => {
  expect(resolve({ host: CLUSTER, port }).port).toBe(port)
})

test('a host and a port that another package left on Object.prototype: not dialled', () => {
  const polluted = Object.prototype as { host?: string; port?: number }
  try {
    polluted.host = 'evil.example'
    polluted.port = 1
    const { fixedAddress } = resolve({ host: CLUSTER, port: 3306 })
    expect(fixedAddress).toEqual({ host: CLUSTER, port: 3306 })
  } finally {
    delete polluted.host
    delete polluted.port
  }
})

test('a port option given as a string: signed as a number', () => {
  const options = { port: '3307' } as unknown as TargetOptions
  expect(resolve({ host: CLUSTER }, options).port).toBe(3307)
})

describe('Region', () => {
  test('a name with a Region: AWS_REGION is not read', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({ host: CLUSTER }).region).toBe('eu-west-1')
  })

  test('a name without a Region: AWS_REGION is used', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({ hostname: 'db.example.com' } as never, { hostname: 'db.example.com' }).region).toBe(
      'us-east-1',
    )
  })

  test.each(['', 'default', 'us-east-1 '])('AWS_REGION=%j: not a Region', (value) => {
    vi.stubEnv('AWS_REGION', value)
    expect(resolve({}, { hostname: 'db.example.com' }).region).toBeUndefined()
  })

  test('an explicit Region: used for a name without one, and accepted if it repeats that of the name', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(resolve({}, { hostname: 'db.example.com', region: 'eu-west-2' }).region).toBe('eu-west-2')
    expect(resolve({ host: CLUSTER }, { region: 'eu-west-1' }).region).toBe('eu-west-1')
  })

  test('the global writer: AWS_REGION is not used for it', () => {
    vi.stubEnv('AWS_REGION', 'us-east-1')
    expect(errorThrownBy(() => resolve({ host: GLOBAL }))).toMatchObject({
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
