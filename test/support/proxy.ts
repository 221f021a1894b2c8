import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Reactions of a proxy to what happens on one side of it. */
interface Passing {
  /** Passes on `bytes` of one side to `onto`. */
  readonly said: (bytes: Buffer, onto: Socket, isAnswer: boolean) => void
  /** One side closed its connection. @defaultValue closes `onto` */
  readonly left?: (onto: Socket) => void
}

/** Starts a proxy to the server at `to` on loopback. */
export async function startProxy(
  to: number,
  { said, left = (onto) => onto.destroy() }: Passing,
): Promise<AsyncDisposable & { readonly port: number }> {
  const sockets = new Set<Socket>()
  const server = createServer((near) => {
    const far = connect(to, '127.0.0.1')
    for (const [from, onto] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.setNoDelay(true)
      from.on('data', (bytes) => said(bytes, onto, from === far))
      from.on('close', () => left(onto))
      // It closes then.
      from.on('error', () => {})
    }
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await once(server.close(), 'close')
    },
  }
}

/** Starts a proxy that delays by `delayMs` in each direction, as a server on another continent does. */
export function startDelayingProxy(to: number, delayMs: number): ReturnType<typeof startProxy> {
  return startProxy(to, {
    said: (bytes, onto) => setTimeout(() => onto.writable && onto.write(bytes), delayMs),
  })
}

/**
 * Starts a proxy to the server at `to` on loopback that is a line: each segment takes `oneWayMs`, and some come late,
 * as a segment does that was lost and sent again. Those behind a late one wait for it.
 *
 * @param lateMs - returns how much later than others the next segment comes
 */
export function startLine(
  to: number,
  { oneWayMs, lateMs }: { readonly oneWayMs: number; readonly lateMs: () => number },
): ReturnType<typeof startProxy> {
  const arrivals = new WeakMap<Socket, number>()
  const deliver = (onto: Socket, atMs: number, work: () => void) => {
    const arrivesAt = Math.max(arrivals.get(onto) ?? 0, atMs)
    arrivals.set(onto, arrivesAt)
    setTimeout(work, arrivesAt - performance.now())
  }
  return startProxy(to, {
    said: (bytes, onto) =>
      deliver(onto, performance.now() + oneWayMs + lateMs(), () => onto.writable && onto.write(bytes)),
    left: (onto) => deliver(onto, performance.now() + oneWayMs, () => onto.end()),
  })
}

/** Starts a proxy to the server at `to` on loopback that can stop delivering: no byte, no end, no reset. */
export async function startSilenceableProxy(to: number) {
  let isSilent = false
  const proxy = await startProxy(to, {
    said: (bytes, onto) => isSilent || onto.write(bytes),
    left: (onto) => isSilent || onto.destroy(),
  })
  return Object.assign(proxy, {
    fallSilent: () => {
      isSilent = true
    },
  })
}
