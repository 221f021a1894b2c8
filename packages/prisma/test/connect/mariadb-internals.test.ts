import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { encodeErr } from '@aurora-iam/wire'
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
import { COMMAND, OK, ScriptedServer } from '../scripted-server.ts'

let server: ScriptedServer

beforeEach(async () => {
  server = await ScriptedServer.start()
})

afterEach(async () => {
  await server[Symbol.asyncDispose]()
})

/**
 * Opens a stream of the kind that mariadb gets from this package: no `net.Socket`, and without listeners before
 * mariadb's.
 */
function dial(): Duplex {
  const socket = connect(server.port, '127.0.0.1')
  server.sockets.add(socket)
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
  server.answer = () => undefined
  const socket = dial()
  const opening = open(socket)
  await once(socket, 'data')
  const reason = Object.assign(new Error('a reason'), { code: 'ECONNRESET' })
  reportEnd(socket, reason)
  await expect(opening).rejects.toBe(reason)
})

test('assumption 1: an end without a reason gets mariadb’s own error', async () => {
  server.answer = () => undefined
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
  server.offersTls = true
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
  server.answer = () => undefined
  await expect(ping(connection, 20)).rejects.toMatchObject({ fatal: true })
  expect(connection.isValid()).toBe(false)
})

test('assumption 5: an answer to PREPARE that cannot be read has no number of parameters', async () => {
  const connection = await open(dial())
  connection.on('error', () => {})
  server.answer = (payload) => (payload[0] === COMMAND.prepare ? Buffer.from([0]) : OK)
  const prepared = prepare(connection, 'SELECT ?')
  const { parameterCount } = await prepared
  expect(Number.isInteger(parameterCount)).toBe(false)
})

test('assumption 6: an error of the server has a code', async () => {
  server.answer = () => encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })
  const error = await open(dial()).catch((reason: unknown) => reason)
  expect(isIntended(error)).toBe(true)
  for (const other of [new TypeError('a mistake'), 45_011, null, undefined])
    expect(isIntended(other)).toBe(false)
})
