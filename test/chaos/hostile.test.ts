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
  isTimeout,
  leakIn,
  outcomeOf,
} from './hostile-rig.ts'
import { CLEAR_PASSWORD_WANTED, OK, packet, switchTo, trusted } from './hostile-scripts.ts'
import type { HostileSession, Script } from './hostile-server.ts'

const ONE_OF_EACH_KIND = HOSTILE_CASES.filter(({ isOfItsKind }) => isOfItsKind)

const rig = hostileRig()

/** @param codesOf - The codes that the caller may get; a driver other than mysql2 has different codes. */
function describePath(
  harness: AdapterHarness,
  cases: readonly HostileCase[],
  codesOf: (one: HostileCase) => readonly string[] = ({ code }) => [code],
): void {
  describe(`${harness.name} meets a server with`, () => {
    const named = cases.map((one) => [one.name, one.code, one] as const)
    test.each(named)('%s: %s, no token leaks, and the pool stays usable', async (_, __, one) => {
      const { client, limiter } = await rig.openHeld(harness)
      rig.server().script = one.script
      // What retries logins does so with one that the server said 1045 to.
      const isRetried = harness.capabilities.retriesLogins === true && one.code === 'ER_ACCESS_DENIED_ERROR'
      let error: { readonly code?: string } | undefined
      let sessions: HostileSession[]
      do {
        error = (await outcomeOf(client.query('SELECT 1'))).error as typeof error
        sessions = rig.server().takeSessions()
        expect(sessions).toHaveLength(isRetried ? 2 : 1)
        // A busy machine, where that was not to be expected.
      } while (isTimeout(error) && !codesOf(one).includes(error?.code ?? ''))
      expect(codesOf(one)).toContain(error?.code)
      expect(error).toBeInstanceOf(Error)
      expect(sessions.flatMap((session) => leakIn(session) ?? [])).toEqual([])
      await expectAllPlacesBack(limiter)
      await expectNoSocket(sessions)

      rig.beGood()
      expect(await eventually(() => client.query('SELECT 1 AS one'))).toEqual([{ one: 1 }])
    })
  })
}

/** Packets that answer the client's second one, all at once. */
const inOneBreath = (...payloads: readonly Buffer[]): Buffer =>
  Buffer.concat(payloads.map((payload, index) => packet(3 + index, payload)))

/** Servers to trust that break off after they accepted the client, or that send invalid packets. */
const BROKEN: ReadonlyArray<readonly [string, Script]> = [
  [
    'accepts unasked, then breaks off later',
    trusted((session) => {
      for (const sequence of [3, 1, 1, 1, 1]) session.sendPacket(sequence, OK)
    }),
  ],
  [
    'accepts unasked, then breaks off at once',
    trusted((session) => {
      session.sendPacket(3, OK)
      session.end()
    }),
  ],
  [
    'accepts unasked, then breaks off in the middle of an answer',
    trusted(async (session) => {
      const said = session.inTls.length
      session.sendPacket(3, OK)
      if (await session.hasSent(said + 1)) session.sendPacket(1, Buffer.from([0, 1, 0, 0, 0]))
    }),
  ],
  [
    'accepts unasked, then goes on in the same packet',
    trusted((session) => session.send(inOneBreath(OK, OK))),
  ],
  [
    'asks for another proof and goes on before it comes',
    trusted((session) => session.send(inOneBreath(switchTo('caching_sha2_password'), OK, OK, OK, OK))),
  ],
  [
    'asks for the token and goes on before it comes',
    trusted((session) => session.send(inOneBreath(CLEAR_PASSWORD_WANTED, OK, OK, OK, OK))),
  ],
  [
    'accepts the token, goes on, and breaks TLS',
    trusted(async (session) => {
      const said = session.inTls.length
      session.sendPacket(3, CLEAR_PASSWORD_WANTED)
      if (!(await session.hasSent(said + 1))) return
      session.send(inOneBreath(OK, OK, OK, OK))
      session.sendInClear(Buffer.alloc(100, 'x'))
    }),
  ],
]

for (const harness of [MYSQL2_LATEST, MYSQL2_OLDEST, ON_MARIADB]) {
  test.each(BROKEN)(
    `${harness.name}: a server to trust that %s does not end the process`,
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
  ({ code }) => {
    if (code.startsWith('ERR_AURORA_IAM_')) return [code]
    if (code.startsWith('HANDSHAKE_')) return ['P1011']
    return code === 'ER_ACCESS_DENIED_ERROR' ? ['P1000'] : ['P1001', 'P2010']
  },
)
