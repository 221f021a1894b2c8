import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { Readable } from 'node:stream'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { RedisServer } from '@aurora-iam/test-support/redis-server'
import { until } from '@aurora-iam/test-support/until'
import { login, PacketChannel, readGreeting } from '@aurora-iam/wire'
import type { RowDataPacket } from 'mysql2'
import { describe, expect, onTestFinished, test } from 'vitest'
import { readRateLimit } from '../../src/gateway/rate-limit.ts'
import { run } from '../run.ts'
import { connect, gatewayTo, PASSWORD } from './support.ts'

const aurora = await localAurora()

const value = async (connection: Awaited<ReturnType<typeof connect>>, sql: string, values?: unknown[]) =>
  Object.values(((await connection.query(sql, values)) as RowDataPacket[][])[0]?.[0] ?? {})[0]

test('packets over 16 MB: they pass both ways, byte for byte', async () => {
  const { port } = await gatewayTo(aurora)
  const connection = await connect(port)
  // Its hexadecimal digits in the statement are twice as many.
  const sent = Buffer.alloc(9 * 1024 * 1024, 'a comet ')
  const hash = createHash('sha1').update(sent).digest('hex')
  expect(await value(connection, 'SELECT SHA1(?)', [sent])).toBe(hash)
  const received = (await value(connection, 'SELECT REPEAT(?, 2)', [sent])) as Buffer
  expect(received.equals(Buffer.concat([sent, sent]))).toBe(true)
  // The packets behind them are found as well.
  await connection.changeUser({ user: 'app', password: PASSWORD, database: 'app' })
  expect(await value(connection, 'SELECT 1')).toBe(1)
})

describe('LOAD DATA LOCAL INFILE', () => {
  const load = async (port: number, rows: readonly string[]) => {
    const connection = await connect(port)
    await connection.query('CREATE OR REPLACE TABLE loaded (id INT PRIMARY KEY, name VARCHAR(100))')
    await connection.query({
      sql: "LOAD DATA LOCAL INFILE 'rows' INTO TABLE loaded FIELDS TERMINATED BY ','",
      // Each part is one packet.
      infileStreamFactory: () => Readable.from(rows.map((part) => Buffer.from(part))),
    })
    return value(connection, 'SELECT COUNT(*) FROM loaded')
  }

  test('allowed: the file passes, also where its packets are numbered past 255', async () => {
    const { port } = await gatewayTo(aurora, { allowsLocalInfile: true })
    const rows = Array.from({ length: 600 }, (_, id) => `${id},${'x'.repeat(90)}\n`)
    expect(await load(port, rows)).toBe(600)
  })

  test('not allowed: the error of the database, and the session goes on', async () => {
    const { port } = await gatewayTo(aurora)
    await expect(load(port, ['1,one\n'])).rejects.toMatchObject({ errno: expect.any(Number) })
    await connect(port)
    expect(aurora.log.refusals).toEqual([])
  })
})

describe('a client that ends', () => {
  const sleeping = async (connection: Awaited<ReturnType<typeof connect>>, mark: string) => {
    const [rows] = (await connection.query('SHOW PROCESSLIST')) as unknown as [{ Info: string | null }[]]
    return rows.some(({ Info }) => Info?.startsWith(`SELECT SLEEP(61) /* ${mark} */`))
  }

  test('in the middle of a query: the query ends in the database too', async () => {
    const { port, gateway } = await gatewayTo(aurora)
    const [left, watching] = [await connect(port), await connect(port)]
    left.on('error', () => {})
    left.query('SELECT SLEEP(61) /* left */').catch(() => {})
    await until(() => sleeping(watching, 'left'))
    left.destroy()
    await until(async () => !(await sleeping(watching, 'left')))
    await until(() => gateway.connections === 1)
  })

  test('its side alone, with a query on its way: the answer still comes', async () => {
    const { port, gateway } = await gatewayTo(aurora)
    const socket = connectSocket({ port, host: '127.0.0.1', allowHalfOpen: true })
    onTestFinished(() => void socket.destroy())
    const channel = new PacketChannel(socket)
    const identity = { user: 'app', password: PASSWORD, plugins: ['caching_sha2_password'] as const }
    await login(channel, await readGreeting(channel), { ...identity, capabilities: 0 })
    channel.sequence = 0
    channel.write(Buffer.from('\x03SELECT SLEEP(0.2), "the answer"'))
    channel.release()
    socket.end()
    let received = ''
    for await (const chunk of socket) received += chunk
    expect(received).toContain('the answer')
    await until(() => gateway.connections === 0)
  })
})

test('--redis: the gateway shares its limit by a real Redis, and does without one that is lost', async () => {
  const server = await RedisServer.start()
  onTestFinished(() => server.close())
  const redis = `redis://127.0.0.1:${server.port}`
  const { rateLimit, close } = await readRateLimit({ redis, limit: '50' })
  onTestFinished(close)
  const { port, iam } = await gatewayTo(aurora, {}, { rateLimit })
  await connect(port)
  const { out } = await run(['fleet', `${aurora.hostname}:${aurora.port}`, '--redis', redis, '--json'])
  expect(JSON.parse(out)).toMatchObject({ limit: 50, processes: 1 })
  await server.kill()
  await connect(port)
  const [limiter] = Object.values(iam.stats().rateLimits)
  expect(limiter).toMatchObject({ storeLost: true })
})

test('a socket that connects and is gone before the greeting: nothing is left of it', async () => {
  const { port, gateway } = await gatewayTo(aurora)
  for (let i = 0; i < 20; i += 1) {
    const socket = connectSocket(port, '127.0.0.1')
    await once(socket, 'connect')
    socket.resetAndDestroy()
  }
  await until(() => gateway.connections === 0)
  await connect(port)
})
