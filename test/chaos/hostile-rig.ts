import { setTimeout as sleep } from 'node:timers/promises'
import { createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter, type RateLimiter } from '@aurora-iam/rate-limit'
import { until } from '@aurora-iam/test-support/until'
import { HEADER_BYTES, isSslRequest } from '@aurora-iam/wire'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, vi } from 'vitest'
import type { AdapterHarness, Client } from '../conformance/harness.ts'
import {
  type HostileServer,
  type HostileSession,
  SSL_REQUEST_BYTES,
  startHostileServer,
} from './hostile-server.ts'

/** From the opening of a socket to the end of its login. */
export const CONNECT_TIMEOUT_MS = 150
/** Far more than anything here may take, however busy the machine is. */
const BOUND_MS = 10_000
const TLS_HANDSHAKE_RECORD = 22
const TOKEN = 'X-Amz-Signature'

/** A hostile server that stands before a good one, for the tests of one file. */
export interface HostileRig {
  readonly server: () => HostileServer
  /** Lets the connections from now on through to the good server, which may say `bytes` bytes before they break. */
  beGood(bytes?: number): void
  /** Opens a pool of `harness` on the hostile server. Returns it with the limiter that it uses. */
  open(harness: AdapterHarness, connectionLimit: number): Promise<HostilePool>
  /** Opens a pool and holds its one good connection until the test is over, so that a query needs another. */
  openHeld(harness: AdapterHarness): Promise<HostilePool>
}

interface HostilePool {
  readonly client: Client
  readonly limiter: RateLimiter
}

export function hostileRig(): HostileRig {
  let aurora: LocalAurora
  let server: HostileServer

  beforeAll(async () => {
    aurora = await startLocalAurora({ throttle: false })
    server = await startHostileServer(aurora.hostname)
  })
  afterAll(async () => {
    await server.close()
    await aurora.close()
  })
  // mysql2 prints a packet that is out of order, Knex a connection that failed.
  beforeEach(() => {
    for (const method of ['log', 'error'] as const) vi.spyOn(console, method).mockImplementation(() => {})
  })

  const rig: HostileRig = {
    server: () => server,
    beGood: (bytes) => {
      server.script = (session) => session.relay(aurora.port, bytes)
    },
    open: async (harness, connectionLimit) => {
      const limiter = createRateLimiter({ limit: 1_000, intervalMs: 1 })
      const { port } = aurora
      const ca = [aurora.ca, server.certificates.ca]
      const iam = createAuroraIam({ ...aurora.iam, port, ca, rateLimit: limiter })
      const address = { host: '127.0.0.1', port: server.port, user: 'app', database: 'app' }
      const options = { ...address, connectionLimit, connectTimeout: CONNECT_TIMEOUT_MS }
      return { client: await eventually(() => harness.open(harness.options(options, iam))), limiter }
    },
    openHeld: async (harness) => {
      rig.beGood()
      const pool = await rig.open(harness, 2)
      const held = await eventually(() => pool.client.hold())
      onTestFinished(async () => {
        await held.release()
        await pool.client.close()
      })
      server.takeSessions()
      return pool
    },
  }
  return rig
}

/** Returns how `attempt` ends, within a bounded time. */
export async function outcomeOf(attempt: Promise<unknown>): Promise<{ error?: unknown }> {
  const over = attempt.then(
    () => ({}),
    (error: unknown) => ({ error }),
  )
  const late = sleep(BOUND_MS, undefined, { ref: false }).then(() => {
    throw new Error(`not over after ${BOUND_MS} ms`)
  })
  return Promise.race([over, late])
}

/** Repeats `action` while it times out: on a busy machine a login may take longer than its limit. */
export async function eventually<T>(action: () => T | Promise<T>): Promise<T> {
  for (const deadline = performance.now() + BOUND_MS; ; ) {
    try {
      return await action()
    } catch (error) {
      if (!isTimeout(error) || performance.now() > deadline) throw error
    }
  }
}

/** Returns whether `error` reports that a login took too long. */
export function isTimeout(error: unknown): boolean {
  const { code, driverError, meta } = (error ?? {}) as PrismaError & { code?: unknown; meta?: PrismaMeta }
  const ofPrisma = driverError ?? meta?.driverAdapterError?.driverError
  return code === 'ETIMEDOUT' || ofPrisma?.code === 'ETIMEDOUT'
}

/** Shapes in which Prisma passes on an error of mariadb, for a connection and for a query. */
interface PrismaError {
  readonly driverError?: { readonly code?: string }
}
interface PrismaMeta {
  readonly driverAdapterError?: PrismaError
}

/** Names what must not have been sent in this session. Returns undefined if there is no leak. */
export function leakIn({ clear, inTls, certificate }: HostileSession): string | undefined {
  const request = clear.subarray(HEADER_BYTES, SSL_REQUEST_BYTES)
  if (clear.length > 0 && !isSslRequest(request)) return 'something else in clear than the request for TLS'
  if (clear.length > SSL_REQUEST_BYTES && clear[SSL_REQUEST_BYTES] !== TLS_HANDSHAKE_RECORD) {
    return 'more in clear than the request for TLS'
  }
  if (clear.includes(TOKEN)) return 'the token in clear'
  if (certificate !== 'valid')
    return inTls.length > 0 ? 'something to a peer that is not verified' : undefined
  return inTls.toString('latin1').split(TOKEN).length > 2 ? 'the token twice' : undefined
}

/** Waits until `limiter` has no request and no attempt, and checks that each permit was released. */
export async function expectAllPlacesBack(limiter: RateLimiter): Promise<void> {
  await until(() => limiter.stats().inFlight === 0, 'a permit was not given back')
  const { waiting, expired, granted, succeeded, failed, throttled, cancelled } = limiter.stats()
  expect({ waiting, expired }).toEqual({ waiting: 0, expired: 0 })
  expect(succeeded + failed + throttled + cancelled).toBe(granted)
}

/**
 * Waits until the client has closed its end of each session; to end one side of it is not enough. Of a TLS handshake
 * that failed, or that the client's time was up for, there is nothing to be seen from here.
 */
export async function expectNoSocket(sessions: readonly HostileSession[]): Promise<void> {
  for (const session of sessions) {
    if (session.certificate !== undefined && !(session.certificate === 'valid' && session.isSecure)) continue
    await until(() => {
      session.probe()
      return session.closed
    }, 'a socket was left open')
  }
}
