import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What a proxy does with what happens on one side of it. */
interface Passing {
  /** One side said `bytes`, for `onto`. */
  readonly said: (bytes: Buffer, onto: Socket, isAnswer: boolean) => void
  /** One side closed its connection. @defaultValue closes `onto` */
  readonly left?: (onto: Socket) => void
}

/** A way to the server at `to` on loopback. */
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

/** A way to a server on loopback that takes `delayMs` in each direction, as one to another continent does. */
export function startDelayingProxy(to: number, delayMs: number): ReturnType<typeof startProxy> {
  return startProxy(to, {
    said: (bytes, onto) => setTimeout(() => onto.writable && onto.write(bytes), delayMs),
  })
}
