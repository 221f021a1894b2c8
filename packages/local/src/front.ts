import { createServer, type Socket } from 'node:net'
import { Faults } from './faults.ts'
import { type FrontConnection, serveConnection } from './front-connection.ts'
import { cutAfter } from './front-cut.ts'
import type { FrontServices } from './front-services.ts'

/** A listening front. */
export interface Front {
  readonly port: number
  readonly faults: Faults
  /** How many connections are open now. */
  readonly openConnections: number
  /** Refuses new connections and breaks every open one until `work` is done. */
  closedDuring(work: () => Promise<void>): Promise<void>
  /** Stops listening, breaks every connection and resolves when nothing is left of them. */
  close(): Promise<void>
}

/** Where a front listens. */
export interface FrontAddress {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

/**
 * Listens for MySQL clients. Neither the listener nor a connection keeps the process alive.
 *
 * @param services - Given the port, because tokens are verified for it.
 */
export async function startFront(
  address: FrontAddress,
  services: (port: number) => Omit<FrontServices, 'faults'>,
): Promise<Front> {
  const open = new Set<FrontConnection>()
  const drop = (): number => {
    for (const connection of open) connection.drop()
    return open.size
  }
  const faults = new Faults(drop)
  let count = 0
  let isClosed = false
  let shared: FrontServices | undefined

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
  const listen = (on: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject)
      server.listen(on, address.host, () => {
        server.off('error', reject).unref()
        resolve((server.address() as { port: number }).port)
      })
    })
  const port = await listen(address.port)
  shared = { ...services(port), faults }

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
        if (!isClosed) await listen(port)
      }
    },
    async close() {
      isClosed = true
      server.close()
      drop()
      // What is left of connections keeps nobody alive; whoever waits for their end must live to see it.
      const waiting = setInterval(() => {}, 1_000)
      await Promise.all([...open].map(({ finished }) => finished))
      clearInterval(waiting)
    },
  }
}
