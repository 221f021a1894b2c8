import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Capability, encodeErr, encodeGreeting, encodeOk, encodePacket, PacketReader } from '@aurora-iam/wire'
import { type Connection, createConnection, version } from 'mariadb'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  type DriverConfig,
  isIntended,
  MARIADB_ERRNO,
  ownDataListener,
  ping,
  prepare,
  reportEnd,
  TESTED_MINORS,
} from '../../src/connect/mariadb-internals.ts'

const OK = encodeOk({ affectedRows: 0n, lastInsertId: 0n, status: 2, warnings: 0, info: Buffer.alloc(0) })
const COM_STMT_PREPARE = 0x16

const greeting = (tls: boolean) =>
  encodeGreeting({
    serverVersion: '8.0.39',
    authPlugin: 'mysql_native_password',
    connectionId: 1,
    scramble: Buffer.alloc(20, 's'),
    capabilities:
      Capability.PROTOCOL_41 |
      Capability.PLUGIN_AUTH |
      Capability.SECURE_CONNECTION |
      (tls ? Capability.SSL : 0),
    collation: 45,
    status: 2,
  })

/** Answer of the server to a packet; undefined for none. */
type Answer = (payload: Buffer) => Buffer | undefined

let server: Server
let answer: Answer
let offersTls: boolean
const sockets = new Set<Socket>()

beforeEach(async () => {
  answer = () => OK
  offersTls = false
  server = createServer((client) => {
    const packets = new PacketReader(65_536)
    sockets.add(client)
    client.on('error', () => {})
    client.on('data', (chunk) => {
      if (offersTls) return
      packets.push(chunk)
      for (let packet = packets.next(); packet; packet = packets.next()) {
        const { sequence, payload } = packet
        const reply = answer(payload)
        if (reply) client.write(encodePacket({ sequence: sequence + 1, payload: reply }))
      }
    })
    client.write(encodePacket({ sequence: 0, payload: greeting(offersTls) }))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await once(server.close(), 'close')
})

/**
 * Opens a stream of the kind that mariadb gets from this package: no `net.Socket`, and without listeners before
 * mariadb's.
 */
function dial(): Duplex {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.add(socket)
  const stream = new Duplex({
    read: () => {},
    write: (chunk, _encoding, callback) => void socket.write(chunk, callback),
  })
  socket.on('data', (chunk) => stream.push(chunk))
  socket.once('connect', () => stream.emit('connect'))
  return Object.assign(stream, { setTimeout: () => stream })
}

function open(socket: Duplex, config: object = {}): Promise<Connection> {
  const options: DriverConfig = {
    user: 'app',
    password: 'secret',
    connectTimeout: 0,
    stream: (use) => use(undefined, socket as Socket),
    permitRedirect: false,
    ...config,
  }
  return createConnection(options)
}

test('the installed mariadb: a tested minor, and the range of package.json admits no other', () => {
  expect(TESTED_MINORS).toContain(version.split('.').slice(0, 2).join('.'))
  const workspace = readFileSync(new URL('../../../../pnpm-workspace.yaml', import.meta.url), 'utf8')
  const [, minor] = /^ {2}mariadb: ~(\d+\.\d+)\.\d+$/m.exec(workspace) ?? []
  expect(TESTED_MINORS).toEqual([minor])
})

test('assumption 1: the first end listener takes its argument for the reason', async () => {
  answer = () => undefined
  const socket = dial()
  const opening = open(socket)
  await once(socket, 'data')
  const reason = Object.assign(new Error('a reason'), { code: 'ECONNRESET' })
  reportEnd(socket, reason)
  await expect(opening).rejects.toBe(reason)
})

test('assumption 1: an end without a reason gets mariadb’s own error', async () => {
  answer = () => undefined
  const socket = dial()
  const opening = open(socket)
  await once(socket, 'data')
  reportEnd(socket)
  await expect(opening).rejects.toMatchObject({ errno: MARIADB_ERRNO.SOCKET_UNEXPECTED_CLOSE })
})

test('assumption 2: mariadb throws an error that nothing takes, and reportEnd keeps it', async () => {
  const [thrown, kept] = [dial(), dial()]
  await Promise.all([open(thrown), open(kept)])
  const reason = new Error('nothing takes it')
  expect(() => thrown.listeners('end')[0]?.call(thrown, reason)).toThrow(reason)
  expect(() => reportEnd(kept, reason)).not.toThrow()
})

test('assumption 3: mariadb removes all data listeners when TLS begins, and its own is the first', async () => {
  offersTls = true
  const socket = dial()
  const removed: unknown[] = []
  socket.removeAllListeners = (event) => {
    removed.push(event, ownDataListener(socket))
    return Duplex.prototype.removeAllListeners.call(socket, event)
  }
  open(socket, { ssl: { rejectUnauthorized: true } }).catch(() => {})
  const first = ownDataListener(socket)
  await expect.poll(() => removed).toEqual(['data', first])
})

test('assumption 4: a ping that is not answered in time closes the connection', async () => {
  const connection = await open(dial())
  answer = () => undefined
  await expect(ping(connection, 20)).rejects.toMatchObject({ fatal: true })
  expect(connection.isValid()).toBe(false)
})

test('assumption 5: an answer to PREPARE that cannot be read has no number of parameters', async () => {
  const connection = await open(dial())
  connection.on('error', () => {})
  answer = (payload) => (payload[0] === COM_STMT_PREPARE ? Buffer.from([0]) : OK)
  const prepared = prepare(connection, 'SELECT ?')
  const { parameterCount } = await prepared
  expect(Number.isInteger(parameterCount)).toBe(false)
})

test('assumption 6: an error of the server has a code', async () => {
  answer = () => encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })
  const error = await open(dial()).catch((reason: unknown) => reason)
  expect(isIntended(error)).toBe(true)
  expect(isIntended(new TypeError('a mistake'))).toBe(false)
})
