import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import { reset } from '@aurora-iam/test-support/local-aurora'
import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest'
import { failover } from './failover.ts'
import { failures } from './failures.ts'
import type { AdapterHarness, Client, ClientOptions, Suite } from './harness.ts'
import { lifecycle } from './lifecycle.ts'
import { rate } from './rate.ts'
import { reports } from './reports.ts'
import { secrets } from './secrets.ts'
import { tls } from './tls.ts'
import { tokens } from './tokens.ts'

/**
 * Tests the contract that every adapter keeps: each group is one concern, each test one promise.
 *
 * @param atOnce - connections of the largest pool
 */
export function describeAdapter(harness: AdapterHarness, { atOnce = 100 } = {}): void {
  describe(`${harness.name} conforms`, () => {
    let aurora: LocalAurora
    const clients: Client[] = []

    beforeAll(async () => {
      aurora = await startLocalAurora({ throttle: false })
    })

    afterAll(() => aurora.close())

    beforeEach(() => reset(aurora))

    afterEach(async () => {
      await Promise.allSettled(clients.splice(0).map((client) => client.close()))
    })

    const address = (options: Partial<ClientOptions> = {}): ClientOptions => ({
      host: aurora.host,
      port: aurora.port,
      user: 'app',
      database: 'app',
      connectionLimit: 5,
      ...options,
    })
    const suite: Suite = {
      harness,
      atOnce,
      aurora: () => aurora,
      address,
      connect: async (options, iam = { ...aurora.iam, rateLimit: unhurried() }) => {
        const client = await harness.open(harness.options(address(options), iam))
        clients.push(client)
        return client
      },
    }
    for (const group of [tokens, rate, tls, failures, reports, failover, secrets, lifecycle]) group(suite)
  })
}

/** Creates a limiter whose limit no test meets by accident. */
function unhurried() {
  return createRateLimiter({ limit: 1_000 })
}
