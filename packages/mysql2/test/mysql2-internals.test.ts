import { EventEmitter, once } from 'node:events'
import { type AddressInfo, createServer, Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { createCertificates } from '@aurora-iam/test-support/certificates'
import {
  Capability,
  encodeAuthSwitchRequest,
  encodeErr,
  encodeGreeting,
  encodeOk,
  PacketChannel,
} from '@aurora-iam/wire'
import mysql, { type Connection, type Pool } from 'mysql2'
import mysql315 from 'mysql2-3.15'
import mysql322 from 'mysql2-3.22'
import { afterEach, describe, expect, test, vi } from 'vitest'
import {
  connectionOptionsOf,
  constructed,
  errorListeners,
  isPeerVerified,
  poolView,
  queryFirst,
  reportError,
  TESTED_MINORS,
  tolerateLateErrors,
  traceConnection,
} from '../src/mysql2-internals.ts'

type Driver = Pick<typeof mysql, 'createPool' | 'createConnection'>
type Settings = Parameters<typeof isPeerVerified>[0]['config']

const DRIVERS: ReadonlyArray<readonly [minor: string, driver: Driver]> = [
  ['3.15', mysql315 as unknown as Driver],
  ['3.22', mysql322 as unknown as Driver],
  ['3.24', mysql],
]
const OK = encodeOk({ affectedRows: 0n, lastInsertId: 0n, status: 2, warnings: 0, info: Buffer.alloc(0) })
const DENIED = encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })
const { ca, valid } = await createCertificates('db.test')
const cleanups: Array<() => unknown> = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

/** TLS of the server: not offered, offered and working, or offered and never begun. */
type Tls = 'none' | 'works' | 'hangs'

/** Serves logins: a greeting, TLS where it is offered, a request for the password, and then `answer` to each packet. */
async function serve({ answer = OK, tls = 'none' }: { answer?: Buffer; tls?: Tls } = {}): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    talk(client, { answer, tls }).catch(() => {})
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy()
    return once(server.close(), 'close')
  })
  return (server.address() as AddressInfo).port
}

async function talk(client: Socket, { answer, tls }: { answer: Buffer; tls: Tls }): Promise<void> {
  let channel = new PacketChannel(client)
  channel.write(greeting(tls !== 'none'))
  await channel.read()
  if (tls === 'hangs') return
  if (tls === 'works') {
    channel.release()
    const secure = new TLSSocket(client, { isServer: true, key: valid.key, cert: valid.cert })
    secure.on('error', () => {})
    const { sequence } = channel
    channel = new PacketChannel(secure)
    channel.sequence = sequence
    await channel.read()
  }
  channel.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  await channel.read()
  channel.write(answer)
}

function greeting(tls: boolean): Buffer {
  return encodeGreeting({
    serverVersion: '8.0.39',
    authPlugin: 'mysql_native_password',
    connectionId: 1,
    scramble: Buffer.alloc(20, 's'),
    capabilities: Capability.PROTOCOL_41 | Capability.PLUGIN_AUTH | (tls ? Capability.SSL : 0),
    collation: 45,
    status: 2,
  })
}

/**
 * Returns options as withAuroraIam does: a socket that is connected later, and a plugin for the clear-text password.
 */
function options(port: number, more: object = {}) {
  return {
    host: 'db.test',
    user: 'app',
    stream: () => {
      const socket = new Socket()
      setImmediate(() => socket.connect(port, '127.0.0.1'))
      return socket
    },
    authPlugins: { mysql_clear_password: () => async () => Buffer.from('token\0') },
    ...more,
  } as Parameters<Driver['createConnection']>[0] & object
}

function open(driver: Driver, given: ReturnType<typeof options>): Connection {
  const connection = driver.createConnection(given)
  connection.on('error', () => {})
  cleanups.push(() => connection.destroy())
  return connection
}

function pool(driver: Driver, given: ReturnType<typeof options>): Pool {
  const made = driver.createPool(given)
  cleanups.push(() => made.end(() => {}))
  return made
}

const connected = (connection: Connection) =>
  new Promise<Error | null>((resolve) => connection.connect((error) => resolve(error)))

const checkedOut = (from: Pool) =>
  new Promise<Connection>((resolve, reject) =>
    from.getConnection((error, connection) => (error ? reject(error) : resolve(connection))),
  )

/** Takes the commands that wait out of the queue of a connection. Returns their SQL. */
function queuedOf(connection: Connection): unknown[] {
  const { _commands } = connection as unknown as {
    _commands: { length: number; shift(): { sql?: string } }
  }
  return Array.from({ length: _commands.length }, () => _commands.shift().sql)
}

test('the drivers of this test: the tested minors', () => {
  expect(DRIVERS.map(([minor]) => minor)).toEqual(TESTED_MINORS)
})

