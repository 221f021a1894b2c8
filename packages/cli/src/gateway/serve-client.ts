import type { SecureContext } from 'node:tls'
import { type AdapterIam, type ConnectionTarget, linkSignals } from '@aurora-iam/core/adapter'
import { type Session, WireError } from '@aurora-iam/wire'
import { authenticateClient, ClientRejected, type GatewayAccount } from './authenticate-client.ts'
import type { GatewayClient } from './client.ts'
import { clientErrorFor } from './client-error.ts'
import type { GatewayEvent } from './gateway-events.ts'
import type { LoginPlace } from './login-places.ts'
import { greetingFor, relayedCapabilities } from './server-greeting.ts'
import { relaySession } from './session.ts'
import type { SpareUpstream } from './spare-upstream.ts'
import { type SessionWish, Upstream } from './upstream.ts'
import type { WrongPasswords } from './wrong-passwords.ts'

/** State that all connections of one gateway share. */
export interface GatewayContext {
  readonly iam: AdapterIam
  readonly target: ConnectionTarget
  readonly account: GatewayAccount
  readonly tls: SecureContext | undefined
  readonly allowsLocalInfile: boolean
  readonly wrongPasswords: WrongPasswords
  readonly spare: SpareUpstream
  /** Aborts when the gateway closes: no connection is opened after that. */
  readonly closing: AbortSignal
  readonly report: (event: GatewayEvent) => void
}

/** https://dev.mysql.com/doc/mysql-errors/8.0/en/server-error-reference.html#error_er_handshake_error */
const BAD_HANDSHAKE = { errno: 1043, sqlState: '08S01', message: 'Bad handshake' }

/**
 * Serves a client from the greeting to the end. It never rejects. The place is left once the client has a session, or
 * is known to get none.
 */
export async function serveClient(
  client: GatewayClient,
  context: GatewayContext,
  place: LoginPlace,
): Promise<void> {
  const startedAt = performance.now()
  const elapsedMs = (): number => performance.now() - startedAt
  const { report, spare, wrongPasswords } = context
  const { address } = client
  const { signal, unlink } = linkSignals([client.closed, context.closing])
  const open = () => Upstream.open(context.iam, context.target, client.closed, context.closing)
  report({ type: 'connect', client: address })
  // Opened before the greeting, so that the client gets the connection id that KILL takes.
  const opened = await takeOrOpen(spare, open)
  let unused = opened instanceof Upstream ? opened : undefined
  let upstream: Upstream | undefined
  try {
    const { tls, account, allowsLocalInfile } = context
    const greeting = greetingFor(unused?.greeting, { offersTls: tls !== undefined, allowsLocalInfile })
    place.greet({
      yieldPlace() {
        // Not for the next client: the id in the greeting of this one would be that of another session.
        unused?.discard()
        unused = undefined
      },
      close: () => client.destroy(),
    })
    const response = await authenticateClient(client, greeting, { account, tls }).catch(rethrowAsRejected)
    await place.keep(client.closed)
    // A client that failed to authenticate gets no facts about the database.
    if (opened instanceof Error) throw opened
    const capabilities = (greeting.capabilities & response.capabilities) >>> 0
    const wish: SessionWish = {
      capabilities: relayedCapabilities(capabilities),
      database: response.database || undefined,
      collation: response.collation,
      attributes: response.attributes,
    }
    // A slow client: the database would close the connection during the login.
    if (unused?.isFresh === false) {
      unused.discard()
      unused = undefined
    }
    const session = await context.iam.retryRejected(async (): Promise<Session> => {
      const next = unused ?? (await open())
      unused = undefined
      upstream = next
      return next.logIn(wish, signal)
    })
    place.end()
    report({ type: 'login', client: address, durationMs: elapsedMs() })
    client.channel.write(session.ok)
    const { by } = await relaySession({
      client,
      upstream: upstream as unknown as Upstream,
      session,
      capabilities,
      account,
    })
    report({ type: 'close', client: address, by, durationMs: elapsedMs() })
  } catch (error) {
    if (unused !== undefined) spare.put(unused)
    unused = undefined
    // The rejection can take long: wrong passwords are delayed, and the client may be slow.
    place.end()
    await reject(error as Error)
  } finally {
    unlink()
    unused?.discard()
    upstream?.destroy()
    client.destroy()
  }

  async function reject(error: Error): Promise<void> {
    if (error instanceof ClientRejected) {
      const { isAccessDenied, message: reason, packet } = error
      report({ type: 'rejected', client: address, reason, isAccessDenied })
      if (isAccessDenied) await wrongPasswords.delay(client.closed)
      return client.fail(packet)
    }
    if (client.closed.aborted) {
      return report({ type: 'close', client: address, by: 'client', durationMs: elapsedMs() })
    }
    const packet = clientErrorFor(error)
    report({ type: 'failed', client: address, reason: packet.message })
    return client.fail(packet)
  }
}

/** Rethrows an invalid packet as a rejection of the client. A client that left is not rejected. */
function rethrowAsRejected(error: Error): never {
  if (error instanceof WireError && error.code !== 'ERR_WIRE_CLOSED') throw new ClientRejected(BAD_HANDSHAKE)
  throw error
}

async function takeOrOpen(spare: SpareUpstream, open: () => Promise<Upstream>): Promise<Upstream | Error> {
  try {
    return spare.take() ?? (await open())
  } catch (error) {
    return error as Error
  }
}
