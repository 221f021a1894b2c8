import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { SSL_REQUEST } from '@aurora-iam/test-support/hostile-clients'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { connectWith, logIn, quiet } from '../fixtures/client.ts'

let aurora: LocalAurora

beforeAll(async () => {
  aurora = await startLocalAurora({ connectTimeoutMs: 400 })
})
afterAll(() => aurora.close())
afterEach(() => aurora.log.clear())

async function greeted(): Promise<Socket> {
  const socket = connect(aurora.port, aurora.host)
  await once(socket, 'data')
  return socket
}

async function expectTimeout(phase: string): Promise<void> {
  await quiet(aurora)
  expect([...aurora.log].at(-1)).toMatchObject({ type: 'closed', by: 'server', phase, detail: 'timeout' })
}

test('a client that sends nothing: disconnected', async () => {
  await once((await greeted()).resume(), 'close')
  await expectTimeout('greeting')
})

test('a client that sends a packet byte by byte: disconnected', async () => {
  const socket = await greeted()
  // A drop that arrives after the cut is answered with a reset; `once` would reject with it.
  socket.on('error', () => {})
  socket.write(Buffer.from([200, 0, 0, 1]))
  const drip = setInterval(() => socket.write(Buffer.alloc(1, 1)), 20)
  await new Promise((resolve) => socket.resume().once('close', resolve))
  clearInterval(drip)
  await expectTimeout('greeting')
})

test('a client that asks for TLS and does not begin it: disconnected', async () => {
  const socket = await greeted()
  socket.write(SSL_REQUEST)
  await once(socket.resume(), 'close')
  await expectTimeout('tls')
})

test('a client that takes too long to send its token: disconnected', async () => {
  const never = () => () => new Promise<Buffer>(() => {})
  const attempt = connectWith(aurora, '', { authPlugins: { mysql_clear_password: never } })
  // A reset, where something of the client's was still unread.
  await expect(attempt).rejects.toMatchObject({
    code: expect.stringMatching(/^(PROTOCOL_CONNECTION_LOST|ECONNRESET)$/),
  })
  await expectTimeout('auth')
})

test('an open session: left alone', async () => {
  const connection = await logIn(aurora)
  await new Promise((resolve) => setTimeout(resolve, 600))
  await connection.query('SELECT 1')
  await connection.end()
})
