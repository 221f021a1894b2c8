import type { CredentialsEvidence } from '../credentials/credential-cache.ts'
import type { Address, ConnectionTarget } from '../endpoint/connection-target.ts'
import { tokenKey } from '../endpoint/target-key.ts'
import { redact } from '../util/redact.ts'
import { refusalHint } from './access-denied-hint.ts'

/** How the logins so far have ended. */
export class LoginStats {
  readonly #clock: () => number
  /** The clock less the monotonic one, when a login was last accepted. */
  #clockAheadMs: number
  #opened = 0
  #failed = 0
  /** Two of those whom new tokens were refused to, as long as no login was accepted. */
  readonly #refused = new Set<string>()
  #lastError: { code: string | undefined; message: string; at: Date } | undefined

  constructor(clock: () => number) {
    this.#clock = clock
    this.#clockAheadMs = this.#readClockAhead()
  }

  opened(): void {
    this.#opened++
    this.#refused.clear()
    this.#clockAheadMs = this.#readClockAhead()
  }

  failed(error: Error): void {
    this.#failed++
    const { code } = error as { code?: string }
    this.#lastError = { code, message: redact(messageOf(error)), at: new Date() }
  }

  /** Says in the `cause` of the server's own error what to look at, and leaves everything else of it as it is. */
  explain(
    error: Error,
    target: ConnectionTarget,
    dialled: Address | undefined,
    credentials: CredentialsEvidence | undefined,
  ): void {
    if (this.#opened === 0 && this.#refused.size < 2) this.#refused.add(tokenKey(target))
    if (error.cause !== undefined) return
    const value = refusalHint({
      target,
      dialled,
      nowMs: this.#clock(),
      clockMovedMs: this.#readClockAhead() - this.#clockAheadMs,
      accepted: this.#opened,
      isRefusedEverywhere: this.#refused.size > 1,
      credentials,
    })
    Object.defineProperty(error, 'cause', { value, configurable: true, writable: true })
  }

  stats() {
    return {
      connectionsOpened: this.#opened,
      connectionsFailed: this.#failed,
      lastError: this.#lastError,
    }
  }

  #readClockAhead(): number {
    return this.#clock() - performance.now()
  }
}

/** Node's error for a name with several addresses has no message but those of each. */
function messageOf(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message
  return error.errors.map((one) => one?.message).join('; ')
}
