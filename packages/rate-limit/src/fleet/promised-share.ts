import type { CompleteOptions } from '../limiter-options.ts'
import type { Instant } from './leases.ts'

/** A share that was promised longer ago may belong to another process; the store forgets it a little later. */
const validMs = 50_000

/** Share of the limit that the store promised to this process, for the time when it cannot be reached. */
export class PromisedShare {
  readonly #options: CompleteOptions
  #permits = 0
  #promisedAt: Instant | undefined

  constructor(options: CompleteOptions) {
    this.#options = options
  }

  /** Stores the promise in a reply to a request of `sent`. */
  update(permits: number, sent: Instant): void {
    this.#permits = permits
    this.#promisedAt = sent
  }

  /**
   * Returns the share that this process counts with.
   *
   * @param isInUse - whether degraded mode uses it: what the process uses now, it uses until the store replies
   * otherwise.
   */
  at({ now, wall }: Instant, isInUse: boolean): number {
    const promisedAt = this.#promisedAt
    if (this.#options.onStoreLost !== 'share' || promisedAt === undefined) return 0
    const isValid = now - promisedAt.now <= validMs && wall - promisedAt.wall <= validMs
    return isValid || isInUse ? this.#permits : 0
  }

  /** Returns how many permits per interval of `limit` this process may use when the store is lost at `instant`. */
  degradedLimit(limit: number, instant: Instant): number {
    const { share, onStoreLost } = this.#options
    if (onStoreLost === 'fail-open') return limit
    if (onStoreLost === 'fail-closed') return 0
    if (this.#promisedAt !== undefined) return Math.min(limit, this.at(instant, false))
    return share === undefined ? 0 : Math.floor(limit / share.processes)
  }
}
