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

/** Connection to the database that was greeted and is not logged in yet. */
export interface Upstream {
  readonly socket: Socket
  readonly channel: PacketChannel
  readonly greeting: Greeting
}

/**
 * Opens the connection to the database for a client, before the client is greeted. The greeting then has the
 * capabilities of the database and the connection id that `KILL` takes. If that fails, the client gets the error of the
 * database, such as "Too many connections", or its connection is closed, as by an Aurora that restarts.
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

/** Sends the error of the database to a client, or destroys its connection if there is none. */
export function failUpstream(client: Client, error: unknown): void {
  const { errno = 0, sqlState, message } = error as WireError
  if (error instanceof WireError && error.code === 'ERR_WIRE_SERVER') {
    client.fail({ errno, sqlState, message }, `error ${errno} of the database`)
  } else client.destroy('server', 'the database does not answer')
}

/**
 * Logs in to the database as the user, with the capabilities of the client.
 *
 * @param answering - The password, or the function that answers the database.
 * @param capabilities - Capabilities that the client and Local Aurora agreed on.
 * @throws {@link WireError} with the error of the database
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
