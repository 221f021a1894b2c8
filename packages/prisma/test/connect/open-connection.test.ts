import { Socket } from 'node:net'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openWithPassword } from '../../src/connect/open-connection.ts'
import { Activity } from '../../src/status.ts'
import { OK, ScriptedServer } from '../scripted-server.ts'

let server: ScriptedServer

beforeEach(async () => {
  server = await ScriptedServer.start()
})

afterEach(async () => {
  vi.restoreAllMocks()
  await server[Symbol.asyncDispose]()
})

/** Opens a connection with a password. Returns its result or error, with the counts of it. */
async function open({ port = server.port, ssl = undefined as object | undefined, timeoutMs = 5_000 } = {}) {
  const observer = new Activity()
  const config = { user: 'app', password: 'secret', ssl }
  const openOne = openWithPassword({ address: { host: '127.0.0.1', port }, config, timeoutMs, observer })
  const [result] = await Promise.allSettled([openOne(new AbortController().signal)])
  const { connectionsOpened, connectionsFailed } = observer.status(0)
  return { result, connectionsOpened, connectionsFailed }
}

test('a login with a password: counted, on a socket with TCP_NODELAY and keep-alive', async () => {
  const noDelays = vi.spyOn(Socket.prototype, 'setNoDelay')
  const keepAlives = vi.spyOn(Socket.prototype, 'setKeepAlive')
  const connects = vi.spyOn(Socket.prototype, 'connect')
  const logins: Buffer[] = []
  server.answer = (payload) => {
    logins.push(payload)
    return OK
  }
  const { result, ...counts } = await open()
  expect(logins.map((login) => login.includes('app\0'))).toEqual([true])
  expect(counts).toEqual({ connectionsOpened: 1, connectionsFailed: 0 })
  const [socket] = connects.mock.contexts
  expect(noDelays.mock.calls[noDelays.mock.contexts.indexOf(socket as Socket)]).toEqual([true])
  expect(keepAlives.mock.calls[keepAlives.mock.contexts.indexOf(socket as Socket)]).toEqual([true, 30_000])
  if (result?.status === 'fulfilled') result.value.destroy()
  await until(() => server.sockets.size === 0)
})

test('a port that refuses connections: P1001 with the address, counted as failed', async () => {
  expect(await open({ port: 1 })).toMatchObject({
    result: { reason: { code: 'P1001', message: expect.stringContaining(' at 127.0.0.1:1: ') } },
    connectionsOpened: 0,
    connectionsFailed: 1,
  })
})

test('a rejected password: P1000 with the user', async () => {
  server.answer = () => encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })
  expect(await open()).toMatchObject({
    result: { reason: { code: 'P1000', message: expect.stringContaining('the login of app: ') } },
    connectionsFailed: 1,
  })
})

test("the caller's `ssl`: mariadb writes to a copy of it", async () => {
  server.offersTls = true
  const ssl = { ca: 'none' }
  expect(await open({ ssl, timeoutMs: 100 })).toMatchObject({ connectionsFailed: 1 })
  expect(ssl).toEqual({ ca: 'none' })
})
