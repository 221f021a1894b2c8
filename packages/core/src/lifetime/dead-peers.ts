import type { Socket } from 'node:net'
import { DEAD_PEER_LOOK_MS, DEAD_PEER_MS } from '../timings.ts'
import { type KernelTimer, kernelTimerOf } from './kernel-timer.ts'

interface Watched {
  bytesRead: number
  bytesWritten: number
  /** When the first data was written after which nothing was read; undefined while the peer answers. */
  unansweredSince: number | undefined
}

// With the kernel's first retransmission after 200 ms and a doubled pause each time, the sixth is sent after 13 s.
const ENOUGH_RETRANSMITS = 6

/**
 * Watch for peers that vanished while data was under way to them. Keep-alive does not notice those: the kernel sends the
 * data again for some 15 minutes first, and Node cannot set `TCP_USER_TIMEOUT`.
 *
 * One timer looks at all sockets. It costs nothing for a read or a write. A peer that is slow, or that takes no more data
 * (a closed window), acknowledges, and is left alone.
 */
export class DeadPeers {
  readonly #sockets = new Map<Socket, Watched>()
  readonly #timerOf: (socket: Socket) => Promise<KernelTimer | undefined>
  #timer: NodeJS.Timeout | undefined

  /** @param timerOf - for tests. @defaultValue kernelTimerOf */
  constructor(timerOf: (socket: Socket) => Promise<KernelTimer | undefined> = kernelTimerOf) {
    this.#timerOf = timerOf
  }

  /** Watches a connected socket until it closes. A peer that vanished ends it with an `ETIMEDOUT` error. */
  watch(socket: Socket): void {
    const { bytesRead, bytesWritten } = socket
    this.#sockets.set(socket, { bytesRead, bytesWritten, unansweredSince: undefined })
    socket.once('close', () => this.#sockets.delete(socket))
    this.#timer ??= setInterval(() => this.#look(performance.now()), DEAD_PEER_LOOK_MS).unref()
  }

  #look(now: number): void {
    if (this.#sockets.size === 0) {
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    for (const [socket, watched] of this.#sockets) {
      const isAnswered = socket.bytesRead > watched.bytesRead || socket.bytesWritten === watched.bytesWritten
      if (isAnswered) {
        watched.bytesRead = socket.bytesRead
        watched.bytesWritten = socket.bytesWritten
        watched.unansweredSince = undefined
        continue
      }
      watched.unansweredSince ??= now
      if (now - watched.unansweredSince >= DEAD_PEER_MS) void this.#judge(socket)
    }
  }

  async #judge(socket: Socket): Promise<void> {
    const timer = await this.#timerOf(socket)
    if (timer?.kind === 'retransmit' && timer.retransmits >= ENOUGH_RETRANSMITS)
      socket.destroy(vanished(socket))
  }
}

/** Watch for all sockets of this copy of the package. */
export const deadPeers = new DeadPeers()

function vanished({ remoteAddress, remotePort }: Socket): Error {
  return Object.assign(
    new Error(
      `read ETIMEDOUT: ${remoteAddress}:${remotePort} acknowledged no data for ${DEAD_PEER_MS / 1000} s`,
    ),
    { code: 'ETIMEDOUT', syscall: 'read' },
  )
}
