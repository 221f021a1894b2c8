import type { Socket } from 'node:net'
import {
  type Answering,
  type Greeting,
  type HandshakeResponse,
  login,
  PacketChannel,
  readGreeting,
  type Session,
  WireError,
} from '@aurora-iam/wire'
import type { Backend } from '../database/backend.ts'
import { startUpstreamTls } from '../database/upstream-tls.ts'
import type { Client } from './client.ts'
import { collationFor } from './greeting.ts'

/** A connection to the database, greeted and not logged in yet. */
export interface Upstream {
  readonly socket: Socket
  readonly channel: PacketChannel
  readonly greeting: Greeting
}

/**
 * Opens the connection behind a client's, so early that the client can be greeted with what that database
 * can do and with the connection id that `KILL` knows. If that fails, the client is told what the database said, such
 * as "Too many connections", or its connection breaks, as at an Aurora that restarts.
 */
export async function connectUpstream(client: Client, backend: Backend): Promise<Upstream | undefined> {
  const socket = backend.connect().unref()
  socket.on('error', () => {})
  const channel = new PacketChannel(socket)
  try {
    return { socket, channel, greeting: await client.within(readGreeting(channel)) }
  } catch (error) {
    socket.destroy()
    failUpstream(client, error)
    return undefined
  }
}

/** Tells a client why the database cannot serve it: in the database's words, or by breaking the connection. */
export function failUpstream(client: Client, error: unknown): void {
  const { errno = 0, sqlState, message } = error as WireError
  if (error instanceof WireError && error.code === 'ERR_WIRE_SERVER') {
    client.fail({ errno, sqlState, message }, `error ${errno} of the database`)
  } else client.destroy('server', 'the database does not answer')
}

/**
 * Logs in to the database as the user, asking for just what the client asked for.
 *
 * @param answering - The password, or who answers in place of it.
 * @param capabilities - What the client and Local Aurora agreed on.
 * @throws {@link WireError} with the database's refusal
 */
export async function logInUpstream(
  { socket, channel, greeting }: Upstream,
  { user, database, attributes, collation }: HandshakeResponse,
  answering: Answering,
  capabilities: number,
): Promise<Session> {
  return login(channel, greeting, {
    user,
    ...answering,
    ...(database && { database }),
    attributes,
    collation: collationFor(greeting, collation),
    capabilities,
    ...startUpstreamTls(socket, greeting),
  })
}
