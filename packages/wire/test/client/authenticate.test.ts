import { generateKeyPairSync } from 'node:crypto'
import {
  Capability,
  changeUser,
  decodeChangeUser,
  decodeHandshakeResponse,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  PacketChannel,
  scrambleCachingSha2,
  scrambleNativePassword,
} from '@aurora-iam/wire'
import { expect, test } from 'vitest'
import { ends, OK, otherScramble, scramble } from './ends.ts'

test('mysql_native_password with a switch to another scramble: logs in', async () => {
  const { server, start } = ends('mysql_native_password')
  const session = start()
  const response = decodeHandshakeResponse((await server.read()).payload)
  expect(response).toMatchObject({ user: 'app', database: 'shop', authPlugin: 'mysql_native_password' })
  expect(response.authResponse).toEqual(scrambleNativePassword('secret', scramble))
  server.write(
    encodeAuthSwitchRequest({
      authPlugin: 'caching_sha2_password',
      data: Buffer.concat([otherScramble, Buffer.alloc(1)]),
    }),
  )
  expect((await server.read()).payload).toEqual(scrambleCachingSha2('secret', otherScramble))
  server.write(encodeAuthMoreData(Buffer.from([3])))
  server.write(OK)
  expect((await session).ok).toEqual(OK)
})

test('caching_sha2_password, the full path over the key of the server: logs in', async () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const { server, start } = ends('caching_sha2_password')
  const session = start()
  await server.read()
  server.write(encodeAuthMoreData(Buffer.from([4])))
  expect((await server.read()).payload).toEqual(Buffer.from([2]))
  server.write(encodeAuthMoreData(Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))))
  expect((await server.read()).payload).toHaveLength(256)
  server.write(OK)
  await session
})

test('a server that never stops asking: the client leaves after a few rounds', async () => {
  const { server, start } = ends('mysql_native_password')
  const session = start()
  const asking = (async () => {
    for (let round = 0; round < 8; round += 1) {
      await server.read()
      server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_native_password', data: scramble }))
    }
  })()
  await expect(session).rejects.toMatchObject({ code: 'ERR_WIRE_UNSUPPORTED' })
  await asking
})

test('a switch without a whole scramble: that of the greeting is used again', async () => {
  const { server, start } = ends('mysql_native_password')
  const session = start()
  await server.read()
  server.write(
    encodeAuthSwitchRequest({ authPlugin: 'caching_sha2_password', data: otherScramble.subarray(1) }),
  )
  expect((await server.read()).payload).toEqual(scrambleCachingSha2('secret', scramble))
  server.write(encodeAuthSwitchRequest({ authPlugin: 'caching_sha2_password', data: otherScramble }))
  expect((await server.read()).payload).toEqual(scrambleCachingSha2('secret', otherScramble))
  server.write(OK)
  await session
})

test('caching_sha2_password, the full path over TLS: the password is sent in the clear', async () => {
  const { server, start, near } = ends('caching_sha2_password', Capability.SSL)
  const session = start({ startTls: async () => new PacketChannel(near) })
  await server.read()
  const response = decodeHandshakeResponse((await server.read()).payload)
  expect(response.capabilities & Capability.SSL).toBe(Capability.SSL)
  expect(response.authResponse).toEqual(scrambleCachingSha2('secret', scramble))
  server.write(encodeAuthMoreData(Buffer.from([4])))
  expect((await server.read()).payload.toString()).toBe('secret\0')
  server.write(OK)
  await session
})

test.each([
  [
    'more data for a plugin that expects none',
    'mysql_native_password',
    encodeAuthMoreData(Buffer.from([3])),
    'ERR_WIRE_UNSUPPORTED',
    'nothing more',
  ],
  [
    'an unknown step of caching_sha2_password',
    'caching_sha2_password',
    encodeAuthMoreData(Buffer.from([5])),
    'ERR_WIRE_MALFORMED',
    'step',
  ],
  [
    'a packet that belongs to no login',
    'mysql_native_password',
    Buffer.from([2]),
    'ERR_WIRE_MALFORMED',
    'packet',
  ],
  [
    'a plugin that is not permitted',
    'mysql_native_password',
    encodeAuthSwitchRequest({ authPlugin: 'sha256_password', data: scramble }),
    'ERR_WIRE_UNSUPPORTED',
    'an authentication plugin',
  ],
  [
    'the password in the clear',
    'mysql_native_password',
    encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: scramble }),
    'ERR_WIRE_UNSUPPORTED',
    'the password in the clear',
  ],
])('a server that sends %s: the login is refused', async (_, plugin, packet, code, words) => {
  const { server, start } = ends(plugin)
  const session = start()
  await server.read()
  server.write(packet)
  await expect(session).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
})

test('an answer in place of a password: it is asked for each request, and sent unless it is undefined', async () => {
  const { server, start } = ends('mysql_native_password')
  const requests: string[] = []
  const answer = async (request: Buffer) => {
    requests.push(request.toString('hex'))
    return request[0] === 1 ? undefined : Buffer.from('answered')
  }
  const opening = start({ answer })
  const response = decodeHandshakeResponse((await server.read()).payload)
  expect(response).toMatchObject({ authPlugin: 'none', authResponse: Buffer.alloc(0) })
  const [ask, more] = [
    encodeAuthSwitchRequest({ authPlugin: 'any', data: scramble }),
    encodeAuthMoreData(scramble),
  ]
  server.write(ask)
  expect((await server.read()).payload.toString()).toBe('answered')
  server.write(more)
  server.write(OK)
  const session = await opening
  expect(requests).toEqual([ask, more].map((request) => request.toString('hex')))
  server.sequence = 0
  const changing = changeUser(session, { user: 'other', password: 'word', answer })
  const command = decodeChangeUser((await server.read()).payload, session.capabilities)
  expect(command).toMatchObject({
    authPlugin: 'none',
    authResponse: Buffer.alloc(0),
    database: '',
    collation: 45,
  })
  server.write(ask)
  expect((await server.read()).payload.toString()).toBe('answered')
  server.write(OK)
  expect(Object.keys((await changing).auth)).toEqual(Object.keys(session.auth))
})
