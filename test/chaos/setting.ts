import type { AuroraIam, AuroraIamOptions } from '@aurora-iam/core'
import type { LocalAurora } from '@aurora-iam/local'
import { afterEach, beforeEach, vi } from 'vitest'
import type { AdapterHarness, Client, ClientOptions } from '../conformance/harness.ts'

/** Makes clients of `harness` that lead to `aurora` and are closed after each test. */
export function opener(harness: AdapterHarness, aurora: LocalAurora) {
  const opened: Client[] = []

  beforeEach(() => {
    // Knex prints each connection that failed.
    vi.spyOn(console, 'log').mockImplementation(() => {})
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    await Promise.allSettled(opened.splice(0).map((client) => client.close()))
  })

  return async (iam: AuroraIam | AuroraIamOptions, options: Partial<ClientOptions> = {}): Promise<Client> => {
    const { host, port, database } = aurora
    const address = { host, port, database, user: 'app', connectionLimit: 5, ...options }
    const client = await harness.open(harness.options(address, iam))
    opened.push(client)
    return client
  }
}

/** Returns the error of an adapter for the server's "Access denied" to a login. */
export function refusedBy({ errors }: AdapterHarness): object {
  return errors?.refused ?? { code: 'ER_ACCESS_DENIED_ERROR', errno: 1045 }
}
