import type { ChangeUser, Greeting, HandshakeResponse, OkPacket } from '@aurora-iam/wire'
import fc from 'fast-check'

const uint = (bytes: number) => fc.integer({ min: 0, max: 256 ** bytes - 1 })
const text = fc.string({ unit: 'grapheme', maxLength: 40 }).filter((value) => !value.includes('\0'))
const bytes = (maxLength: number) => fc.uint8Array({ maxLength }).map((value) => Buffer.from(value))

export const anyBytes = bytes(400)

export const scrambles = fc
  .uint8Array({ minLength: 20, maxLength: 20, min: 1 })
  .map((value) => Buffer.from(value))

const attributes = fc.array(fc.tuple(text, text), { maxLength: 5 }).map((pairs) => new Map(pairs))

/** `PROTOCOL_41`, `SECURE_CONNECTION` and `PLUGIN_AUTH`, which every greeting has. */
const REQUIRED = 0x0008_8200

export const greetings: fc.Arbitrary<Greeting> = fc.record({
  serverVersion: text,
  connectionId: uint(4),
  scramble: scrambles,
  capabilities: uint(4).map((flags) => (flags | REQUIRED) >>> 0),
  collation: uint(1),
  status: uint(2),
  authPlugin: text,
})

/** Flags that say which fields a response has: the encoder decides them. */
const FIELD_FLAGS = 0x0018_8208

export const handshakeResponses: fc.Arbitrary<HandshakeResponse> = fc.record({
  capabilities: uint(4).map((flags) => (flags & ~FIELD_FLAGS) >>> 0),
  maxPacketBytes: uint(4),
  collation: uint(1),
  user: text,
  authResponse: bytes(255),
  database: fc.option(text, { nil: undefined }),
  authPlugin: fc.option(text, { nil: undefined }),
  attributes: fc.option(attributes, { nil: undefined }),
})

export const changeUsers: fc.Arbitrary<ChangeUser> = fc.record({
  user: text,
  authResponse: bytes(255),
  database: text,
  collation: uint(2),
  authPlugin: text,
  attributes,
})

export const oks: fc.Arbitrary<OkPacket> = fc.record({
  affectedRows: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  lastInsertId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  status: uint(2),
  warnings: uint(2),
  info: bytes(60),
})

export const errs = fc.record({
  errno: uint(2),
  sqlState: fc.constantFrom('28000', 'HY000', '08004'),
  message: fc.string({ unit: 'grapheme' }),
})

export const authSwitches = fc.record({ authPlugin: text, data: bytes(60) })
