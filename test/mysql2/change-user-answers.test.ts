import { createAuroraIam } from '@aurora-iam/core'
import { withAuroraIam } from '@aurora-iam/mysql2'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { until } from '@aurora-iam/test-support/until'
import { Capability } from '@aurora-iam/wire'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, DENIED, greeting, OK, packet, trusted } from '../chaos/hostile-scripts.ts'
import {
  type HostileServer,
  type HostileSession,
  type Script,
  startHostileServer,
} from '../chaos/hostile-server.ts'
import { addressOf, VERSIONS } from './support.ts'

const aurora = await localAurora()
let server: HostileServer

beforeAll(async () => {
  server = await startHostileServer(aurora.hostname)
})

afterAll(() => server.close())

type Answer = (session: HostileSession) => void | Promise<void>

/** Takes any token at the login, and does `answer` with that of a change of user. */
const changing = (answer: Answer, request = packet(1, CLEAR_PASSWORD_WANTED)) =>
  trusted(async (session) => {
    const more = () => session.hasSent(session.inTls.length + 1)
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
    await more()
    session.sendPacket(5, OK)
    await more()
    session.send(request)
    await more()
    await answer(session)
  })

/** Answers with an error packet for a client that compresses. So short a packet is sent uncompressed. */
const compressing: Script = async (session) => {
  const more = () => session.hasSent(session.inTls.length + 1)
  const packed = (sequence: number, bytes: Buffer) => {
    const header = Buffer.alloc(7)
    header.writeUIntLE(bytes.length, 0, 3)
    header.writeUInt8(sequence, 3)
    return Buffer.concat([header, bytes])
  }
  const { SSL, COMPRESS, TRANSACTIONS } = Capability
  session.send(greeting('MySQL', { capabilities: SSL | COMPRESS | TRANSACTIONS }))
  if (!((await session.startTls('valid')) && (await session.hasSent(4)))) return
  session.sendPacket(3, CLEAR_PASSWORD_WANTED)
  await more()
  session.sendPacket(5, OK)
  await more()
  session.send(packed(1, packet(1, CLEAR_PASSWORD_WANTED)))
  await more()
  session.send(packed(3, packet(3, DENIED)))
}

/** Sends byte after byte, each in a separate piece. */
const inPieces =
  (bytes: Buffer): Answer =>
  async (session) => {
    for (const byte of bytes) {
      session.send(Buffer.of(byte))
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

describe.each(VERSIONS)('what the server answers to changeUser of $name', ({ promises }) => {
  /** Returns how a change of user ends against a server that follows `script`, with the statistics afterwards. */
  async function change(script: Script, options: { compress?: boolean } = {}) {
    server.script = script
    const limiter = createRateLimiter({ limit: 20 })
    const ca = [aurora.ca, server.certificates.ca]
    const iam = createAuroraIam({ ...aurora.iam, ca, rateLimit: limiter })
    const address = { ...addressOf(aurora), port: server.port, connectTimeout: 300, ...options }
    const connection = await promises.createConnection(withAuroraIam(address, iam))
    connection.on('error', () => {})
    const error = await connection.changeUser({ user: 'reporting' }).then(
      () => undefined,
      (reason: unknown) => reason,
    )
    await until(() => limiter.stats().granted === 2 && limiter.stats().inFlight === 0)
    connection.destroy()
    const { connectionsOpened, connectionsFailed, lastError } = iam.stats()
    const { granted, succeeded, failed, throttled, cancelled } = limiter.stats()
    expect(succeeded + failed + throttled + cancelled).toBe(granted)
    return { error, connectionsOpened, connectionsFailed, lastError, succeeded, failed, throttled, cancelled }
  }

  test('OK and rejection in any number of pieces: understood', async () => {
    expect(await change(changing(inPieces(packet(3, OK))))).toMatchObject({
      error: undefined,
      connectionsOpened: 2,
      succeeded: 2,
    })
    expect(await change(changing(inPieces(packet(3, DENIED))))).toMatchObject({
      error: { errno: 1045 },
      connectionsOpened: 1,
      connectionsFailed: 1,
      lastError: { code: 'ER_ACCESS_DENIED_ERROR', message: 'Access denied' },
    })
  })

  test('no answer: awaited until connectTimeout, and reported as throttling', async () => {
    expect(await change(changing(() => {}))).toMatchObject({
      error: { code: 'ETIMEDOUT' },
      connectionsFailed: 1,
      lastError: { code: 'ETIMEDOUT' },
      throttled: 1,
    })
  })

  test('the server closes the connection without an answer: reported as throttling', async () => {
    expect(await change(changing((session) => session.end()))).toMatchObject({
      error: { code: 'PROTOCOL_CONNECTION_LOST' },
      connectionsFailed: 1,
      throttled: 1,
    })
  })

  test('an answer that is too short: only the change of user ends', async () => {
    const short = packet(3, Buffer.of(255, 21))
    expect(await change(changing((session) => session.send(short)))).toMatchObject({ connectionsOpened: 1 })
  })

  test('a connection that compresses: only mysql2 reads the answer', async () => {
    expect(await change(compressing, { compress: true })).toMatchObject({
      error: { errno: 1045 },
      connectionsOpened: 1,
      connectionsFailed: 0,
      throttled: 0,
    })
  })

  test('an answer before the token: the permit is cancelled', async () => {
    const early = Buffer.concat([packet(1, CLEAR_PASSWORD_WANTED), packet(2, OK)])
    expect(await change(changing(() => {}, early))).toMatchObject({ error: undefined, cancelled: 1 })
  })
})
