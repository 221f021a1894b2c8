import {
  Capability,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeErr,
  encodeGreeting,
  encodeOk,
  encodePacket,
  withCapability,
} from '@aurora-iam/wire'
import type { CertificateName, HostileSession, Script } from './hostile-server.ts'

const CAPABILITIES =
  Capability.LONG_PASSWORD |
  Capability.CONNECT_WITH_DB |
  Capability.SSL |
  Capability.TRANSACTIONS |
  Capability.PLUGIN_AUTH_LENENC_CLIENT_DATA |
  Capability.DEPRECATE_EOF

const SCRAMBLE = Buffer.alloc(20, 's')

/** Who the server says it is, and which plugin it wants an answer for at once. */
export const GREETINGS = {
  MySQL: { serverVersion: '8.0.39', authPlugin: 'mysql_native_password' },
  MariaDB: { serverVersion: '5.5.5-10.11.11-MariaDB', authPlugin: 'mysql_native_password' },
  mysql_clear_password: { serverVersion: '8.0.39', authPlugin: 'mysql_clear_password' },
  caching_sha2_password: { serverVersion: '8.0.39', authPlugin: 'caching_sha2_password' },
  sha256_password: { serverVersion: '8.0.39', authPlugin: 'sha256_password' },
  'an unknown plugin': { serverVersion: '9.9.9', authPlugin: 'no_such_plugin' },
} as const

export type GreetingName = keyof typeof GREETINGS

/** Encodes the greeting. */
export function greeting(
  name: GreetingName,
  { tls = true, capabilities = CAPABILITIES as number } = {},
): Buffer {
  const isMariaDb = name === 'MariaDB'
  const flags = withCapability(capabilities, Capability.SSL, tls)
  const payload = encodeGreeting({
    ...GREETINGS[name],
    connectionId: 7,
    scramble: SCRAMBLE,
    capabilities: withCapability(flags, Capability.LONG_PASSWORD, !isMariaDb),
    collation: 45,
    status: 2,
  })
  return encodePacket({ sequence: 0, payload })
}

/** Encodes a request to answer for this plugin. */
export const switchTo = (authPlugin: string): Buffer =>
  encodeAuthSwitchRequest({ authPlugin, data: Buffer.from(`${SCRAMBLE}\0`) })

/** "Give me the password as it is." */
export const CLEAR_PASSWORD_WANTED = switchTo('mysql_clear_password')
/** "Go on." */
export const MORE_WANTED = encodeAuthMoreData(SCRAMBLE)
export const OK = encodeOk({
  affectedRows: 0n,
  lastInsertId: 0n,
  status: 2,
  warnings: 0,
  info: Buffer.alloc(0),
})
export const DENIED = encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' })

/** Encodes `payload` as a packet. */
export const packet = (sequence: number, payload: Buffer): Buffer => encodePacket({ sequence, payload })

/** Sends `bytes` as soon as the client is there, and nothing more. */
export const say =
  (...bytes: readonly Buffer[]): Script =>
  (session) =>
    session.send(Buffer.concat(bytes))

/**
 * Greets properly, shows `certificate`, and asks each client that accepts it for the token; `injected` goes with the
 * greeting.
 */
export const impostor =
  (name: GreetingName, certificate: CertificateName, injected: readonly Buffer[] = []): Script =>
  async (session) => {
    session.send(Buffer.concat([greeting(name), ...injected]))
    if (!(await session.startTls(certificate))) return
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
  }

/** Offers TLS, and answers the request for it in clear. */
export const stripped =
  (...answer: readonly Buffer[]): Script =>
  async (session) => {
    session.send(greeting('MySQL'))
    await session.hasSent(1)
    session.send(Buffer.concat(answer))
  }

/**
 * Creates a server to trust as far as TLS goes; `afterResponse` is what it does with a client that has said its name.
 */
export const trusted =
  (afterResponse: (session: HostileSession) => void | Promise<void>, name: GreetingName = 'MySQL'): Script =>
  async (session) => {
    session.send(greeting(name))
    if ((await session.startTls('valid')) && (await session.hasSent(4))) await afterResponse(session)
  }

/** Creates a server to trust that asks for the token; `answer` is what it does once it has been sent something. */
export const takingToken = (answer: (session: HostileSession) => void | Promise<void>): Script =>
  trusted(async (session) => {
    const sent = session.inTls.length
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
    if (await session.hasSent(sent + 1)) await answer(session)
  })
