import { setTimeout as sleep } from 'node:timers/promises'
import { createAuroraIam } from '@aurora-iam/core'
import { startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Client } from '../conformance/harness.ts'
import { ADAPTERS } from './adapters.ts'
import { answerNames } from './name-server.ts'

const POOL_SIZE = 60
const LIMIT = 20

/** The name of the endpoint follows the failover after this time. */
const NAME_LAG_MS = 1_000

/** The time that the limit makes necessary, and five seconds. */
const BOUND_MS = (POOL_SIZE / LIMIT) * 1_000 + 5_000

beforeEach(() => {
  // Knex prints each connection that failed.
  vi.spyOn(console, 'log').mockImplementation(() => {})
})

afterEach(() => vi.restoreAllMocks())

/** Connections of a pool while it writes, and their failures. */
class Writers {
  readonly #client: Client
  /** Connections that have written, by `server:connection`. */
  readonly wrote = new Set<string>()
  /** Failures, by the connection they came on; undefined where none was had. */
  readonly failures: Array<{ readonly connection: string | undefined; readonly message: string }> = []

  constructor(client: Client) {
    this.#client = client
  }

  /** Writes on {@link POOL_SIZE} connections at a time. */
  async work(signal: AbortSignal): Promise<void> {
    const worker = async (_: unknown, id: number) => {
      while (!signal.aborted) {
        await this.#write(id)
        await sleep(20)
      }
    }
    await Promise.all(Array.from({ length: POOL_SIZE }, worker))
  }

  async #write(id: number): Promise<void> {
    let connection: string | undefined
    try {
      const held = await this.#client.hold()
      try {
        const [row] = await held.query(`SELECT CONCAT(@@server_id, ':', CONNECTION_ID()) AS connection`)
        connection = String(row?.connection)
        await held.query(`UPDATE count_of SET value = value + 1 WHERE id = ${id}`)
        // So that as many are held at once as the pool has.
        await sleep(100)
        this.wrote.add(connection)
      } finally {
        await held.release()
      }
    } catch (error) {
      this.failures.push({ connection, message: String((error as Error).message).slice(-120) })
    }
  }
}

test.each(ADAPTERS)(
  'a pool of 60 of $name after a failover: all connections are on the new writer within the time of the limit and 5 s',
  { timeout: 120_000 },
  async (harness) => {
    await using aurora = await startLocalAurora({ throttle: LIMIT, readerHost: '127.0.0.2' })
    let address = aurora.writer.host
    answerNames((name) => (name === aurora.hostname ? address : undefined))
    const { hostname: host, port, database, region, credentials, ca } = aurora
    const rateLimit = createRateLimiter({ limit: LIMIT })
    const iam = createAuroraIam({ region, credentials, ca, rateLimit, retryRejectedLogins: true })
    const settings = harness.options({ host, port, database, user: 'app', connectionLimit: POOL_SIZE }, iam)
    const client = await (harness.openManaged?.(settings, iam) ?? harness.open(settings))
    await client.query('CREATE TABLE count_of (id INT PRIMARY KEY, value INT NOT NULL)')
    const rows = Array.from({ length: POOL_SIZE }, (_, id) => `(${id}, 0)`).join()
    await client.query(`INSERT INTO count_of VALUES ${rows}`)
    const writers = new Writers(client)
    const stop = new AbortController()
    const work = writers.work(stop.signal)
    const wroteOn = (server: string) =>
      [...writers.wrote].filter((one) => one.startsWith(`${server}:`)).length
    try {
      await expect.poll(() => wroteOn('1'), { timeout: 30_000 }).toBe(POOL_SIZE)
      const before = new Set(writers.wrote)
      expect(writers.failures).toEqual([])
      const failoverAt = performance.now()
      await aurora.failover({ keepConnections: true })
      const switchedAt = performance.now()
      await sleep(NAME_LAG_MS)
      address = aurora.writer.host
      await expect.poll(() => wroteOn('2'), { timeout: 60_000, interval: 20 }).toBe(POOL_SIZE)
      const tookMs = performance.now() - failoverAt
      const ofNew = writers.failures.filter(({ connection }) => !before.has(String(connection)))
      process.stdout.write(
        `${harness.name}: ${POOL_SIZE} on the new writer ${Math.round(tookMs)} ms after the failover began ` +
          `(${Math.round(performance.now() - switchedAt)} ms after the switch, name ${NAME_LAG_MS} ms late); ` +
          `${writers.failures.length} writes failed, ${ofNew.length} of them on connections opened after the switch; ` +
          `peak ${aurora.log.peakTokens(1_000)} logins in a second\n`,
      )
      expect(ofNew).toEqual([])
      expect(tookMs).toBeLessThan(BOUND_MS)
      expect(aurora.log.peakTokens(1_000)).toBeLessThanOrEqual(LIMIT)
      expect(aurora.log.refusals).toHaveLength(0)
    } finally {
      stop.abort()
      await work
      await client.close()
    }
  },
)
