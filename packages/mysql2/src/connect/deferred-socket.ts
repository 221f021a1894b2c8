import { Socket } from 'node:net'
import { GreetingGuard, type LoginAttempt } from '@aurora-iam/core/adapter'
import { replyIn } from './server-reply.ts'

/** Socket that is connected later, once the login has its permit: mysql2 may close it before that. */
export class DeferredSocket extends Socket {
  readonly #guard = new GreetingGuard()
  #login: LoginAttempt | undefined
  /** Bytes that the server sent in clear, until the login is over: a greeting, or an error in its place. */
  #greeting: Buffer[] = []
  /** Bytes that the driver must not see before the login has a permit again. */
  #held: Array<Buffer | null> | undefined

  /** Sets the login that this socket is opened for. */
  follow(login: LoginAttempt): void {
    this.#login = login
    login.onEnd(() => {
      this.#greeting = []
    })
  }

  /** Returns the error that the server sent in place of a greeting. */
  get refusal(): Error | undefined {
    return replyIn(Buffer.concat(this.#greeting))?.error
  }

  /**
   * Destroys a socket that is ended before it is connected. mysql2's `destroy()` only ends its stream (assumption 1 of
   * `mysql2-internals.ts`), which Node postpones until then. A connection that was closed would go on waiting for its
   * permit, and then log in.
   */
  override _final(callback: (error?: Error | null) => void): void {
    if (this.pending) this.destroy()
    else super._final(callback)
  }

  /** Receives what arrives in clear. What TLS carries does not pass here. */
  override push(chunk: Buffer | null): boolean {
    const refusal = chunk === null ? undefined : this.#guard.check(chunk)
    if (refusal) {
      this.destroy(refusal)
      return false
    }
    if (this.#held) {
      this.#held.push(chunk)
      return true
    }
    if (chunk === null) return super.push(chunk)
    const permit = this.#greeting.length === 0 ? this.#login?.confirmPermit() : undefined
    this.#greeting.push(chunk)
    if (!permit) return super.push(chunk)
    this.#hold(chunk, permit)
    return true
  }

  #hold(chunk: Buffer, permit: Promise<void>): void {
    const held: Array<Buffer | null> = [chunk]
    this.#held = held
    permit.then(
      () => {
        this.#held = undefined
        // TLS must not begin on the greeting of a server that has closed meanwhile: mysql2 would end a stream without a
        // handle, and throw the error of that at the process. An error in place of the greeting is passed on.
        const isClosed = held.at(-1) === null && !this.refusal
        for (const chunk of isClosed ? [null] : held) super.push(chunk)
      },
      (error) => this.destroy(error),
    )
  }
}
