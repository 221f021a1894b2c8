import { type ConnectFailedEvent, type EndpointEvent, publish } from '../diagnostics.ts'
import type { ConnectionTarget } from '../endpoint/connection-target.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'
import type { LoginStats } from './login-stats.ts'

/** Login that is over. */
export interface EndedLogin {
  readonly target: ConnectionTarget
  /** When it began, on the monotonic clock. */
  readonly since: number
  readonly permitId: string | undefined
}

/** Login that failed, and the step that it failed at. */
export interface FailedLogin extends EndedLogin {
  readonly stage: ConnectFailedEvent['stage']
  readonly error: Error
}

/** Reports of the logins: each goes once to the statistics and to the channel. */
export class LoginReports {
  readonly #stats: LoginStats

  constructor(stats: LoginStats) {
    this.#stats = stats
  }

  succeeded({ target, since, permitId }: EndedLogin): void {
    this.#stats.opened()
    publish('connect', () => ({ ...endpointOf(target), permitId, durationMs: monotonicMs() - since }))
  }

  failed({ target, since, permitId, stage, error }: FailedLogin): void {
    this.#stats.failed(error)
    publish('connect-failed', () => ({
      ...endpointOf(target),
      permitId,
      stage,
      error,
      durationMs: monotonicMs() - since,
    }))
  }
}

function endpointOf({ hostname, port, username }: ConnectionTarget): EndpointEvent {
  return { hostname, port, username }
}
