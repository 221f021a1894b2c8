import { inspect } from 'node:util'
import { createAuroraIam } from '@aurora-iam/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { Suite } from './harness.ts'
import { reachableText } from './reachable-text.ts'

/** Tests that the token is in the packet that carries it and nowhere else. */
export function secrets({ harness, aurora, connect, address }: Suite): void {
  describe('secrets', () => {
    afterEach(() => vi.restoreAllMocks())

    test('messages, stacks, inspections and output: none has the token', async () => {
      const printed = ['log', 'error', 'warn', 'info', 'debug'].map((method) =>
        vi.spyOn(console, method as 'log'),
      )
      const iam = createAuroraIam({ ...aurora().iam, rateLimit: false })
      const { hostname, port, region, credentials } = aurora()
      const { value } = await iam.token({ hostname, port, username: 'app' })
      const secretsOfToken = [
        value,
        new URL(`https://${value}`).searchParams.get('X-Amz-Signature') as string,
      ]
      secretsOfToken.push(credentials.secretAccessKey, encodeURIComponent(credentials.sessionToken ?? value))

      const client = await connect({}, iam)
      await client.query('SELECT 1')
      aurora().faults.set({ refuse: 'InvalidToken' })
      const refused = await connect({}, iam)
        .then((other) => other.query('SELECT 1'))
        .catch((error: unknown) => error)
      expect(refused).toMatchObject(harness.errors?.refused ?? { errno: 1045 })

      const everything = [
        client.raw,
        iam,
        refused,
        (refused as Error).stack,
        iam.stats(),
        [...aurora().log],
        region,
      ]
        .flatMap((thing) => [inspect(thing), reachableText(thing)])
        .concat(printed.flatMap(({ mock }) => mock.calls.map((call) => inspect(call, { depth: 10 }))))
        .join('\n')
      for (const secret of secretsOfToken) expect(everything.includes(secret)).toBe(false)
    })

    test('objects of the caller: unchanged, and they may be frozen', async () => {
      const options = deepFreeze({ ...address() })
      const iam = deepFreeze({
        ...aurora().iam,
        rateLimit: { limit: 100 },
        credentials: { ...aurora().credentials },
      })
      const before = inspect([options, iam], { depth: 10 })
      const client = await harness.open(harness.options(options, iam))
      await client.query('SELECT 1')
      await client.close()
      expect(inspect([options, iam], { depth: 10 })).toBe(before)
    })
  })
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) deepFreeze(inner)
  return Object.freeze(value)
}
