import { describe, expect, test } from 'vitest'
import type { AdapterHarness } from '../conformance/harness.ts'
import { MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB, OVER_MYSQL2 } from './adapters.ts'
import { HOSTILE_CASES, type HostileCase } from './hostile-cases.ts'
import {
  CONNECT_TIMEOUT_MS,
  eventually,
  expectAllPlacesBack,
  expectNoSocket,
  hostileRig,
  leakIn,
  outcomeOf,
} from './hostile-rig.ts'
import { CLEAR_PASSWORD_WANTED, OK, packet, trusted } from './hostile-scripts.ts'
import type { HostileSession, Script } from './hostile-server.ts'

const ONE_OF_EACH_KIND = HOSTILE_CASES.filter(({ isOfItsKind }) => isOfItsKind)

const rig = hostileRig()

/** @param codeOf - The code that the caller gets; a driver other than mysql2 has words of its own. */
function describePath(
  harness: AdapterHarness,
  cases: readonly HostileCase[],
  codeOf: (one: HostileCase) => unknown = ({ code }) => code,
): void {
  describe(`${harness.name} meets a server with`, () => {
    const named = cases.map((one) => [one.name, one.code, one] as const)
    test.each(named)('%s: %s, no token astray, and the pool is well afterwards', async (_, __, one) => {
      const { client, limiter } = await rig.openHeld(harness)
      rig.server().script = one.script
      // What retries logins does so with one that the server said 1045 to.
      const isRetried = harness.capabilities.retriesLogins === true && one.code === 'ER_ACCESS_DENIED_ERROR'
      let error: unknown
      let sessions: HostileSession[]
      do {
        ;({ error } = await outcomeOf(client.query('SELECT 1')))
        sessions = rig.server().takeSessions()
        expect(sessions).toHaveLength(isRetried ? 2 : 1)
        // A busy machine, where that was not to be expected. Prisma's code says nothing of the kind.
      } while ((error as { code?: unknown } | undefined)?.code === 'ETIMEDOUT' && one.code !== 'ETIMEDOUT')
      expect(error).toMatchObject({ code: codeOf(one) })
      expect(error).toBeInstanceOf(Error)
      expect(sessions.flatMap((session) => leakIn(session) ?? [])).toEqual([])
      await expectAllPlacesBack(limiter)
      await expectNoSocket(sessions)

      rig.beGood()
      expect(await eventually(() => client.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    })
  })
}

/** Servers to trust that let in before they have the token, and then break off, or are not to be understood. */
const LETTING_IN: ReadonlyArray<readonly [string, Script]> = [
  [
    'breaks off later',
    trusted((session) => {
      for (const sequence of [3, 1, 1, 1, 1]) session.sendPacket(sequence, OK)
    }),
  ],
  [
    'breaks off at once',
    trusted((session) => {
      session.sendPacket(3, OK)
      session.end()
    }),
  ],
  [
    'breaks off in the middle of an answer',
    trusted(async (session) => {
      const said = session.inTls.length
      session.sendPacket(3, OK)
      if (await session.hasSent(said + 1)) session.sendPacket(1, Buffer.from([0, 1, 0, 0, 0]))
    }),
  ],
  [
    'goes on in the same breath',
    trusted((session) => session.send(Buffer.concat([packet(3, OK), packet(4, OK)]))),
  ],
  [
    'asks for the token and goes on before it comes',
    trusted((session) => {
      const said = [CLEAR_PASSWORD_WANTED, OK, OK, OK, OK].map((payload, index) => packet(3 + index, payload))
      session.send(Buffer.concat(said))
    }),
  ],
]

for (const harness of [MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB]) {
  test.each(LETTING_IN)(
    `${harness.name}: a server that lets in unasked, then %s, does not end the process`,
    async (_, script) => {
      const { client, limiter } = await rig.openHeld(harness)
      rig.server().script = async (session) => {
        setTimeout(() => session.destroy(), 2 * CONNECT_TIMEOUT_MS).unref()
        await script(session)
      }
      await outcomeOf(client.query('SELECT 1'))
      // By then the time for the login is up.
      await expectAllPlacesBack(limiter)
      expect(rig.server().takeSessions().map(leakIn)).toEqual([undefined])
      rig.beGood()
      expect(await eventually(() => client.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    },
  )
}

for (const harness of [MYSQL2_LATEST, MYSQL2_OLDEST]) describePath(harness, HOSTILE_CASES)
for (const harness of OVER_MYSQL2) describePath(harness, ONE_OF_EACH_KIND)

// mariadb makes a session of what it takes for a login.
const NOT_OF_MARIADB = /^OK without a word/
describePath(
  ON_MARIADB,
  HOSTILE_CASES.filter(({ name }) => !NOT_OF_MARIADB.test(name)),
  ({ code }) => (code.startsWith('ERR_AURORA_IAM_') ? code : 'P2010'),
)
