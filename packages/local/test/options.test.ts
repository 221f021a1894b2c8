import { inspect } from 'node:util'
import { createPrincipal, type LocalAuroraOptions, startLocalAurora } from '@aurora-iam/local'
import { describe, expect, test, vi } from 'vitest'
import { resolveOptions } from '../src/options.ts'
import { connectWith, logIn, tokenFor } from './fixtures/client.ts'

describe('options are refused by name, before anything is started', () => {
  const cases: [string, object][] = [
    ['hostnam', { hostnam: 'x' }],
    ['hostname', { hostname: 'host:3306' }],
    ['host', { host: '0.0.0.0' }],
    ['port', { port: -1 }],
    ['signedPort', { signedPort: 0 }],
    ['users', { users: [] }],
    ['database', { database: '' }],
    ['tokenLifetimeMs', { tokenLifetimeMs: 0 }],
    ['connectTimeoutMs', { connectTimeoutMs: Number.NaN }],
    ['connectTimeoutMs', { connectTimeoutMs: 2 ** 31 }],
    ['throttle', { throttle: 0 }],
    ['principals', { principals: [] }],
    ['principals', { principals: [createPrincipal()], credentials: createPrincipal() }],
    ['policy', { policy: { Statement: { Effect: 'Maybe' } } }],
    ['backend', { backend: 'postgres://localhost' }],
  ]
  test.each(cases)('%s: refused by name', async (option, options) => {
    await expect(startLocalAurora(options as LocalAuroraOptions)).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option,
      message: expect.stringContaining(option),
    })
  })
})

test.each([
  ['users', { users: 'app' }, /an array/],
  ['users', { users: ['app', ''] }, /not empty/],
  ['users', { users: ['root'] }, /"root" is reserved/],
  ['users', { users: ['Admin'] }, /"Admin" is reserved/],
  ['users', { users: ['app '] }, /"app " begins or ends with a blank/],
  ['users', { users: ['x'.repeat(33)] }, /33 characters, the limit is 32/],
  ['users', { users: ['a\u009b'] }, /"a\\u009b" has a character/],
  ['users', { users: ['a😀'] }, /beyond U\+FFFF/],
  ['users', { users: ['app', 'app'] }, /twice/],
  ['database', { database: 'x'.repeat(65) }, /65 characters, the limit is 64/],
  ['database', { database: 'shop ' }, /blank/],
  ['database', { database: 'MySQL' }, /of the server itself/],
])('a bad name in %s %o: refused before anything is started', async (option, options, problem) => {
  const failure = await startLocalAurora(options as LocalAuroraOptions).catch((error) => error)
  expect(failure).toMatchObject({ code: 'ERR_LOCAL_AURORA_INVALID_OPTION', option })
  expect(failure.message).toMatch(problem)
})

test('names at the limits: accepted', async () => {
  const [user, database] = ["o'brien\\ü".padEnd(32, 'x'), 'my_`db`%'.padEnd(64, 'x')]
  await using aurora = await startLocalAurora({ users: [user], database })
  const token = await tokenFor(aurora, { username: user })
  await (await connectWith(aurora, token, { user, database })).end()
})

test.each([
  ['db.cluster-abc.eu-central-1.rds.amazonaws.com', 'eu-central-1'],
  ['my-db-1.cluster-abc.rds.cn-north-1.amazonaws.com.cn', 'cn-north-1'],
  ['db.cluster-abc.us-gov-west-1.rds.amazonaws.com', 'us-gov-west-1'],
  ['db.example', 'us-east-1'],
])('the region, from %s: %s', (hostname, region) => {
  expect(resolveOptions({ hostname }).region).toBe(region)
})

test('AURORA_IAM_BACKEND: it names the backend, unless an option does', () => {
  vi.stubEnv('AURORA_IAM_BACKEND', 'mysql://from-environment')
  expect(resolveOptions({}).backend).toBe('mysql://from-environment')
  expect(resolveOptions({ backend: 'mysql://from-option' }).backend).toBe('mysql://from-option')
  vi.unstubAllEnvs()
})

test('a Local Aurora with every option: each has its effect', async () => {
  const hostname = 'Shop.cluster-abc.eu-west-1.rds.amazonaws.com'
  const [reader, other] = [createPrincipal(), createPrincipal()]
  await using aurora = await startLocalAurora({
    hostname,
    hostnames: ['shop.cluster-ro-abc.eu-west-1.rds.amazonaws.com'],
    signedPort: 3306,
    users: ['reader'],
    database: 'shop',
    principals: [reader, { ...other, policy: { Statement: { Effect: 'Deny', Action: '*', Resource: '*' } } }],
    throttle: { limit: 100, intervalMs: 1000 },
  })
  expect(aurora.hostnames).toEqual([
    hostname.toLowerCase(),
    'shop.cluster-ro-abc.eu-west-1.rds.amazonaws.com',
  ])
  expect(aurora.url).toBe(`mysql://127.0.0.1:${aurora.port}/shop`)
  expect(aurora.iam).toMatchObject({
    hostname: hostname.toLowerCase(),
    port: 3306,
    region: 'eu-west-1',
    ca: aurora.ca,
  })
  const who = { user: 'reader', database: 'shop' }
  const login = { username: 'reader', port: 3306 }
  for (const hostname of aurora.hostnames) {
    await (await connectWith(aurora, await tokenFor(aurora, { ...login, hostname }), who)).end()
  }
  const denied = await tokenFor(aurora, { ...login, credentials: other })
  await expect(connectWith(aurora, denied, who)).rejects.toMatchObject({ errno: 1045 })
  expect(aurora.log.refusals[0]).toMatchObject({ reason: 'NotAuthorized' })
  aurora.principals.remove(reader.accessKeyId)
  await expect(connectWith(aurora, await tokenFor(aurora, login), who)).rejects.toMatchObject({ errno: 1045 })
})

describe('a running Local Aurora', () => {
  test('an inspected Local Aurora: no secret is shown', async () => {
    await using aurora = await startLocalAurora()
    const shown = inspect(aurora, { depth: 10, showHidden: true })
    expect(shown).not.toContain(aurora.credentials.secretAccessKey)
  })

  test('close(): it ends the clients once, and new ones are refused', async () => {
    const aurora = await startLocalAurora()
    const connection = await logIn(aurora)
    const lost = new Promise((resolve) => connection.on('error', resolve))
    await Promise.all([aurora.close(), aurora.close()])
    await lost
    expect(aurora.openConnections).toBe(0)
    await expect(logIn(aurora)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(aurora.startCredentialEndpoints()).rejects.toMatchObject({ code: 'ERR_LOCAL_AURORA_CLOSED' })
  })

  test('credential endpoints: they return its credentials', async () => {
    await using aurora = await startLocalAurora()
    const endpoints = await aurora.startCredentialEndpoints()
    expect(await aurora.startCredentialEndpoints()).toBe(endpoints)
    const headers = { authorization: endpoints.authorizationToken }
    const answer = await (await fetch(endpoints.containerUrl, { headers })).json()
    expect(answer).toMatchObject({ AccessKeyId: aurora.credentials.accessKeyId })
  })

  test('a port that is taken: named, and nothing is left running', async () => {
    await using aurora = await startLocalAurora()
    await expect(startLocalAurora({ port: aurora.port })).rejects.toMatchObject({
      code: 'ERR_LOCAL_AURORA_INVALID_OPTION',
      option: 'port',
      cause: expect.objectContaining({ code: 'EADDRINUSE' }),
    })
  })
})
