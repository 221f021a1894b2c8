import type { Socket } from 'node:net'
import {
  type Greeting,
  type HandshakeResponse,
  login,
  PacketChannel,
  readGreeting,
  type Session,
  WireError,
} from '@aurora-iam/wire'
import type { Backend } from '../database/backend.ts'
import type { FrontClient } from './client.ts'
import { collationFor } from './greeting.ts'

/** A connection to the database behind, greeted and not logged in yet. */
export interface Upstream {
  readonly socket: Socket
  readonly channel: PacketChannel
  readonly greeting: Greeting
}

/**
 * Opens the connection behind a client's, so early that the client can be greeted with what that database
 * can do and with the connection id that `KILL` knows. If that fails the client has been told: with the
 * database's own words if it said something, such as "Too many connections".
 */
export async function connectUpstream(client: FrontClient, backend: Backend): Promise<Upstream | undefined> {
  const socket = backend.connect().unref()
  socket.on('error', () => {})
  const channel = new PacketChannel(socket)
  try {
    return { socket, channel, greeting: await client.within(readGreeting(channel)) }
  } catch (error) {
    socket.destroy()
    const { errno = 1105, sqlState = 'HY000', message } = error as WireError
    const said = error instanceof WireError && error.code === 'ERR_WIRE_SERVER'
    client.fail(
      { errno, sqlState, message: said ? message : 'Unknown error' },
      'the database behind does not answer',
    )
    return undefined
  }
}

/**
 * Logs in behind as the account of the user, asking for just what the client asked for.
 *
 * @param capabilities - What the client and the front agreed on.
 * @throws {@link WireError} with the database's refusal
 */
export async function logInBehind(
  { channel, greeting }: Upstream,
  { user, database, attributes, collation }: HandshakeResponse,
  capabilities: number,
  backend: Backend,
): Promise<Session> {
  return login(channel, greeting, {
    ...backend.account(user),
    ...(database && { database }),
    attributes,
    collation: collationFor(greeting, collation),
    capabilities,
  })
}
