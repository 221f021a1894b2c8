import { expect, test } from 'vitest'
import type { AdapterHarness } from '../conformance/harness.ts'
import { expectAllPlacesBack, type HostileRig, leakIn, outcomeOf } from './hostile-rig.ts'

// What mysql2 says of a connection that breaks before TLS, in it, behind it, and that a busy machine is late with; and
// what Prisma says.
const CUT = /^(PROTOCOL_CONNECTION_LOST|ECONNRESET|HANDSHAKE_SSL_ERROR|ETIMEDOUT|P1001|P1011|P1017)$/

/** Cuts the good server's side of a login after each number of bytes. */
export function describeCuts(
  rig: HostileRig,
  paths: ReadonlyArray<readonly [harness: AdapterHarness, every: number]>,
  timeout: number,
): void {
  test.each(paths.map(([harness, every]) => [harness.name, every, harness] as const))(
    '%s: a handshake that is cut, at byte after byte (step %i), leaves the pool as it was',
    { timeout },
    async (_, every, harness) => {
      const { client, limiter } = await rig.openHeld(harness)
      for (let bytes = 0; ; bytes += every) {
        rig.beGood(bytes)
        const { error } = await outcomeOf(client.query('SELECT 1'))
        if (error === undefined) break
        expect(error).toMatchObject({ code: expect.stringMatching(CUT) })
      }
      const sessions = rig.server().takeSessions()
      expect(sessions.flatMap((session) => leakIn(session) ?? [])).toEqual([])
      await expectAllPlacesBack(limiter)
    },
  )
}
