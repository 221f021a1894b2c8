import { AuroraIamError } from '../errors.ts'
import { PERMIT_GRACE_MS, SUSPECT_MEMORY_MS } from '../timings.ts'
import { waitFor } from '../util/abortable.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

/** An attempt whose server has not sent anything yet. */
export interface UnansweredAttempt {
  /** Returns the permit to the limiter, if the attempt holds one. */
  returnPermit(): void
}

/** The limit that an address without an answer gets. */
export interface AddressLimit {
  readonly limit: number
  readonly intervalMs: number
}

interface AddressState {
  /** The attempts that wait for the server's first bytes, and when each began, oldest first. */
  readonly unanswered: Map<UnansweredAttempt, number>
  /** When the latest attempts began, oldest first. Only of a suspect address. */
  readonly starts: number[]
  /** Calls of {@link SuspectAddresses.enter} that wait, oldest first. */
  readonly entering: Set<() => void>
  /** When an attempt got no byte for too long, or failed before the first one. Undefined once another was answered. */
  suspectSince: number | undefined
  /** Attempts that may open a socket and have not begun yet. */
  reserved: number
}

/**
 * The addresses that are dialled, and those of them that do not answer: these take no permits from the others.
 *
 * The server cannot count a login before the client has named its user, which a client does after the server's
 * greeting. An attempt that has received nothing has therefore used nothing of the rate. Its permit goes back after
 * {@link PERMIT_GRACE_MS}, or when it fails, and the attempt acquires another one before it answers the greeting. So
 * every user name and every token leaves under a permit, and the proof of `LocalPermits` and of the fleet store holds
 * for what the server counts.
 *
 * The address is suspect then, until it answers an attempt. Attempts to a suspect address hold no permit while they
 * wait. The address has its own limit instead: as many sockets at once, and in any interval, as the rate limit allows.
 */
export class SuspectAddresses {
  readonly #addresses = new Map<string, AddressState>()
  #timer: NodeJS.Timeout | undefined

  /** Returns true when attempts to the address hold no permit while they wait for its first bytes. */
  isSuspect(address: string): boolean {
    return this.#addresses.get(address)?.suspectSince !== undefined
  }

  /** Starts to watch an attempt. The caller has opened its socket. */
  begin(address: string, attempt: UnansweredAttempt): void {
    const now = monotonicMs()
    const state = this.#addresses.get(address) ?? this.#create(address, now)
    if (state.suspectSince !== undefined) {
      if (state.reserved > 0) state.reserved--
      else state.starts.push(now)
      attempt.returnPermit()
    }
    state.unanswered.set(attempt, now)
    this.#timer ??= this.#wakeIn(PERMIT_GRACE_MS)
  }

  /** Ends the watch of an attempt: the server has sent something. The address is no longer suspect. */
  answered(address: string, attempt: UnansweredAttempt): void {
    const state = this.#addresses.get(address)
    if (!state?.unanswered.delete(attempt)) return
    state.suspectSince = undefined
    this.#admit(state)
  }

  /**
   * Ends the watch of an attempt that received nothing.
   *
   * @param isFault - false when the caller cancelled the attempt, which shows nothing about the address
   */
  ended(address: string, attempt: UnansweredAttempt, isFault: boolean): void {
    const state = this.#addresses.get(address)
    if (!state?.unanswered.delete(attempt)) return
    if (isFault) this.#suspect(state)
    this.#admit(state)
  }

  /**
   * Waits until a suspect address has room for another attempt. The caller opens a socket to it then, or calls
   * {@link leave}.
   *
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_RATE_LIMITED` after `timeoutMs`, or the reason of an aborted signal
   */
  async enter(
    address: string,
    limit: AddressLimit,
    wait: { readonly timeoutMs: number; readonly signals: readonly AbortSignal[] },
  ): Promise<void> {
    const deadline = monotonicMs() + wait.timeoutMs
    for (;;) {
      for (const signal of wait.signals) signal.throwIfAborted()
      const state = this.#addresses.get(address)
      if (state?.suspectSince === undefined) return
      const now = monotonicMs()
      const roomAt = roomIn(state, limit, now)
      if (roomAt <= now) {
        state.reserved++
        state.starts.push(now)
        return
      }
      if (now >= deadline) throw noRoom(address, limit, wait.timeoutMs)
      await waitFor(Math.min(roomAt, deadline) - now, wait.signals, state.entering)
    }
  }

  /** Returns the room that {@link enter} gave, when no socket was opened. */
  leave(address: string): void {
    const state = this.#addresses.get(address)
    if (!state || state.reserved === 0) return
    state.reserved--
    state.starts.pop()
    this.#admit(state)
  }

  #create(address: string, now: number): AddressState {
    for (const [other, { unanswered, entering, reserved, suspectSince }] of this.#addresses) {
      const isIdle = unanswered.size === 0 && entering.size === 0 && reserved === 0
      const isRemembered = now - (suspectSince ?? Number.NEGATIVE_INFINITY) <= SUSPECT_MEMORY_MS
      if (isIdle && !isRemembered) this.#addresses.delete(other)
    }
    const state: AddressState = {
      unanswered: new Map(),
      starts: [],
      entering: new Set(),
      suspectSince: undefined,
      reserved: 0,
    }
    this.#addresses.set(address, state)
    return state
  }

  #suspect(state: AddressState): void {
    state.suspectSince = monotonicMs()
    for (const attempt of state.unanswered.keys()) attempt.returnPermit()
  }

  /** Lets the calls of {@link enter} look again, oldest first. */
  #admit(state: AddressState): void {
    for (const look of [...state.entering]) look()
    // None is left of the calls that waited.
    if (state.suspectSince === undefined) state.starts.length = 0
  }

  /** Starts one timer for all attempts. It keeps no process alive: the sockets do. */
  #wakeIn(delayMs: number): NodeJS.Timeout {
    // A process that was blocked reads first what has arrived meanwhile.
    const look = () => setImmediate(() => this.#returnLatePermits())
    return setTimeout(look, Math.max(1, Math.ceil(delayMs))).unref()
  }

  #returnLatePermits(): void {
    const now = monotonicMs()
    let oldest = Number.POSITIVE_INFINITY
    for (const state of this.#addresses.values()) {
      if (state.suspectSince !== undefined) continue
      const [since] = state.unanswered.values()
      if (since === undefined) continue
      if (now - since >= PERMIT_GRACE_MS) this.#suspect(state)
      else oldest = Math.min(oldest, since)
    }
    const nextMs = oldest + PERMIT_GRACE_MS - now
    this.#timer = Number.isFinite(nextMs) ? this.#wakeIn(nextMs) : undefined
  }
}

/** Returns when the address has room for another attempt: now or earlier if it has, Infinity if one must end first. */
function roomIn(
  { unanswered, starts, reserved }: AddressState,
  { limit, intervalMs }: AddressLimit,
  now: number,
): number {
  while (now - (starts[0] ?? Number.POSITIVE_INFINITY) >= intervalMs) starts.shift()
  if (unanswered.size + reserved >= limit) return Number.POSITIVE_INFINITY
  return starts.length < limit ? now : (starts[0] as number) + intervalMs
}

function noRoom(address: string, { limit }: AddressLimit, timeoutMs: number): AuroraIamError {
  return new AuroraIamError(
    'ERR_AURORA_IAM_RATE_LIMITED',
    `No new connection to ${address} within ${timeoutMs} ms: it does not answer, and up to ${limit} attempts wait there ` +
      'already. Check that the address leads to the database, or raise `maxWaitMs`.',
    { option: 'maxWaitMs' },
  )
}
