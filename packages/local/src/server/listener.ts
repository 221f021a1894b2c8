import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { LocalAuroraError } from '../errors.ts'
import type { Faults } from '../faults/faults.ts'
import { cutAfter } from '../faults/truncating-stream.ts'
import { AcceptGate } from './accept-gate.ts'
import { type ServerConnection, serveConnection } from './connection.ts'
import type { ServerContext } from './context.ts'

/** Listener for MySQL clients. */
export interface Listener {
  readonly port: number
  /** Number of open connections. */
  readonly openConnections: number
  /** Breaks every open connection and returns how many there were. */
  drop(): number
  /** Makes new connections wait until {@link Listener.resume}, and breaks every open one. */
  pause(onArrival: () => void): void
  /** Serves the connections that wait because of {@link Listener.pause}. */
  resume(): void
  /**
   * Refuses new connections and breaks every open one until `work` is done.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`: another program took the port meanwhile
   */
  closedDuring(work: () => Promise<void>): Promise<void>
  /** Stops listening, breaks every connection and waits until all of them have ended. */
  close(): Promise<void>
}

/** Address to listen on. */
export interface ListenAddress {
  readonly host: string
  /** 0 for any that is free. */
  readonly port: number
}

// While there is no listener the system may give the port to another program, usually for a moment.
const LISTEN_AGAIN_TRIES = 20
const LISTEN_AGAIN_EVERY_MS = 100

/**
 * Listens for MySQL clients. Neither the listener nor a connection keeps the process alive.
 *
 * @param context - Given the port, because tokens are verified for it.
 */
export async function startListener(
  address: ListenAddress,
  faults: Faults,
  context: (port: number) => Omit<ServerContext, 'faults'>,
): Promise<Listener> {
  const open = new Set<ServerConnection>()
  let onArrival = (): void => {}
  let count = 0
  let isClosed = false
  let shared: ServerContext | undefined

  const serve = (socket: Socket): void => {
    if (shared === undefined) {
      socket.destroy()
      return
    }
    const { cutAfterBytes } = faults.current
    const stream = cutAfterBytes === undefined ? socket.unref() : cutAfter(socket.unref(), cutAfterBytes)
    count += 1
    const remoteAddress = socket.remoteAddress ?? 'unknown'
    const connection = serveConnection({ stream, connection: count, remoteAddress }, shared)
    open.add(connection)
    void connection.finished.then(() => open.delete(connection))
  }
  const gate = new AcceptGate(serve, (reasons) => reasons.has('paused') && onArrival())
  const drop = (): number => {
    const connections = open.size + gate.waiting
    for (const connection of open) connection.drop()
    gate.drop()
    return connections
  }
  faults.attach({
    drop,
    hold() {
      gate.close('blackhole')
      for (const connection of open) connection.hold()
    },
    release() {
      for (const connection of open) connection.release()
      gate.open('blackhole')
    },
    closeIdle: (idleMs) => [...open].filter((connection) => connection.closeIdle(idleMs)).length,
  })
  const server = createServer({ noDelay: true }, (socket: Socket) => gate.arrive(socket))
  const listen = async (on: number) => {
    await once(server.listen(on, address.host), 'listening')
    server.unref()
    return (server.address() as AddressInfo).port
  }
  const listenAgain = async () => {
    for (let tries = 1; !isClosed; tries++) {
      try {
        await listen(port)
        // It was closed while the address was looked up. A server can be closed only once it listens.
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
  shared = Object.assign(context(port), { faults })

  return {
    port,
    get openConnections() {
      return open.size
    },
    drop,
    pause(listener) {
      onArrival = listener
      gate.close('paused')
      drop()
    },
    resume: () => gate.open('paused'),
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
      // Connections do not keep the process alive, but a caller waits for their end.
      const waiting = setInterval(() => {}, 1_000)
      await Promise.all([...open].map(({ finished }) => finished))
      clearInterval(waiting)
    },
  }
}
