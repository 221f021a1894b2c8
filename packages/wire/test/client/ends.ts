import { duplexPair } from 'node:stream'
import {
  Capability,
  encodeGreeting,
  encodeOk,
  type Greeting,
  type LoginOptions,
  login,
  PacketChannel,
  readGreeting,
} from '@aurora-iam/wire'

export const OK = encodeOk({
  affectedRows: 0n,
  lastInsertId: 0n,
  status: 2,
  warnings: 0,
  info: Buffer.alloc(0),
})
export const scramble = Buffer.from('abcdefghijklmnopqrst')
export const otherScramble = Buffer.from('ABCDEFGHIJKLMNOPQRST')

/** Returns both ends of a connection whose server has greeted, and the login of its client. */
export function ends(authPlugin: string, capabilities: number = Capability.CONNECT_WITH_DB) {
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
  const start = async (options: Partial<LoginOptions> = {}) => {
    try {
      return await login(client, await readGreeting(client), {
        user: 'app',
        password: 'secret',
        database: 'shop',
        capabilities: Capability.MULTI_STATEMENTS,
        ...options,
      })
    } catch (error) {
      // A server that waits for the client fails at once.
      far.destroy()
      throw error
    }
  }
  return { client, server, start, near, far }
}
