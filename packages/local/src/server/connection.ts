import {
  Capability,
  decodeHandshakeResponse,
  encodeGreeting,
  isSslRequest,
  WireError,
} from '@aurora-iam/wire'
import type { FaultSettings } from '../faults/faults.ts'
import { admit, admitByPassword, askForToken, isIamUser, unaskedToken } from './authentication.ts'
import { Client } from './client.ts'
import type { Incoming, ServerContext } from './context.ts'
import { type Gatekeeper, type LoginAttempt, recordToken } from './gatekeeper.ts'
import { serverGreeting } from './greeting.ts'
import { relaySession } from './session.ts'
import { connectUpstream, logInUpstream, type Upstream } from './upstream.ts'

/** Connection that is served. */
export interface ServerConnection extends Pick<Client, 'drop' | 'hold' | 'release' | 'closeIdle'> {
  /** Resolves when the connection has ended. It never rejects. */
  readonly finished: Promise<void>
}

/** Serves a client from the greeting to the end. */
export function serveConnection(incoming: Incoming, context: ServerContext): ServerConnection {
  const client = new Client(incoming, context.log, context.connectTimeoutMs)
  return {
    drop: () => client.drop(),
    hold: () => client.hold(),
    release: () => client.release(),
    closeIdle: (idleMs) => client.closeIdle(idleMs),
    finished: serve(client, context),
  }
}

async function serve(client: Client, context: ServerContext): Promise<void> {
  const faults = context.faults.current
  let upstream: Upstream | undefined
  try {
    if (faults.hang === 'before-greeting') return await client.hang()
    await client.pause(faults.greetingDelayMs ?? 0)
    if (faults.error === undefined) {
      upstream = await connectUpstream(client, context.backend)
      if (upstream !== undefined) await handshake(client, upstream, faults, context)
    } else client.fail(faults.error, 'the fault `error` is set')
  } catch (error) {
    breakOff(client, error)
  } finally {
    upstream?.socket.destroy()
    await client.finish()
  }
}

async function handshake(
  client: Client,
  upstream: Upstream,
  faults: FaultSettings,
  context: ServerContext,
): Promise<void> {
  const greeting = serverGreeting(upstream.greeting, faults)
  client.channel.write(encodeGreeting(greeting))
  let { payload } = await client.read()
  if (isSslRequest(payload) && faults.tls === undefined) {
    await client.startTls(context.certificates[faults.certificate ?? 'valid'])
    if (faults.hang === 'after-tls') return client.hang()
    payload = (await client.read()).payload
  }
  client.phase = 'auth'
  const response = decodeHandshakeResponse(payload)
  const { user } = response
  const attempt = { connection: client.connection, user, during: 'login', faults } as const
  let token = unaskedToken(response)
  if (!client.encrypted && faults.tls === undefined) {
    if (token !== undefined) recordToken({ ...attempt, token }, false, context.log)
    return sendAway(client, attempt, context)
  }
  const isIam = await isIamUser(user, client, context)
  if (isIam === undefined) return
  if (isIam) token ??= await askForToken(client, greeting)
  const capabilities = (greeting.capabilities & response.capabilities & ~Capability.SSL) >>> 0
  const admission = isIam ? admit : admitByPassword
  const session = await admission({ ...attempt, token: token ?? '' }, client, context, (answering) =>
    logInUpstream(upstream, response, answering, capabilities),
  )
  if (session === undefined) return
  client.phase = 'session'
  client.channel.write(session.ok)
  await relaySession(
    { client, greeting, upstreamGreeting: upstream.greeting, capabilities, faults },
    session,
    context,
  )
}

/**
 * Sends the error that requires TLS.
 *
 * @see https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_secure_transport_required
 */
function sendAway(
  client: Client,
  { connection, user }: Omit<LoginAttempt, 'token'>,
  { log }: Gatekeeper,
): void {
  log.record({ type: 'plaintext', connection, user })
  const message = 'Connections using insecure transport are prohibited while --require_secure_transport=ON.'
  client.fail({ errno: 3159, sqlState: 'HY000', message })
}

/** Ends a connection whose client sent an invalid packet, or left. */
function breakOff(client: Client, error: unknown): void {
  const { code, message, cause } = error as Error & { code?: string }
  if (error instanceof WireError && code !== 'ERR_WIRE_CLOSED' && client.phase !== 'tls') {
    client.fail({ errno: 1043, sqlState: '08S01', message: 'Bad handshake' }, code)
  } else if (code === 'ERR_WIRE_CLOSED' || code === 'ABORT_ERR') {
    client.destroy('client', (cause as { code?: string } | undefined)?.code)
  } else client.destroy('client', code ?? message)
}
