import { Socket } from 'node:net'
import { AuroraIamError } from '@aurora-iam/core'

/** A packet begins with its length, in so many bytes, and its number. */
const LENGTH_BYTES = 3
const HEADER_BYTES = LENGTH_BYTES + 1

/** Greetings, and the errors in place of one, have a few hundred bytes. */
const MAX_GREETING_BYTES = 0xff_ff

/** The socket of a connection that waits for its place: mysql2 may give it up before it is connected. */
export class WaitingSocket extends Socket {
  #received = 0
  #greetingBytes = 0

  /**
   * mysql2's `destroy()` only ends its stream. Node puts that off until the socket is connected, so whoever gave up
   * would go on waiting for a place, and then log in.
   */
  override _final(callback: (error?: Error | null) => void): void {
    if (this.pending) this.destroy()
    else super._final(callback)
  }

  /**
   * Takes what arrives in clear; what TLS carries does not come by here. mysql2 believes every packet that came with
   * the greeting, before TLS has begun: that the login was accepted, and what a query answered.
   */
  override push(chunk: Buffer | null): boolean {
    if (chunk === null || this.#isGreeting(chunk)) return super.push(chunk)
    this.destroy(
      new AuroraIamError(
        'ERR_AURORA_IAM_TLS_REQUIRED',
        'What answers there sent more than the greeting of a MySQL server before TLS. It was not believed, and no token was sent. Check that `host` and `port` lead to the database, with nothing in between that speaks for it.',
      ),
    )
    return false
  }

  #isGreeting(chunk: Buffer): boolean {
    for (let i = 0; i < chunk.length && this.#received + i < LENGTH_BYTES; i++) {
      this.#greetingBytes += (chunk[i] as number) * 256 ** (this.#received + i)
    }
    this.#received += chunk.length
    if (this.#received < LENGTH_BYTES) return true
    return this.#greetingBytes <= MAX_GREETING_BYTES && this.#received <= HEADER_BYTES + this.#greetingBytes
  }
}
