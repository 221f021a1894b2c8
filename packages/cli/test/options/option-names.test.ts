import { mkdir } from 'node:fs/promises'
import { isolateAwsEnvironment, pathOf, write } from '@aurora-iam/test-support/aws-environment'
import { expect, test, vi } from 'vitest'
import { run } from '../run.ts'

isolateAwsEnvironment()

const HOST = 'mydb.cluster-c0example0.eu-west-1.rds.amazonaws.com'

test.each([
  [['token'], 'mysql://app@localhost/shop', 'DATABASE_URL: no IAM token can be signed for localhost'],
  [['token'], `mysql://app@${HOST}:0/shop`, 'DATABASE_URL: expected a port from 1 to 65535'],
  [['token', '--port', '0'], `mysql://app@${HOST}:3306/shop`, '--port: expected a port from 1 to 65535'],
  [['token'], `mysql://${HOST}/shop`, 'DATABASE_URL has no user.'],
  [['policy'], 'mysql://app@localhost/shop', 'DATABASE_URL: expected an endpoint that RDS issued'],
  [['policy', '--user', '-'], `mysql://app@${HOST}/shop`, '--user: expected at most 32'],
  [['policy'], `mysql://a%20b@${HOST}/shop`, 'DATABASE_URL: expected at most 32'],
  [['sql'], `mysql://app@${HOST}/a%20b`, 'DATABASE_URL: expected at most 64'],
  [['policy'], `mysql://${HOST}/shop`, 'DATABASE_URL has no user.'],
  [['exec', '--', 'true'], 'mysql://app@localhost/shop', 'DATABASE_URL: no IAM token can be signed'],
  [['proxy', '--listen', '127.0.0.1:0'], 'mysql://app@localhost/shop', 'DATABASE_URL: no IAM token can be'],
] as const)('%j with DATABASE_URL=%s: %s', async (args, url, message) => {
  vi.stubEnv('DATABASE_URL', url)
  const { status, error } = await run(args)
  expect(status).toBe(2)
  expect(error).toContain(`aurora-iam: ${message}`)
})

test('the doctor examines a host of DATABASE_URL that is no endpoint: its finding names the variable', async () => {
  vi.stubEnv('DATABASE_URL', 'mysql://app@localhost/shop')
  const { status, out } = await run(['doctor'])
  expect(status).toBe(1)
  expect(out).toMatch(/^FAIL +name +DATABASE_URL: no IAM token can be signed/)
})

test('a stored bundle without a certificate: the message does not name an option that was not given', async () => {
  vi.stubEnv('XDG_DATA_HOME', pathOf('data'))
  await mkdir(pathOf('data/aurora-iam'), { recursive: true })
  await write('data/aurora-iam/eu-west-1-bundle.pem', 'nothing')
  const { status, error } = await run(['token', '--host', HOST, '--user', 'app'])
  expect(status).toBe(2)
  expect(error).toContain('aurora-iam: the bundle that `aurora-iam ca` stored: ')
})

test.each([
  [{ host: 'localhost' }, 'host: no IAM token can be signed for localhost'],
  [{ hostname: 'localhost' }, 'hostname: no IAM token can be signed for localhost'],
  [{ dial: 'nowhere' }, 'dial: expected a host and a port'],
  [{ region: 'ireland' }, 'region: expected a Region'],
  [{ ca: 'no.pem' }, 'ca: ENOENT'],
  [{ listen: 'nowhere' }, 'listen: expected a host and a port'],
  [{ listen: '0.0.0.0:3307' }, 'listen: 0.0.0.0 is reachable from other machines'],
  [{ socket: 'a.sock' }, 'listen and socket are both given'],
  [{ passwordFile: 'no.txt' }, 'passwordFile: '],
  [{ tlsKey: 'key.pem' }, 'tlsCert is missing'],
  [{ port: 65_536 }, 'port: expected a whole number from 1 to 65535'],
  [{ maxWaitMs: 2 ** 31 }, 'maxWaitMs: expected a whole number from 1 to 2147483647'],
])('%j in a config file: the message names the file and the property', async (wrong, message) => {
  const endpoint = { listen: '127.0.0.1:0', host: HOST, user: 'app', ...wrong }
  const right = { listen: '127.0.0.1:0', host: HOST, user: 'app', name: 'right' }
  await write('proxy.json', JSON.stringify({ endpoints: [right, endpoint] }))
  const { status, error } = await run(['proxy', '--config', pathOf('proxy.json')])
  expect(status).toBe(2)
  expect(error).toContain(`aurora-iam: ${pathOf('proxy.json')}: endpoints[1].${message}`)
  expect(error).not.toContain('--')
})

test.each([
  [['--backend', 'nothing'], '--backend: not a URL'],
  [['--user', 'u'.repeat(33)], '--user: '],
])('local %j: the message names the option', async (args, message) => {
  const { error } = await run(['local', ...args])
  expect(error).toContain(`aurora-iam: ${message}`)
})
