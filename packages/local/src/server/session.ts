import {
  CHANGE_USER_COMMAND,
  changeUser,
  decodeChangeUser,
  type Greeting,
  type Packet,
  PacketChannel,
  relay,
  type Session,
} from '@aurora-iam/wire'
import type { FaultSettings } from '../faults/faults.ts'
import { admit, admitByPassword, askForToken, isIamUser, unaskedToken } from './authentication.ts'
import type { Client } from './client.ts'
import type { ServerContext } from './context.ts'
import { collationFor } from './greeting.ts'

/** Longest COM_CHANGE_USER: user and database names are short, and connection attributes have at most 64 KiB. */
const MAX_CHANGE_USER_BYTES = 128 * 1024

/** A client that is logged in, and what both ends agreed on. */
export interface OpenSession {
  readonly client: Client
  /** The greeting of Local Aurora. */
  readonly greeting: Greeting
  readonly upstreamGreeting: Greeting
  /** Capabilities that both ends use. */
  readonly capabilities: number
  readonly faults: FaultSettings
}

/**
 * Relays a session to its end. COM_CHANGE_USER is intercepted, because it is a login, and statements about users are
 * translated.
 */
export async function relaySession(open: OpenSession, login: Session, context: ServerContext): Promise<void> {
  const { client } = open
  let session = login
  client.channel.release()
  session.channel.release()
  const ended = relay(client.stream, session.channel.stream, {
    command: CHANGE_USER_COMMAND,
    maxPayloadBytes: MAX_CHANGE_USER_BYTES,
    handle: async (command) => {
      session = await logInAgain(command, open, session, context)
    },
    rewriting: context.backend.iamUsers.rewriting,
    onPassed: (from) => client.passed(from),
  })
  client.beginSession(session.channel.stream)
  const end = await ended
  if (end.by === 'server') client.destroy('server', 'the database ended the session')
  else client.destroy('client', codeOf(end.error))
}

/**
 * Logs the session in as another user, for COM_CHANGE_USER.
 *
 * @throws Error when the session must end. The client then has the reason
 */
async function logInAgain(
  { payload }: Packet,
  { client, greeting, upstreamGreeting, capabilities, faults }: OpenSession,
  session: Session,
  context: ServerContext,
): Promise<Session> {
  const command = decodeChangeUser(payload, capabilities)
  const { user, database, attributes, collation, authResponse, authPlugin } = command
  client.resumeTalking(1)
  const isIam = await isIamUser(user, client, context)
  if (isIam === undefined) throw new Error('the database does not answer')
  const unasked = unaskedToken({ authResponse, authPlugin })
  const token = unasked ?? (isIam ? await askForToken(client, greeting) : '')
  const attempt = { connection: client.connection, user, during: 'change-user', token, faults } as const
  const channel = new PacketChannel(session.channel.stream)
  const admission = isIam ? admit : admitByPassword
  const changed = await admission(attempt, client, context, (answering) =>
    changeUser(
      { ...session, channel },
      {
        user,
        ...answering,
        database,
        attributes,
        ...(collation !== undefined && { collation: collationFor(upstreamGreeting, collation) }),
      },
    ),
  )
  if (changed === undefined) {
    await client.flush()
    throw new Error('the change of user was refused')
  }
  client.channel.write(changed.ok)
  client.channel.release()
  channel.release()
  return changed
}

function codeOf(error: (Error & { code?: string }) | undefined): string | undefined {
  return error === undefined ? undefined : (error.code ?? error.message)
}
