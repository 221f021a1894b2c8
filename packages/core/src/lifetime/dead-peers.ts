import type { Socket } from 'node:net'
import { DEAD_PEER_MS } from '../timings.ts'
import { type KernelTimer, kernelTimerOf } from './kernel-timer.ts'
import { SocketLooks } from './socket-looks.ts'

interface Watched {
  bytesRead: number
  bytesWritten: number
  /** Since when nothing was read, while data may be under way; Infinity once the kernel knows of none. */
  unansweredSince: number
}

// With the kernel's first retransmission after 200 ms and a doubled pause each time, the sixth is sent after 13 s.
const ENOUGH_RETRANSMITS = 6

/**
 * Watch for peers that vanished while data was under way to them. Keep-alive does not notice those: the kernel sends
 * the data again for some 15 minutes first, and Node cannot set `TCP_USER_TIMEOUT`.
 *
 * It costs nothing for a read or a write. A peer that is slow, or that takes no more data (a closed window),
 * acknowledges, and is left alone.
 */
export class DeadPeers {
  readonly #sockets = new SocketLooks<Watched>((socket, watched, now) => this.#look(socket, watched, now))
  readonly #timerOf: (socket: Socket) => Promise<KernelTimer | undefined>

  /** @param timerOf - for tests. @defaultValue kernelTimerOf */
  constructor(timerOf: (socket: Socket) => Promise<KernelTimer | undefined> = kernelTimerOf) {
    this.#timerOf = timerOf
  }

  /** Watches a connected socket until it closes. A peer that vanished ends it with an `ETIMEDOUT` error. */
  watch(socket: Socket): void {
    const { bytesRead, bytesWritten } = socket
    this.#sockets.add(socket, { bytesRead, bytesWritten, unansweredSince: Infinity })
  }

  #look(socket: Socket, watched: Watched, now: number): void {
    const { bytesRead, bytesWritten } = socket
    // The last data may have been written after what was read: two counts between two looks do not tell their order.
    if (bytesRead > watched.bytesRead) watched.unansweredSince = now
    else if (bytesWritten > watched.bytesWritten) {
      watched.unansweredSince = Math.min(watched.unansweredSince, now)
    }
    watched.bytesRead = bytesRead
    watched.bytesWritten = bytesWritten
    if (now - watched.unansweredSince >= DEAD_PEER_MS) void this.#judge(socket, watched)
  }

  async #judge(socket: Socket, watched: Watched): Promise<void> {
    const { unansweredSince } = watched
    const timer = await this.#timerOf(socket)
    if (timer?.kind === 'retransmit') {
      if (timer.retransmits >= ENOUGH_RETRANSMITS) socket.destroy(vanished(socket))
    } else if (timer?.kind !== 'other' && watched.unansweredSince === unansweredSince) {
      // Everything was acknowledged: the kernel is not asked again before the next data.
      watched.unansweredSince = Infinity
    }
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
