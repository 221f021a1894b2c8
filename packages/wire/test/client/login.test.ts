import { generateKeyPairSync } from 'node:crypto'
import { Duplex, duplexPair } from 'node:stream'
import {
  type AuthPlugin,
  Capability,
  changeUser,
  decodeChangeUser,
  decodeHandshakeResponse,
  encodeAuthMoreData,
  encodeAuthSwitchRequest,
  encodeErr,
  encodeGreeting,
  encodeOk,
  type Greeting,
  isSslRequest,
  login,
  PacketChannel,
  readGreeting,
  scrambleCachingSha2,
  scrambleNativePassword,
} from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const OK = encodeOk({ affectedRows: 0n, lastInsertId: 0n, status: 2, warnings: 0, info: Buffer.alloc(0) })
const scramble = Buffer.from('abcdefghijklmnopqrst')
const otherScramble = Buffer.from('ABCDEFGHIJKLMNOPQRST')

function ends(authPlugin: string, capabilities: number = Capability.CONNECT_WITH_DB) {
  const [near, far] = duplexPair()
  const client = new PacketChannel(near)
  const server = new PacketChannel(far)
  const greeting: Greeting = {
    serverVersion: '8.0.39',
    connectionId: 1,
    scramble,
    capabilities,
    collation: 45,
    status: 2,
    authPlugin,
  }
  server.write(encodeGreeting(greeting))
  const start = async (options: { plugins?: AuthPlugin[]; startTls?: () => Promise<PacketChannel> } = {}) =>
    login(client, await readGreeting(client), {
      user: 'app',
      password: 'secret',
      database: 'shop',
      capabilities: Capability.MULTI_STATEMENTS,
      ...options,
    })
  return { client, server, start, near, far }
}

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
  expect((await session).capabilities & Capability.MULTI_STATEMENTS).toBe(0)
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

test('no TLS: a clear-text password is never sent, even when it is permitted', async () => {
  for (const plugins of [undefined, ['mysql_clear_password'] as AuthPlugin[]]) {
    const { server, start } = ends('mysql_clear_password')
    const session = start(plugins && { plugins })
    const response = await server.read()
    expect(response.payload.includes('secret')).toBe(false)
    server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
    await expect(session).rejects.toMatchObject({ code: 'ERR_WIRE_UNSUPPORTED' })
  }
})

test('TLS and a permitted clear-text password: sent only when it is requested', async () => {
  const { server, start, client, near } = ends('mysql_clear_password', Capability.SSL)
  const session = start({ plugins: ['mysql_clear_password'], startTls: async () => new PacketChannel(near) })
  expect(isSslRequest((await server.read()).payload)).toBe(true)
  expect(client.sequence).toBe(2)
  expect(decodeHandshakeResponse((await server.read()).payload).authResponse).toHaveLength(0)
  server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  expect((await server.read()).payload.toString()).toBe('secret\0')
  server.write(OK)
  await session
})

test('a password that is known only after TLS: it is read then, and not before', async () => {
  const { server, client, near } = ends('mysql_clear_password', Capability.SSL)
  let known: string | undefined
  const session = login(client, await readGreeting(client), {
    user: 'app',
    capabilities: 0,
    plugins: ['mysql_clear_password'],
    startTls: async () => {
      known = 'signed after TLS'
      return new PacketChannel(near)
    },
    get password() {
      return known ?? 'read too early'
    },
  })
  await server.read()
  await server.read()
  server.write(encodeAuthSwitchRequest({ authPlugin: 'mysql_clear_password', data: Buffer.alloc(0) }))
  expect((await server.read()).payload.toString()).toBe('signed after TLS\0')
  server.write(OK)
  await session
})

test('a server without TLS where TLS is wanted: the client leaves before it sends anything', async () => {
  const { start } = ends('mysql_native_password')
  await expect(start({ startTls: () => Promise.reject(new Error('never reached')) })).rejects.toMatchObject({
    code: 'ERR_WIRE_UNSUPPORTED',
  })
})

test('a rejection: the error has what the server sent', async () => {
  const { server, start } = ends('mysql_native_password')
  const session = start()
  await server.read()
  server.write(encodeErr({ errno: 1045, sqlState: '28000', message: 'Access denied' }))
  await expect(session).rejects.toMatchObject({ code: 'ERR_WIRE_SERVER', errno: 1045, sqlState: '28000' })
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

test('a stream that ends or fails: the waiting read rejects', async () => {
  const ended = ends('mysql_native_password')
  const first = ended.start()
  await ended.server.read()
  ended.far.end()
  await expect(first).rejects.toMatchObject({ code: 'ERR_WIRE_CLOSED' })
  const failed = ends('mysql_native_password')
  const second = failed.start()
  await failed.server.read()
  const failure = new Error('cut')
  failed.near.destroy(failure)
  await expect(second).rejects.toMatchObject({ code: 'ERR_WIRE_CLOSED', cause: failure })
})

test('a packet out of sequence: refused', async () => {
  const { client, server } = ends('mysql_native_password')
  client.sequence = 5
  await expect(client.read()).rejects.toMatchObject({ code: 'ERR_WIRE_SEQUENCE' })
  expect(server).toBeDefined()
})

test('an open session: it changes its user', async () => {
  const { server, start } = ends('mysql_native_password', Capability.CONNECT_WITH_DB)
  const opening = start()
  await server.read()
  server.write(OK)
  const session = await opening
  server.sequence = 0
  const changing = changeUser(session, { user: 'other', password: 'word', database: 'shop' })
  const command = decodeChangeUser((await server.read()).payload, session.capabilities)
  expect(command).toMatchObject({ user: 'other', database: 'shop', authPlugin: 'mysql_native_password' })
  expect(command.authResponse).toEqual(scrambleNativePassword('word', scramble))
  server.write(OK)
  expect((await changing).ok).toEqual(OK)
})

test('bytes after the last packet: put back into the stream', async () => {
  const [near, far] = duplexPair()
  const channel = new PacketChannel(near)
  far.write(Buffer.from('\x02\x00\x00\x00okTLS'))
  expect((await channel.read()).payload.toString()).toBe('ok')
  channel.release()
  expect(near.read().toString()).toBe('TLS')
  expect(near).toBeInstanceOf(Duplex)
})
