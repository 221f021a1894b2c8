import {
  type Answering,
  encodeAuthSwitchRequest,
  type Greeting,
  type HandshakeResponse,
  type Session,
  type WireError,
} from '@aurora-iam/wire'
import type { Client } from './client.ts'
import type { ServerContext } from './context.ts'
import { judge, type LoginAttempt, recordSuccess, recordToken, refuse } from './gatekeeper.ts'
import { PasswordDialogue } from './password-dialogue.ts'
import { failUpstream } from './upstream.ts'

const CLEAR_PASSWORD = 'mysql_clear_password'

/** Errors in which the database names Local Aurora as the client. They are replaced for the real client. */
const ACCESS_DENIED = 1045
const ACCESS_DENIED_WITHOUT_PASSWORD = 1698

/**
 * Asks for the token as Aurora does, by mysql_clear_password. Some clients require a scramble, which has no use here.
 */
export async function askForToken(client: Client, greeting: Greeting): Promise<string> {
  const data = Buffer.concat([greeting.scramble, Buffer.alloc(1)])
  client.channel.write(encodeAuthSwitchRequest({ authPlugin: CLEAR_PASSWORD, data }))
  return textOf((await client.read()).payload)
}

/** Returns a token that a client sent without being asked, as for a greeting that names mysql_clear_password. */
export function unaskedToken(
  response: Pick<HandshakeResponse, 'authPlugin' | 'authResponse'>,
): string | undefined {
  const token = response.authPlugin === CLEAR_PASSWORD ? textOf(response.authResponse) : ''
  return token === '' ? undefined : token
}

/**
 * Asks the database whether a user logs in with IAM. Returns undefined if the database does not answer. The client then
 * has the error, or its connection is closed.
 */
export async function isIamUser(
  user: string,
  client: Client,
  { backend }: ServerContext,
): Promise<boolean | undefined> {
  try {
    return await client.within(backend.iamUsers.has(user))
  } catch (error) {
    failUpstream(client, error)
    return undefined
  }
}

/**
 * Verifies a token and opens the session in the database if it is accepted. Returns undefined if there is no session.
 * The client then has the error, or its connection is closed.
 *
 * @param openSession - Opens the session of the user with the password that replaces the token in the database.
 */
export async function admit(
  attempt: LoginAttempt,
  client: Client,
  context: ServerContext,
  openSession: (answering: Answering) => Promise<Session>,
): Promise<Session | undefined> {
  const { faults, user, token } = attempt
  recordToken(attempt, client.encrypted, context.log)
  if (faults.hang === 'after-token') {
    await client.hang()
    return undefined
  }
  await client.pause(faults.authDelayMs ?? 0)
  if (!judge(attempt, context)) {
    client.deny(user, token !== '')
    return undefined
  }
  try {
    const session = await client.within(openSession(context.backend.iamUsers.account(user)))
    recordSuccess(attempt, context.log)
    return session
  } catch (error) {
    const { code, errno } = error as WireError
    if (code === 'ERR_WIRE_SERVER' && errno === ACCESS_DENIED) {
      refuse(attempt, 'InternalError', 'the database denied access to an IAM user', context.log)
      client.deny(user, true)
      // A connection that the database closed is no verdict about the token: 1045 would make an adapter evict it.
    } else failUpstream(client, error)
    return undefined
  }
}

/**
 * Lets the database authenticate a user who does not log in with IAM, unknown users included. Returns undefined if the
 * database rejects the login. The client then has the error.
 *
 * @param attempt - With the token that the client sent without being asked, or an empty one.
 * @param openSession - Opens the session of the user, asking the client for what the database asks for.
 */
export async function admitByPassword(
  attempt: LoginAttempt,
  client: Client,
  { log, backend }: ServerContext,
  openSession: (answering: Answering) => Promise<Session>,
): Promise<Session | undefined> {
  const { connection, user, during, token } = attempt
  if (token !== '') {
    recordToken(attempt, client.encrypted, log)
    refuse(attempt, 'NotAuthorized', 'no database user of that name is enabled for IAM', log)
    client.deny(user, true)
    return undefined
  }
  const dialogue = new PasswordDialogue(client, backend.iamUsers.usesCachingSha2(user))
  try {
    const session = await openSession({ answer: (request) => dialogue.answer(request) })
    log.record({ type: 'password-login', connection, user, during })
    return session
  } catch (error) {
    const { code, errno = 0, sqlState, message } = error as WireError
    if (code !== 'ERR_WIRE_SERVER') throw error
    if (errno === ACCESS_DENIED || errno === ACCESS_DENIED_WITHOUT_PASSWORD) {
      refuse(attempt, 'AccessDenied', 'not an IAM user, and the database denied access', log)
      client.deny(user, dialogue.gavePassword)
    } else client.fail({ errno, sqlState, message }, `error ${errno} of the database`)
    return undefined
  }
}

/** Returns a clear-text password without the NUL at its end, which some clients leave out. */
function textOf(password: Buffer): string {
  return password.subarray(0, password.at(-1) === 0 ? -1 : undefined).toString()
}
