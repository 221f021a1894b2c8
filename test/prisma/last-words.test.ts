import { createRateLimiter } from '@aurora-iam/rate-limit'
import { localAurora } from '@aurora-iam/test-support/local-aurora'
import { rejectionOf } from '@aurora-iam/test-support/rejection-of'
import { until } from '@aurora-iam/test-support/until'
import { encodeErr } from '@aurora-iam/wire'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { CLEAR_PASSWORD_WANTED, DENIED, greeting, trusted } from '../chaos/hostile-scripts.ts'
import { type HostileServer, type Script, startHostileServer } from '../chaos/hostile-server.ts'
import { auroraIamFor } from './support.ts'

const AT_ONCE = 10
const aurora = await localAurora()
let server: HostileServer

beforeAll(async () => {
  server = await startHostileServer(aurora.hostname)
})
afterAll(() => server.close())

// Node's TLS server sends its session tickets before this, in the same flight.
const behindTickets: Script = async (session) => {
  session.send(greeting('MySQL'))
  if (!(await session.startTls('valid'))) return
  session.sendPacket(2, DENIED)
  session.end()
}

const behindTicketsWithReset: Script = async (session) => {
  await behindTickets(session)
  setImmediate(() => session.destroy())
}

const afterResponse: Script = trusted((session) => {
  session.sendPacket(2, DENIED)
  session.end()
})

const afterToken: Script = trusted(async (session) => {
  const received = session.inTls.length
  session.sendPacket(3, CLEAR_PASSWORD_WANTED)
  if (!(await session.hasSent(received + 1))) return
  session.sendPacket(5, DENIED)
  session.end()
})

const inPlaceOfGreeting: Script = (session) => {
  session.sendPacket(0, DENIED)
  session.end()
}

async function codeOfAttempt(): Promise<string | undefined> {
  const { adapter } = auroraIamFor(
    aurora,
    { port: server.port },
    { ...aurora.iam, port: aurora.port, ca: server.certificates.ca, rateLimit: false },
  )
  return (await rejectionOf(adapter.connect())).code
}

test.each([
  [200, 'in the flight behind the session tickets', behindTickets],
  [20, 'behind the session tickets, then a reset', behindTicketsWithReset],
  [200, 'in answer to the handshake response', afterResponse],
  [20, 'in answer to the token', afterToken],
  [20, 'in place of the greeting', inPlaceOfGreeting],
] as const)(
  '%i logins with 1045 and the end of the connection %s: each is P1000',
  async (runs, _when, script) => {
    server.script = script
    const codes: Array<string | undefined> = []
    while (codes.length < runs)
      codes.push(...(await Promise.all(Array.from({ length: AT_ONCE }, codeOfAttempt))))
    expect(codes.filter((code) => code !== 'P1000')).toEqual([])
  },
)

test('1040 and the end of the connection while the attempt waits for another permit: P2037', async () => {
  let speak = () => {}
  const spoken = new Promise<void>((resolve) => {
    speak = resolve
  })
  server.script = async (session) => {
    await spoken
    session.sendPacket(0, encodeErr({ errno: 1040, sqlState: '08004', message: 'Too many connections' }))
    session.end()
  }
  const rateLimit = createRateLimiter({ limit: 1, intervalMs: 60_000 })
  const iam = { ...aurora.iam, port: aurora.port, ca: server.certificates.ca, rateLimit }
  const { adapter } = auroraIamFor(aurora, { port: server.port }, iam)
  const rejected = rejectionOf(adapter.connect())
  // The permit of an attempt goes back while its server is silent.
  await until(() => server.openConnections === 1 && rateLimit.stats().inFlight === 0)
  const taken = await rateLimit.acquire()
  speak()
  await until(() => rateLimit.stats().waiting === 1)
  await until(() => server.openConnections === 0)
  taken.cancel()
  expect(await rejected).toMatchObject({ code: 'P2037' })
})
