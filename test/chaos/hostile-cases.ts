import { setTimeout as sleep } from 'node:timers/promises'
import {
  CLEAR_PASSWORD_WANTED,
  DENIED,
  GREETINGS,
  type GreetingName,
  greeting,
  impostor,
  MORE_WANTED,
  OK,
  packet,
  say,
  stripped,
  switchTo,
  takingToken,
  trusted,
} from './hostile-scripts.ts'
import type { CertificateName, Script } from './hostile-server.ts'

/** One way to be hostile. */
export interface HostileCase {
  readonly name: string
  readonly script: Script
  /** The code of the error that the caller gets. */
  readonly code: string
  /** One case of each kind is run through every adapter that is built on mysql2. */
  readonly isOfItsKind?: boolean
}

const HEADER_OF_16_MB = Buffer.from([0xff, 0xff, 0xff, 0])
const MEGABYTES_16 = Buffer.alloc(0xff_ff_ff, 10)

const impostors: HostileCase[] = (
  [
    ['another authority', 'otherCa'],
    ['another name', 'wrongName'],
    ['yesterday', 'expired'],
    ['itself', 'selfSigned'],
  ] as ReadonlyArray<readonly [string, CertificateName]>
).flatMap(([whose, certificate]) =>
  (Object.keys(GREETINGS) as GreetingName[]).map((name, index) => ({
    name: `a certificate of ${whose}, greeting as ${name}`,
    script: impostor(name, certificate),
    code: 'HANDSHAKE_SSL_ERROR',
    isOfItsKind: index === 2,
  })),
)

const withoutTls: HostileCase[] = (Object.keys(GREETINGS) as GreetingName[]).map((name, index) => ({
  name: `no TLS offered, greeting as ${name}`,
  script: say(greeting(name, { tls: false })),
  code: 'HANDSHAKE_NO_SSL_SUPPORT',
  isOfItsKind: index === 2,
}))

const strippers: HostileCase[] = (
  [
    ['asking for the password', CLEAR_PASSWORD_WANTED],
    ['with OK', OK],
    ['with a refusal', DENIED],
    ['with caching_sha2_password', switchTo('caching_sha2_password')],
  ] as const
).map(([how, answer], index) => ({
  name: `TLS offered, and the request for it answered in clear ${how}`,
  script: stripped(packet(2, answer)),
  code: 'HANDSHAKE_SSL_ERROR',
  isOfItsKind: index === 0,
}))

// What is in one segment with the greeting is read before TLS begins: a middleman needs no certificate for it.
const injected: HostileCase[] = (
  [
    ['a request for the password', [packet(2, CLEAR_PASSWORD_WANTED)]],
    ['a request for another plugin', [packet(2, switchTo('caching_sha2_password'))]],
    ['OK', [packet(2, OK)]],
    ['OK to the login and to a query', [packet(2, OK), packet(1, OK)]],
    ['OK to more than was asked', [packet(2, OK), packet(1, OK), packet(1, OK), packet(1, OK)]],
    ['a refusal', [packet(2, DENIED)]],
    ['a second greeting', [greeting('MySQL')]],
    ['one byte', [Buffer.from([0])]],
  ] as const
).flatMap(([what, packets], index) =>
  (['selfSigned', 'valid'] as const).map((certificate) => ({
    name: `${what} in clear behind the greeting, then a ${certificate} certificate`,
    script: impostor('MySQL', certificate, packets),
    code: 'ERR_AURORA_IAM_TLS_REQUIRED',
    isOfItsKind: index === 3 && certificate === 'selfSigned',
  })),
)

const noGreeting: HostileCase[] = [
  { name: 'a web server', script: say(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')) },
  { name: 'an SSH server', script: say(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')) },
  { name: 'a header that announces 16 MB', script: say(HEADER_OF_16_MB), isOfItsKind: true },
  { name: 'a greeting of 16 MB and on', script: say(HEADER_OF_16_MB, MEGABYTES_16, HEADER_OF_16_MB) },
  { name: 'bytes of 255', script: say(Buffer.alloc(300, 0xff)) },
].map((one) => ({ ...one, code: 'ERR_AURORA_IAM_TLS_REQUIRED' }))

const broken: HostileCase[] = [
  { name: 'an empty greeting', script: say(packet(0, Buffer.alloc(0))), code: 'ERR_OUT_OF_RANGE' },
  { name: 'half a greeting', script: say(packet(0, Buffer.from('\n8.0.39\0'))), code: 'ERR_OUT_OF_RANGE' },
  { name: 'half an error', script: say(packet(0, Buffer.from([0xff]))), code: 'ERR_OUT_OF_RANGE' },
  { name: 'silence', script: () => {}, code: 'ETIMEDOUT' },
  {
    name: 'a greeting that never ends',
    script: async (session) => {
      for (const byte of greeting('MySQL')) {
        session.send(Buffer.from([byte]))
        await sleep(10)
        if (session.closed) return
      }
    },
    code: 'ETIMEDOUT',
    isOfItsKind: true,
  },
  { name: 'a TLS handshake without end', script: say(greeting('MySQL')), code: 'ETIMEDOUT' },
  { name: 'the end at once', script: (session) => session.end(), code: 'PROTOCOL_CONNECTION_LOST' },
]

/** Sends what `next` makes again and again, each with the number that the client expects. */
const endlessly = (next: Buffer): Script =>
  trusted(async (session) => {
    session.sendPacket(3, CLEAR_PASSWORD_WANTED)
    for (let sequence = 5; !session.closed; sequence += 2) {
      await sleep(5)
      session.sendPacket(sequence & 0xff, next)
    }
  })

const answering = (...packets: readonly Buffer[]): Script =>
  trusted((session) => session.send(Buffer.concat(packets)))

// The token goes to a server whose certificate is right, once; what is wrong with it comes afterwards.
const trustedButBroken: HostileCase[] = [
  {
    name: 'the token wanted again and again',
    script: endlessly(CLEAR_PASSWORD_WANTED),
    code: 'AUTH_SWITCH_PLUGIN_ERROR',
    isOfItsKind: true,
  },
  { name: 'a login without end', script: endlessly(MORE_WANTED), code: 'AUTH_SWITCH_PLUGIN_ERROR' },
  ...['no_such_plugin', '__proto__'].map((plugin) => ({
    name: `a plugin called ${plugin}`,
    script: answering(packet(3, switchTo(plugin))),
    code: 'AUTH_SWITCH_PLUGIN_ERROR',
  })),
  ...['caching_sha2_password', 'sha256_password', 'mysql_native_password'].map((plugin) => ({
    name: `${plugin}, then silence`,
    script: answering(packet(3, switchTo(plugin))),
    code: 'ETIMEDOUT',
  })),
  { name: 'garbage inside TLS', script: answering(Buffer.alloc(300, 0x41)), code: 'ETIMEDOUT' },
  { name: 'OK without a word about the token', script: answering(packet(3, OK)), code: 'ETIMEDOUT' },
  {
    name: 'a refusal, and its end kept open',
    script: takingToken((session) => session.sendPacket(5, DENIED)),
    code: 'ER_ACCESS_DENIED_ERROR',
  },
].map(({ name, ...rest }) => ({ name: `${name}, from a server to trust`, ...rest }))

/** Every way to be hostile that has a name. */
export const HOSTILE_CASES: readonly HostileCase[] = [
  ...impostors,
  ...withoutTls,
  ...strippers,
  ...injected,
  ...noGreeting,
  ...broken,
  ...trustedButBroken,
]
