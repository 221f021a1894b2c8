import { Socket } from 'node:net'
import { GreetingGuard } from '@aurora-iam/core'

/**
 * The socket under a connection of mariadb. What a server says before TLS may come from anybody: it is read no further
 * than the greeting, and what mariadb throws at a greeting that it cannot read ends this connection, not the process.
 */
export class GuardedSocket extends Socket {
  readonly #guard = new GreetingGuard()

  /** Takes what arrives in clear; what TLS carries does not come by here. */
  override push(chunk: Buffer | null): boolean {
    const refusal = chunk === null ? undefined : this.#guard.check(chunk)
    if (!refusal) return super.push(chunk)
    this.#fail(refusal)
    return false
  }

  override emit(event: string | symbol, ...args: unknown[]): boolean {
    if (event !== 'data') return super.emit(event, ...args)
    try {
      return super.emit(event, ...args)
    } catch (error) {
      this.#fail(unreadable(error))
      return true
    }
  }

  // Whether mariadb listens for an error depends on how far it came; for the end it always does.
  #fail(error: Error): void {
    if (this.listenerCount('error') > 0) this.destroy(error)
    else {
      this.emit('end')
      this.destroy()
    }
  }
}

/** In the shape of Node's own errors of the network. */
function unreadable(cause: unknown): Error {
  const error = new Error('What answers there does not greet as a MySQL server does.', { cause })
  return Object.assign(error, { code: 'EPROTO', syscall: 'read' })
}
