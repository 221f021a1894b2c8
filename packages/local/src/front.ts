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
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(address.port, address.host, () => resolve((server.address() as { port: number }).port))
  })
  server.unref()
  shared = { ...services(port), faults }

  return {
    port,
    faults,
    get openConnections() {
      return open.size
    },
    async close() {
      server.close()
      drop()
      await Promise.all([...open].map(({ finished }) => finished))
    },
  }
}
