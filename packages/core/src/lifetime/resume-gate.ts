import { AuroraIamError } from '../errors.ts'
import { AWAKE_MS, RESUME_RETRIES, RESUME_RETRY_MS } from '../timings.ts'
import { waitFor } from '../util/abortable.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

/** A shorter time limit of the caller for the whole wait for a connection. */
export interface CallerLimit {
  /** The option that sets it, for the message. */
  readonly option: string
  readonly timeoutMs: number
}

/** The server's end of a login, as far as {@link ResumeGate} knows it. */
export interface GreetingWait {
  /** Longest time from the opening of the socket to the server's first bytes, in milliseconds. */
  readonly timeoutMs: number
  /** Returns the error for a server that sent nothing in that time. */
  timeoutError(): AuroraIamError
  /** Reports that the socket is being opened. */
  connecting(): void
  /** Reports the server's first bytes. */
  greeted(): void
  /** Reports that the login is over. */
  ended(): void
}

/** The logins of one endpoint and queue. */
interface EndpointState {
  /** The logins that went ahead and have not been greeted. True for those whose socket is open. */
  readonly ahead: Map<object, boolean>
  /** Wakes the logins that wait, oldest first. */
  readonly waiting: Set<() => void>
  /** Until then logins need no scout: the server has just greeted one. */
  awakeUntil: number
}

/** Options of {@link ResumeGate.enter}. */
export interface GateEntry {
  /** The endpoint and the queue of the login, as a key. */
  readonly key: string
  /** The endpoint, for messages. */
  readonly endpoint: string
  readonly signals: readonly AbortSignal[]
  readonly callerLimit: CallerLimit | undefined
}

// So that the error of a login comes before that of the caller's pool.
const CALLER_MARGIN_MS = 1_000

/**
 * Gate before a database that may be paused. One login goes ahead as a scout. The others wait until the server has
 * greeted it, and have neither a permit nor a socket meanwhile. The first connection resumes an instance of Aurora
 * Serverless v2, which greets it when it has resumed. Many connections during that time can fail.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html#auto-pause-waking
 */
export class ResumeGate {
  readonly #timeoutMs: number
  readonly #endpoints = new Map<string, EndpointState>()
  readonly #closedEarly = new WeakSet<Error>()

  /** @param timeoutMs - the option `resumeTimeoutMs` */
  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /**
   * Waits until a login may go ahead. Logins go ahead in the order of their calls.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_PAUSED` when the time is over, or the reason of an aborted signal
   */
  async enter(entry: GateEntry): Promise<GreetingWait> {
    const { key, signals, callerLimit } = entry
    const limitMs = Math.min(this.#timeoutMs, callerLimit ? shortened(callerLimit.timeoutMs) : Infinity)
    const deadline = monotonicMs() + limitMs
    const state = this.#stateOf(key)
    const timeoutError = () => this.#pausedError(entry, limitMs)
    for (;;) {
      for (const signal of signals) signal.throwIfAborted()
      const now = monotonicMs()
      if (now < state.awakeUntil) return goAhead(state, limitMs, timeoutError)
      if (state.ahead.size === 0) return goAhead(state, Math.max(0, deadline - now), timeoutError)
      if (now >= deadline) {
        if ([...state.ahead.values()].includes(true)) throw timeoutError()
        // The scout waits for a permit: the server is not what takes so long.
        return goAhead(state, limitMs, timeoutError)
      }
      await waitFor(deadline - now, signals, state.waiting)
    }
  }

  /** Records that the server closed a connection before it greeted. A server that resumes may do so. */
  recordClosedEarly(error: Error): void {
    this.#closedEarly.add(error)
  }

  /**
   * Returns what `open` resolves with. Repeats it while the server closes its connections before it greets them.
   *
   * @param closing - ends the pause: `open` then reports the close
   */
  async retry<T>(open: () => Promise<T>, closing: AbortSignal): Promise<T> {
    for (let retries = 0; ; retries++) {
      try {
        return await open()
      } catch (error) {
        if (retries === RESUME_RETRIES || !this.#closedEarly.has(error as Error)) throw error
        await waitFor(RESUME_RETRY_MS, [closing])
      }
    }
  }

  #stateOf(key: string): EndpointState {
    const known = this.#endpoints.get(key)
    if (known) return known
    const state: EndpointState = { ahead: new Map(), waiting: new Set(), awakeUntil: 0 }
    this.#endpoints.set(key, state)
    return state
  }

  #pausedError({ endpoint, callerLimit }: GateEntry, limitMs: number): AuroraIamError {
    const shorter = limitMs < this.#timeoutMs ? callerLimit : undefined
    const limit = shorter ? `${shorter.option}: ${shorter.timeoutMs} ms` : 'resumeTimeoutMs'
    const remedy = shorter
      ? `Raise \`${shorter.option}\` above \`resumeTimeoutMs\` (${this.#timeoutMs} ms).`
      : 'Look for the events of the instance in RDS, or raise `resumeTimeoutMs`.'
    return new AuroraIamError(
      'ERR_AURORA_IAM_PAUSED',
      `No greeting from ${endpoint} within ${Math.round(limitMs)} ms (${limit}): the database is paused or unresponsive. ` +
        `A paused instance takes 15 to 30 seconds and more to resume. ${remedy}`,
      { option: shorter?.option ?? 'resumeTimeoutMs' },
    )
  }
}

function shortened(timeoutMs: number): number {
  return Math.max(timeoutMs - CALLER_MARGIN_MS, timeoutMs / 2)
}

function goAhead(state: EndpointState, timeoutMs: number, timeoutError: () => AuroraIamError): GreetingWait {
  const login = {}
  state.ahead.set(login, false)
  const leave = (): void => {
    if (!state.ahead.delete(login)) return
    for (const look of [...state.waiting]) look()
  }
  return {
    timeoutMs,
    timeoutError,
    connecting: () => {
      if (state.ahead.has(login)) state.ahead.set(login, true)
    },
    greeted: () => {
      state.awakeUntil = monotonicMs() + AWAKE_MS
      leave()
    },
    ended: leave,
  }
}
