import { type HostileClient, hostile, mutated } from '@aurora-iam/test-support/hostile-clients'
import fc from 'fast-check'
import {
  CLEAR_PASSWORD_WANTED,
  DENIED,
  GREETINGS,
  type GreetingName,
  greeting,
  MORE_WANTED,
  OK,
  packet,
  switchTo,
} from './hostile-scripts.ts'
import type { HostileSession, Script } from './hostile-server.ts'

/** Bytes that a server sends in pieces of any size. Then it ends, breaks off or stays. */
type Speech = HostileClient

const greetings = fc
  .tuple(fc.constantFrom(...(Object.keys(GREETINGS) as GreetingName[])), fc.boolean(), fc.nat())
  .map(([name, tls, capabilities]) => greeting(name, { tls, capabilities }))

const answers = fc.oneof(
  fc.constantFrom(CLEAR_PASSWORD_WANTED, DENIED, MORE_WANTED, OK, switchTo('caching_sha2_password')),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
)

/** Packets numbered as the client expects them, the first by `sequence`. */
const conversation = (sequence: number, minLength: number) =>
  fc
    .array(answers, { minLength, maxLength: 4 })
    .map((payloads) => Buffer.concat(payloads.map((payload, index) => packet(sequence + 2 * index, payload))))

const garbage = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes))

const beforeTls = hostile(
  fc.oneof(
    { weight: 4, arbitrary: mutated(greetings) },
    { weight: 2, arbitrary: fc.tuple(greetings, conversation(2, 1)).map((parts) => Buffer.concat(parts)) },
    { weight: 1, arbitrary: garbage },
  ),
)

async function speak(session: HostileSession, { pieces, then }: Speech): Promise<void> {
  for (const piece of pieces) {
    session.send(piece)
    await new Promise(setImmediate)
  }
  if (then === 'end') session.end()
  if (then === 'destroy') session.destroy()
}

/** Servers that are hostile before TLS: in their greeting, and in clear after TLS was asked for. */
export const hostileBeforeTls: fc.Arbitrary<Script> = fc.oneof(
  {
    weight: 3,
    arbitrary: beforeTls.map(
      (speech): Script =>
        (session) =>
          speak(session, speech),
    ),
  },
  {
    weight: 1,
    arbitrary: hostile(mutated(conversation(2, 1))).map(
      (speech): Script =>
        async (session) => {
          session.send(greeting('MySQL'))
          if (await session.hasSent(1)) await speak(session, speech)
        },
    ),
  },
)

/** Servers whose certificate is right, and who are hostile inside TLS. They leave after `staysMs` at the latest. */
export const hostileInsideTls = (staysMs: number): fc.Arbitrary<Script> =>
  hostile(mutated(conversation(3, 1))).map(
    (speech): Script =>
      async (session) => {
        setTimeout(() => session.destroy(), staysMs).unref()
        session.send(greeting('MySQL'))
        if ((await session.startTls('valid')) && (await session.hasSent(1))) await speak(session, speech)
      },
  )