describe('a peer', () => {
  const verified = {
    stream: { encrypted: true, authorized: true },
    config: { ssl: { rejectUnauthorized: true, verifyIdentity: true } },
  }
  const isVerified = (change: object) => isPeerVerified({ ...verified, ...change } as never)

  test('TLS, its chain and its name are verified: verified', () => {
    expect(isVerified({})).toBe(true)
  })

  test.each([
    ['no TLS', { stream: { authorized: true } }],
    ['a chain that is not verified', { stream: { encrypted: true, authorized: false } }],
    ['a driver that does not show its TLS socket', { stream: {} }],
    ['TLS switched off', { config: { ssl: false } }],
    ['a name that is not checked', { config: { ssl: { verifyIdentity: false } } }],
    ['no option about the name', { config: { ssl: {} } }],
  ])('%s: not verified', (_what, change) => {
    expect(isVerified(change)).toBe(false)
  })
})

test('the first connections of a process: the error of each is traced once', async () => {
  // A copy of the module that has not subscribed yet.
  vi.resetModules()
  const internals = await import('../src/mysql2-internals.ts')
  const given = options(await serve({ answer: DENIED }))
  const { stream } = given as unknown as { stream: () => Socket }
  const errors: Error[] = []
  const traced = {
    ...given,
    stream: () => {
      internals.traceConnection({ onDriverError: (error) => errors.push(error) })
      return stream()
    },
  }
  for (const count of [1, 2]) {
    const error = await connected(open(mysql, traced as never))
    expect(errors).toHaveLength(count)
    expect(errors.at(-1)).toBe(error)
  }
})

describe('an error of a connection', () => {
  test.each([1, 2])('tolerated %d times, without a listener: thrown', (times) => {
    const connection = new EventEmitter()
    for (let time = 0; time < times; time++) tolerateLateErrors(connection)
    expect(() => connection.emit('error', new Error('first'))).toThrow('first')
  })

  test('a listener that throws the error which is reported: kept, and any other is thrown', () => {
    const [reported, other] = [new Error('reported'), new Error('other')]
    const seen: unknown[] = []
    const socket = new Socket()
    const record = function (this: unknown, error: Error) {
      seen.push(this === socket, error)
      throw error
    }
    expect(() => reportError(socket, [record], reported)).not.toThrow()
    expect(seen).toEqual([true, reported])
    const failing = () => {
      throw other
    }
    expect(() => reportError(socket, [failing], reported)).toThrow(other)
  })
})

test('the options of a pool that holds them itself, and of one that has none: found, or undefined', () => {
  const config = { host: 'db.test' }
  expect(connectionOptionsOf({ config } as never)).toBe(config)
  expect(connectionOptionsOf({} as never)).toBeUndefined()
})

