import { once, setMaxListeners } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { createSecureContext } from 'node:tls'
import type { AdapterIam, ConnectionTarget } from '@aurora-iam/core/adapter'
import { encodeErr } from '@aurora-iam/wire'
import type { GatewayAccount } from './authenticate-client.ts'
import { GatewayClient } from './client.ts'
import { TOO_MANY_CONNECTIONS } from './client-error.ts'
import type { GatewayEvent } from './gateway-events.ts'
import { type ListenAddress, listen } from './listen.ts'
import { LoginPlaces } from './login-places.ts'
import { type GatewayContext, serveClient } from './serve-client.ts'
import { SpareUpstream } from './spare-upstream.ts'
import { BUFFER_BYTES, Upstream } from './upstream.ts'
import { WrongPasswords } from './wrong-passwords.ts'

/** Options of {@link startGateway}. */
export interface GatewayOptions {
  readonly iam: AdapterIam
  /** The database, as `iam.resolve` returned it. */
  readonly target: ConnectionTarget
  /** User and password that clients log in with. */
  readonly account: GatewayAccount
  /** Where to listen: one address or more. */
  readonly listen: readonly ListenAddress[]
  /** Certificate chain and key in PEM. Clients must then use TLS. @defaultValue clients connect in the clear */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined
  /**
   * Connections at one time. The next client takes the place of one that has sent no login for a second; without such a
   * client it gets 1040. @defaultValue 1000
   */
  readonly maxConnections?: number | undefined
  /**
   * Most clients that log in at one time. The others wait, and nothing is read from them. Each login holds a connection
   * that the database closes 10 seconds after its greeting (`connect_timeout`). On a busy machine a login takes tens of
   * milliseconds, and all of these must be done before that. A client that sends no login yields its place after a
   * second, if another one waits. @defaultValue 64
   */
  readonly maxPendingLogins?: number | undefined
  /** True if LOAD DATA LOCAL INFILE is relayed. @defaultValue false */
  readonly allowsLocalInfile?: boolean | undefined
  /** Called for each event. @defaultValue none */
  readonly onEvent?: ((event: GatewayEvent) => void) | undefined
}

/** MySQL server on this machine whose sessions are those of an Aurora user. */
export interface Gateway {
  /** The addresses it listens on, in the order of the options, with the ports that were free. */
  readonly addresses: readonly ListenAddress[]
  /** Connections that are open now. */
  readonly connections: number
  /** Time of the last login to the database that succeeded; undefined before the first. */
  readonly lastLoginAt: Date | undefined
  /** Opens a session with the database and closes it. @throws the error of the database or of the network */
  probe(signal: AbortSignal): Promise<void>
  /**
   * Stops listening, waits up to `drainMs` milliseconds for open sessions to end, and destroys the others. A second
   * call with 0 destroys them at once.
   */
  close(drainMs?: number): Promise<void>
}

/** Length of the queue of the listener: more than a thousand clients may arrive at once. */
const BACKLOG = 4096

/**
 * Starts a gateway. Each of its connections logs in to the database with a live token, over verified TLS, with a
 * permit.
 *
 * @throws CommandError for an address that cannot be listened on
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { iam, target, account, allowsLocalInfile = false } = options
  const { maxConnections = 1000, maxPendingLogins = 64 } = options
  const closing = new AbortController()
  // Each client that logs in adds a listener, and their number has no limit.
  setMaxListeners(0, closing.signal)
  const open = new Map<GatewayClient, Promise<void>>()
  const pending = new LoginPlaces(maxPendingLogins)
  let lastLoginAt: Date | undefined
  const context: GatewayContext = {
    iam,
    target,
    account,
    allowsLocalInfile,
    // Node's default, 1.2, is the minimum of Aurora as well.
    tls: options.tls && createSecureContext({ ...options.tls, minVersion: 'TLSv1.2' }),
    wrongPasswords: new WrongPasswords(),
    spare: new SpareUpstream(),
    closing: closing.signal,
    report(event) {
      if (event.type === 'login') lastLoginAt = new Date()
      options.onEvent?.(event)
    },
  }

  const accept = (socket: Socket): void => {
    if (closing.signal.aborted) return void socket.destroy()
    const client = new GatewayClient(socket)
    if (open.size >= maxConnections && !pending.closeSilent()) {
      context.report({ type: 'rejected', client: client.address, reason: 'too many', isAccessDenied: false })
      refuse(client)
      return
    }
    const served = serveInTurn(client).finally(() => open.delete(client))
    open.set(client, served)
  }
  const serveInTurn = async (client: GatewayClient): Promise<void> => {
    const place = await pending.enter(client.closed)
    try {
      if (!client.closed.aborted) await serveClient(client, context, place)
    } finally {
      place.end()
      client.destroy()
    }
  }

  const servers: Server[] = []
  const addresses: ListenAddress[] = []
  try {
    for (const address of options.listen) {
      const server = createServer({ noDelay: true, keepAlive: true, highWaterMark: BUFFER_BYTES }, accept)
      addresses.push(await listen(server, address, BACKLOG))
      servers.push(server)
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }

  let closed: Promise<void> | undefined
  return {
    addresses,
    get connections() {
      return open.size
    },
    get lastLoginAt() {
      return lastLoginAt
    },
    async probe(signal) {
      await iam.retryRejected(async () => {
        const upstream = await Upstream.open(iam, target, signal, closing.signal)
        const wish = { capabilities: 0, database: undefined, collation: 45, attributes: undefined }
        await upstream.logIn(wish, signal)
        upstream.destroy()
      })
      lastLoginAt = new Date()
    },
    close(drainMs = 0) {
      if (closed !== undefined && drainMs === 0) breakAll()
      closed ??= closeAll(drainMs)
      return closed
    },
  }

  async function closeAll(drainMs: number): Promise<void> {
    const ended = Promise.all(servers.map((server) => once(server.close(), 'close')))
    const timer = setTimeout(breakAll, drainMs)
    // Node emits `close` of a listener once its connections have ended.
    await ended
    clearTimeout(timer)
    closing.abort()
    context.spare.clear()
    await Promise.all(open.values())
  }

  function breakAll(): void {
    closing.abort()
    for (const client of open.keys()) client.destroy()
  }
}

/** Answers with 1040 in place of the greeting. */
function refuse(client: GatewayClient): void {
  client.channel.write(encodeErr(TOO_MANY_CONNECTIONS))
  client.stream.end()
  setTimeout(() => client.destroy(), 1_000).unref()
}
