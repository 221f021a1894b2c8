import { once } from 'node:events'
import { duplexPair } from 'node:stream'
import {
  Capability,
  changeUser,
  encodeChangeUser,
  encodeErr,
  encodeGreeting,
  encodeHandshakeResponse,
  encodeOk,
  encodePacket,
  login,
  PacketChannel,
  readGreeting,
  relay,
  WireError,
} from '@aurora-iam/wire'
import { afterEach, expect, test } from 'vitest'

const OK = encodeOk({ affectedRows: 0n, lastInsertId: 0n, status: 2, warnings: 0, info: Buffer.alloc(0) })
const GREETING = encodeGreeting({
  serverVersion: '8.0.39',
  connectionId: 1,
  scramble: Buffer.from('abcdefghijklmnopqrst'),
  capabilities: Object.values(Capability).reduce((all, flag) => all | flag, 0) >>> 0,
  collation: 45,
  status: 2,
  authPlugin: 'mysql_native_password',
})
const foreignSends = async () => Buffer.from('foreign')

// Each optional property of an options object of this package.
const POLLUTION: Readonly<Record<string, unknown>> = {
  ...{ maxPayloadBytes: 1, password: 'foreign', answer: foreignSends, database: 'foreign', collation: 8 },
  ...{ attributes: new Map([['foreign', 'foreign']]), startTls: () => Promise.reject(new Error('foreign')) },
  ...{ plugins: ['mysql_clear_password'], authPlugin: 'foreign', sqlState: 'FORGN', errno: 1 },
  ...{
    cause: 'foreign',
    error: new Error('foreign'),
    command: { sequence: 0, payload: Buffer.from('foreign') },
  },
  rewriting: { commands: [3], maxPayloadBytes: 99, rewrite: () => Buffer.from('foreign') },
  onPassed: () => {
    throw new Error('foreign')
  },
}

const prototype = Object.prototype as unknown as Record<string, unknown>

afterEach(() => {
  for (const name of Object.keys(POLLUTION)) delete prototype[name]
})

/** Logs in, and changes the user, without any optional property. Returns what the server receives. */
async function loginBytes(): Promise<string[]> {
  const [near, far] = duplexPair()
  const server = new PacketChannel(far)
  server.write(GREETING)
  const client = new PacketChannel(near)
  const session = login(client, await readGreeting(client), { user: 'app', capabilities: 0 })
  const received = [(await server.read()).payload]
  server.write(OK)
  const change = changeUser(await session, { user: 'report' })
  server.sequence = 0
  received.push((await server.read()).payload)
  server.write(OK)
  await change
  return received.map((payload) => payload.toString('hex'))
}

/** Relays one query. Returns what the server receives, and the end of the relay. */
async function relayed(): Promise<unknown[]> {
  const [client, clientEnd] = duplexPair()
  const [server, serverEnd] = duplexPair()
  const end = relay(clientEnd, server, {
    command: 0x11,
    maxPayloadBytes: 64,
    handle: () => Promise.reject(new Error('nothing was to be intercepted')),
  })
  client.write(encodePacket({ sequence: 0, payload: Buffer.from('\x03SELECT 1') }))
  await once(serverEnd, 'readable')
  const received = (serverEnd.read() as Buffer).toString('hex')
  for (const stream of [client, serverEnd]) stream.resume().end()
  const { by, error } = await end
  return [received, by, String(error)]
}

async function outcome(): Promise<string> {
  const error = new WireError('ERR_WIRE_CLOSED', 'closed')
  const [user, authResponse] = ['app', Buffer.alloc(0)]
  const packets = [
    encodeErr({ errno: 1040, message: 'Too many connections' }),
    encodeChangeUser({ user, authResponse, database: '', collation: 45 }, Capability.PLUGIN_AUTH),
    encodeHandshakeResponse({ user, authResponse, capabilities: 0, maxPacketBytes: 1, collation: 45 }),
  ]
  const encoded = packets.map((packet) => packet.toString('hex'))
  return JSON.stringify([
    await loginBytes(),
    await relayed(),
    encoded,
    [error.errno, error.sqlState, Object.hasOwn(error, 'cause')],
  ])
}

test.each(Object.keys(POLLUTION))('Object.prototype.%s is set: it is no option', async (name) => {
  const expected = await outcome()
  Object.defineProperty(prototype, name, { value: POLLUTION[name], configurable: true, writable: true })
  const polluted = await outcome().catch((error: Error) => `${error.stack}`)
  delete prototype[name]
  expect(polluted).toBe(expected)
})