describe.each(DRIVERS)('mysql2 %s', (minor, driver) => {
  test('assumption 1, destroy(): it ends the stream and does not destroy it', async () => {
    const socket = new Socket()
    const connection = open(driver, options(await serve(), { stream: () => socket }))
    connection.destroy()
    expect(socket).toMatchObject({ writableEnded: true, destroyed: false })
    socket.destroy()
  })

  test('assumption 2, the settings of stream: those of the connection, shared before 3.23.3', async () => {
    const settings: unknown[] = []
    const { stream } = options(await serve()) as unknown as { stream: () => Socket }
    const connections = pool(driver, {
      ...options(await serve()),
      stream: ({ config }: { config: unknown }) => {
        settings.push(config)
        return stream()
      },
    } as never)
    const opened = await Promise.all([checkedOut(connections), checkedOut(connections)])
    expect(opened.map(({ config }) => config)).toEqual(settings)
    expect(opened[0]?.config).toBe(settings[0])
    expect(settings[0] === settings[1]).toBe(minor !== '3.24')
  })

  test('assumption 3, a login that is rejected: traced with the error of the caller, not by 3.15', async () => {
    const errors: Error[] = []
    const trace = { onDriverError: (error: Error) => void errors.push(error) }
    const given = options(await serve({ answer: DENIED }))
    const { stream } = given as unknown as { stream: () => Socket }
    const connection = open(driver, {
      ...given,
      stream: () => {
        traceConnection(trace)
        return stream()
      },
    } as never)
    constructed()
    const error = await connected(connection)
    expect(error).toMatchObject({ errno: 1045 })
    const isTraced = minor !== '3.15'
    expect(errors).toEqual(isTraced ? [error] : [])
    if (isTraced) expect(errors[0]).toBe(error)
  })

  test('assumption 3, a connection that is constructed afterwards by another pool: not traced', async () => {
    const errors: Error[] = []
    traceConnection({ onDriverError: (error) => errors.push(error) })
    constructed()
    const connection = open(driver, options(await serve({ answer: DENIED })))
    expect(await connected(connection)).toMatchObject({ errno: 1045 })
    expect(errors).toEqual([])
  })

  test('assumption 4, an error on the socket: the caller gets it unchanged, at once', async () => {
    const socket = new Socket()
    let listenersBefore: number | undefined
    const stream = () => {
      listenersBefore = errorListeners(socket).length
      return socket
    }
    const connection = open(driver, options(0, { stream }))
    const result = connected(connection)
    expect(listenersBefore).toBe(0)
    const reason = Object.assign(new Error('a reason'), { code: 'A_CODE' })
    reportError(socket, errorListeners(socket), reason)
    expect(await result).toBe(reason)
    expect(reason.code).toBe('A_CODE')
    socket.destroy()
  })

  test('assumption 4, the same error once TLS has begun: its code is overwritten', async () => {
    const socket = new Socket()
    const port = await serve({ tls: 'hangs' })
    const connection = open(driver, options(port, { stream: () => socket, ssl: { ca } }))
    const result = connected(connection)
    await new Promise(process.nextTick)
    const before = errorListeners(socket)
    socket.connect(port, '127.0.0.1')
    await expect.poll(() => errorListeners(socket).length).toBeGreaterThan(before.length)
    const reason = Object.assign(new Error('a reason'), { code: 'A_CODE' })
    socket.destroy(reason)
    expect(await result).toBe(reason)
    expect(reason.code).toBe('HANDSHAKE_SSL_ERROR')
  })

  test('assumption 5, two errors of a connection in a pool: the second one has no listener', async () => {
    const connections = pool(driver, options(await serve()))
    const [bare, tolerant] = await Promise.all([checkedOut(connections), checkedOut(connections)])
    bare?.emit('error', new Error('first'))
    expect(() => bare?.emit('error', new Error('second'))).toThrow('second')
    bare?.on('error', () => {})
    tolerateLateErrors(tolerant as Connection)
    tolerant?.emit('error', new Error('first'))
    expect(() => tolerant?.emit('error', new Error('second'))).not.toThrow()
  })

  test('assumption 6, a login over TLS: the stream is verified, with the name only where it is checked', async () => {
    const port = await serve({ tls: 'works' })
    const verified = async (ssl: object | undefined) => {
      const connection = open(driver, options(port, { ssl }))
      expect(await connected(connection)).toBeNull()
      return isPeerVerified(connection as unknown as { config: Settings } & never)
    }
    expect(await verified({ ca, verifyIdentity: true })).toBe(true)
    expect(await verified({ ca })).toBe(false)
    expect(await verified({ rejectUnauthorized: false, verifyIdentity: true })).toBe(false)
  })

  test('assumption 7, the options of a pool: found in it', () => {
    const given = options(0)
    const { stream } = given as unknown as { stream: unknown }
    expect((connectionOptionsOf(pool(driver, given)) as { stream?: unknown }).stream).toBe(stream)
  })

  test('assumption 8, another getConnection: query, execute and the promise API use it', async () => {
    const connections = pool(driver, options(await serve()))
    let calls = 0
    const refuse: Pool['getConnection'] = (callback) => {
      calls += 1
      callback(new Error('refused') as never, undefined as never)
    }
    const view = poolView(connections, refuse)
    const refused = { message: 'refused' }
    for (const run of ['query', 'execute'] as const) {
      const called = new Promise((_, reject) => view[run]('SELECT 1', (error: unknown) => reject(error)))
      await expect(called).rejects.toMatchObject(refused)
      const promises = view.promise() as { query(sql: string): unknown; execute(sql: string): unknown }
      await expect(promises[run]('SELECT 1')).rejects.toMatchObject(refused)
    }
    await expect(view.promise().getConnection()).rejects.toMatchObject(refused)
    expect(calls).toBe(5)
  })

  test('assumption 9, a query that is queued within the handshake: sent before those that waited for its end', async () => {
    const port = await serve()
    const connection = open(driver, options(port))
    const { _command: handshake } = connection as unknown as { _command: EventEmitter }
    for (const sql of ['SELECT 1', 'SELECT 2']) connection.query(sql, () => {})
    const asked = { sql: 'SELECT 0', rowsAsArray: true, nestTables: false, typeCast: true } as const
    handshake.prependOnceListener('end', () => queryFirst(connection as never, asked, () => {}))
    const queued = await new Promise((resolve) => {
      connection.once('connect', () => resolve(queuedOf(connection)))
    })
    expect(queued).toEqual(['SELECT 0', 'SELECT 1', 'SELECT 2'])
  })

  test('assumption 9, a connection that is closed: its queue stays unchanged', async () => {
    const connection = open(driver, options(await serve()))
    for (const sql of ['SELECT 1', 'SELECT 2']) connection.query(sql, () => {})
    connection.destroy()
    const errors: unknown[] = []
    const asked = { sql: 'SELECT 0', rowsAsArray: true, nestTables: false, typeCast: true } as const
    queryFirst(connection as never, asked, (error) => errors.push(error))
    expect(errors).toMatchObject([{ fatal: true }])
    expect(queuedOf(connection)).toEqual(['SELECT 1', 'SELECT 2'])
  })
})
