import type { Socket } from 'node:net'
import { SOCKET_LOOK_MS } from '../timings.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

/**
 * Looks at open sockets in an interval. One timer serves all of them, and a socket needs no listener for it. The timer
 * does not keep the process alive.
 */
export class SocketLooks<State> {
  // Weak, so that a closed socket is not kept until the next look.
  readonly #states = new Map<WeakRef<Socket>, State>()
  readonly #look: (socket: Socket, state: State, now: number) => void
  #timer: NodeJS.Timeout | undefined

  /** @param look - called with each open socket, its state and the time on the monotonic clock */
  constructor(look: (socket: Socket, state: State, now: number) => void) {
    this.#look = look
  }

  /** Adds a socket until it closes. `state` must not refer to it. */
  add(socket: Socket, state: State): void {
    this.#states.set(new WeakRef(socket), state)
    this.#timer ??= setInterval(() => this.#lookAtAll(monotonicMs()), SOCKET_LOOK_MS).unref()
  }

  #lookAtAll(now: number): void {
    for (const [reference, state] of this.#states) {
      const socket = reference.deref()
      if (!socket || socket.destroyed) this.#states.delete(reference)
      else this.#look(socket, state, now)
    }
    if (this.#states.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
