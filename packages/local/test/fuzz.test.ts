import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type Duplex, duplexPair } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import {
  GOOD_TOKEN,
  type HostileClient,
  hostileClients,
  hostileInsideTls,
  SSL_REQUEST,
} from '@aurora-iam/test-support/hostile-clients'
import { until } from '@aurora-iam/test-support/until'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Backend, openBackend } from '../src/database/backend.ts'
import { type FaultSettings, Faults } from '../src/faults/faults.ts'
import { Throttle } from '../src/iam/throttle.ts'
import { LoginLog } from '../src/log/login-log.ts'
import { serveConnection } from '../src/server/connection.ts'
import type { ServerContext } from '../src/server/context.ts'
import { type Listener, startListener } from '../src/server/listener.ts'
import { prepareCertificates } from '../src/tls/accept-tls.ts'
import { type Certificates, createCertificates } from '../src/tls/certificates.ts'

/** In memory, every connection may take this long over each packet; all are over soon after. */
const CONNECT_TIMEOUT_MS = 100
/** Sessions that were opened are not timed out by the server: the client goes, sooner or later. */
const CLIENT_STAYS_MS = 300
const BOUND_MS = 10_000
const BATCH = 250

let backend: Backend
let certificates: Certificates
let context: Omit<ServerContext, 'faults'>
let listener: Listener

beforeAll(async () => {
  certificates = await createCertificates(['localhost'])
  backend = await openBackend({ database: 'app', users: ['app'] })
  context = {
    backend,
    certificates: prepareCertificates(certificates),
    log: new LoginLog(Date.now),
    throttle: new Throttle(false),
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    verify: (token) =>
      token === GOOD_TOKEN
        ? { accepted: true, accessKeyId: 'AKIA', hostname: 'localhost' }
        : { accepted: false, reason: 'InvalidToken', detail: 'it is not the good one' },
  }
  listener = await startListener({ host: '127.0.0.1', port: 0 }, new Faults(), () => ({
    ...context,
    connectTimeoutMs: BOUND_MS,
  }))
})
afterAll(async () => {
  await listener.close()
  await backend.close()
})

async function attack(stream: Duplex, { pieces, then }: HostileClient): Promise<void> {
  stream.on('error', () => {})
  stream.resume()
  for (const piece of pieces) {
    stream.write(piece)
    await new Promise(setImmediate)
  }
  if (then === 'end') stream.end()
  if (then === 'destroy') stream.destroy()
}

async function bounded(work: Promise<unknown>, client?: HostileClient): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise((_, reject) => {
    const what = client && `${client.pieces.map((piece) => piece.toString('base64'))} then ${client.then}`
    timer = setTimeout(() => reject(new Error(`not over after ${BOUND_MS} ms: ${what}`)), BOUND_MS)
  })
  await Promise.race([work, late]).finally(() => clearTimeout(timer))
}

/** Lets every client attack, so many at a time. */
async function all(
  clients: HostileClient[],
  attackBy: (client: HostileClient) => Promise<void>,
): Promise<void> {
  for (let start = 0; start < clients.length; start += BATCH) {
    await Promise.all(clients.slice(start, start + BATCH).map(attackBy))
  }
}

const some = (clients: fc.Arbitrary<HostileClient>, count: number) =>
  fc.sample(clients, { seed: 20_261_123, numRuns: count })

const leaveInTime = (stream: Duplex) => setTimeout(() => stream.destroy(), CLIENT_STAYS_MS).unref()

async function inMemory(client: HostileClient, faults: FaultSettings): Promise<void> {
  const [near, far] = duplexPair()
  const incoming = { stream: far, connection: 1, remoteAddress: '127.0.0.1' }
  const { finished } = serveConnection(incoming, { ...context, faults: { current: faults } })
  // One end of an in-memory pair does not notice that the other was destroyed; a socket does.
  near.once('close', () => far.destroy())
  far.once('close', () => near.destroy())
  leaveInTime(near)
  await attack(near, client)
  await bounded(finished, client)
}

async function overLoopback(client: HostileClient, tls: boolean): Promise<void> {
  const socket = connect(listener.port, '127.0.0.1')
  socket.on('error', () => {})
  const over = new Promise((resolve) => socket.once('close', resolve))
  await bounded(once(socket, 'data'), client)
  const stream = tls ? await beginTls(socket) : socket
  leaveInTime(socket)
  await attack(stream, client)
  await bounded(over, client)
}

async function beginTls(socket: Socket): Promise<Duplex> {
  socket.write(SSL_REQUEST)
  const secured = connectTls({ socket, ca: certificates.ca, servername: 'localhost' })
  await bounded(once(secured, 'secureConnect'))
  return secured
}

test('4500 hostile clients on a server that requires TLS: each ends cleanly', {
  timeout: 60_000,
}, async () => {
  await all(some(hostileClients, 4500), (client) => inMemory(client, {}))
})

test('4500 hostile clients that get as far as a token, and behind it: each ends cleanly', {
  timeout: 60_000,
}, async () => {
  await all(some(hostileClients, 4500), (client) => inMemory(client, { tls: 'absent' }))
  expect(context.log.logins.length).toBeGreaterThan(100)
  expect(context.log.refusals.length).toBeGreaterThan(100)
})

test('500 hostile clients over sockets and 500 inside TLS: no connection is left', {
  timeout: 60_000,
}, async () => {
  context.log.clear()
  await all(some(hostileClients, 500), (client) => overLoopback(client, false))
  await all(some(hostileInsideTls, 500), (client) => overLoopback(client, true))
  await until(() => listener.openConnections === 0)
  const types = [...context.log].map(({ type }) => type)
  expect(types.filter((type) => type === 'connection')).toHaveLength(1000)
  expect(types.filter((type) => type === 'closed')).toHaveLength(1000)
  expect(types.filter((type) => type === 'tls')).toHaveLength(500)
  expect(context.log.logins.length).toBeGreaterThan(0)
})
