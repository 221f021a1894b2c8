import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { auroraIam } from '../src/index.ts'
import { COMMAND, OK, ScriptedServer } from './scripted-server.ts'

let server: ScriptedServer

beforeEach(async () => {
  server = await ScriptedServer.start()
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
})

const DENIED = encodeErr({ errno: 1142, sqlState: '42000', message: 'SELECT command denied' })

const start = (options: { useTextProtocol?: boolean | undefined } = {}) =>
  auroraIam(
    { host: '127.0.0.1', port: server.port, user: 'app', password: 'secret', database: 'shop', ...options },
    { enabled: false },
  )

test('a client that connects: the stock adapter on a pool, which ends with it', async () => {
  const { adapter: factory, status, warmUp } = start()
  await expect(warmUp(1)).rejects.toMatchObject({ option: 'warmUp' })
  const adapter = await factory.connect()
  expect(adapter.getConnectionInfo?.()).toMatchObject({ schemaName: 'shop' })
  await warmUp(2)
  expect(status()).toMatchObject({ connectionsOpened: 2, idle: 2, tokensSigned: 0 })
  await adapter.dispose()
  expect(status()).toMatchObject({ idle: 0 })
  await until(() => server.sockets.size === 0)
})

test.each([
  [true, COMMAND.query],
  [false, COMMAND.prepare],
  [undefined, COMMAND.prepare],
])('useTextProtocol %s: a query is sent by that protocol', async (useTextProtocol, command) => {
  const { adapter: factory } = start({ useTextProtocol })
  const adapter = await factory.connect()
  server.commands.length = 0
  server.answer = () => DENIED
  await expect(adapter.queryRaw({ sql: 'SELECT 1', args: [], argTypes: [] })).rejects.toThrow()
  expect(server.commands[0]).toBe(command)
  await adapter.dispose()
})

test('the first query fails: connect rejects with its error, and no connection is left', async () => {
  server.answer = (payload) => ([COMMAND.query, COMMAND.prepare].includes(payload[0] as never) ? DENIED : OK)
  const { adapter, status } = start()
  await expect(adapter.connect()).rejects.toMatchObject({ errno: 1142 })
  expect(status()).toMatchObject({ connectionsOpened: 1, active: 0, idle: 0 })
  await until(() => server.sockets.size === 0)
})

test('a password: the login has the user, and an answer to the scramble in place of the password', async () => {
  const payloads: Buffer[] = []
  server.answer = (payload) => {
    payloads.push(payload)
    return OK
  }
  const adapter = await start().adapter.connect()
  const SHA1_BYTES = 20
  expect(payloads[0]?.includes(Buffer.concat([Buffer.from('app\0'), Buffer.of(SHA1_BYTES)]))).toBe(true)
  expect(payloads[0]?.includes('secret')).toBe(false)
  await adapter.dispose()
})

test('no host beside a password: localhost, and mariadb’s default port', async () => {
  const { adapter } = auroraIam({ user: 'app', password: 'secret', connectTimeoutMs: 1 }, { enabled: false })
  await expect(adapter.connect()).rejects.toMatchObject({
    message: expect.stringContaining('localhost:3306'),
  })
})
