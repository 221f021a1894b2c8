import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalAuroraError } from '../errors.ts'
import { Faults } from '../faults/faults.ts'
import { cutAfter } from '../faults/truncating-stream.ts'
import { type ServerConnection, serveConnection } from './connection.ts'
import type { ServerContext } from './context.ts'

/** A listener for MySQL clients. */
export interface Listener {
  readonly port: number
  readonly faults: Faults
  /** Number of open connections. */
  readonly openConnections: number
  /**
   * Refuses new connections and breaks every open one until `work` is done.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`: another program keeps the port since
   */
  closedDuring(work: () => Promise<void>): Promise<void>
  /** Stops listening, breaks every connection and resolves when nothing is left of them. */
  close(): Promise<void>
}

/** Where to listen. */
export interface ListenAddress {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

// Without a listener the system may assign the port to another program, as a rule for a moment only.
const LISTEN_AGAIN_TRIES = 20
const LISTEN_AGAIN_EVERY_MS = 100

/**
 * Listens for MySQL clients. Neither the listener nor a connection keeps the process alive.
 *
 * @param context - Given the port, because tokens are verified for it.
 */
export async function startListener(
  address: ListenAddress,
  context: (port: number) => Omit<ServerContext, 'faults'>,
): Promise<Listener> {
  const open = new Set<ServerConnection>()
  const drop = (): number => {
    for (const connection of open) connection.drop()
    return open.size
  }
  const faults = new Faults(drop)
  let count = 0
  let isClosed = false
  let shared: ServerContext | undefined

  const server = createServer({ noDelay: true }, (socket: Socket) => {
    if (shared === undefined) return socket.destroy()
    const { cutAfterBytes } = faults.current
    const stream = cutAfterBytes === undefined ? socket.unref() : cutAfter(socket.unref(), cutAfterBytes)
    count += 1
    const remoteAddress = socket.remoteAddress ?? 'unknown'
    const connection = serveConnection({ stream, connection: count, remoteAddress }, shared)
    open.add(connection)
    void connection.finished.then(() => open.delete(connection))
  })
  const listen = async (on: number) => {
    await once(server.listen(on, address.host), 'listening')
    server.unref()
    return (server.address() as AddressInfo).port
  }
  const listenAgain = async () => {
    for (let tries = 1; !isClosed; tries++) {
      try {
        await listen(port)
        // Closed while the address was looked up: a server can only be closed once it listens.
        if (isClosed) server.close()
        return
      } catch (cause) {
        if (tries < LISTEN_AGAIN_TRIES) await sleep(LISTEN_AGAIN_EVERY_MS)
        else {
          const message = `port: ${port} was taken by another program while the database restarted`
          throw new LocalAuroraError('ERR_LOCAL_AURORA_DATABASE_FAILED', message, { cause })
        }
      }
    }
  }
  const port = await listen(address.port)
  shared = { ...context(port), faults }

  return {
    port,
    faults,
    get openConnections() {
      return open.size
    },
    async closedDuring(work) {
      server.close()
      drop()
      try {
        await work()
      } finally {
        await listenAgain()
      }
    },
    async close() {
      isClosed = true
      server.close()
      drop()
      // The rest of the connections does not keep the process alive. A caller that waits for their end needs it alive.
      const waiting = setInterval(() => {}, 1_000)
      await Promise.all([...open].map(({ finished }) => finished))
      clearInterval(waiting)
    },
  }
}
