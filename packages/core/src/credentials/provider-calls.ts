import { AsyncLocalStorage } from 'node:async_hooks'
import type { ChildProcess } from 'node:child_process'
import { subscribe } from 'node:diagnostics_channel'
import { AuroraIamError } from '../errors.ts'
import { UNANSWERED_CALL_PAUSE_MS } from '../timings.ts'
import { type Limits, onAbort, withTimeout } from '../util/abortable.ts'
import { endProcess } from '../util/end-process.ts'
import { monotonicMs } from '../util/monotonic-ms.ts'

/** A call to a credential provider. */
interface Call {
  readonly startedAt: number
  /** Commands that the call runs (`credential_process`). */
  readonly children: Set<ChildProcess>
}

// Two, so that one call that hangs does not block the provider. Without a limit, a provider that never answers would
// collect a command or a socket with each login.
const MOST_ABANDONED = 2

/**
 * Calls to one credential provider, in bounded time. A call goes on when its caller has timed out. Once two are not
 * answered, further calls fail at once, except one in a minute, which replaces the oldest.
 */
export class ProviderCalls {
  readonly #abandoned = new Set<Call>()
  #lastStartedAt = Number.NEGATIVE_INFINITY

  /**
   * Calls the provider.
   *
   * @param limits - the time that the call may take, and the signal that ends it and the commands that it runs
   * @throws {@link AuroraIamError} `ERR_AURORA_IAM_CREDENTIALS_TIMEOUT`, at once if two earlier calls are not answered
   */
  async run<T>(call: () => Promise<T>, limits: Limits, timeoutError: () => AuroraIamError): Promise<T> {
    if (this.#abandoned.size >= MOST_ABANDONED) this.#replaceOldest()
    watchChildren()
    const started: Call = { startedAt: monotonicMs(), children: new Set() }
    this.#lastStartedAt = started.startedAt
    const stopListening = onAbort(limits.signal, () => endChildren(started))
    const answered = (): void => {
      stopListening()
      this.#abandoned.delete(started)
    }
    const work = (): Promise<T> => {
      const answer = callOf.run(started, call)
      answer.then(answered, answered)
      return answer
    }
    return withTimeout(work, limits, () => {
      this.#abandoned.add(started)
      return timeoutError()
    })
  }

  #replaceOldest(): void {
    const [oldest] = [...this.#abandoned] as [Call]
    const now = monotonicMs()
    if (now - this.#lastStartedAt >= UNANSWERED_CALL_PAUSE_MS) {
      this.#abandoned.delete(oldest)
      endChildren(oldest)
      return
    }
    const seconds = Math.round((now - oldest.startedAt) / 1_000)
    throw new AuroraIamError(
      'ERR_AURORA_IAM_CREDENTIALS_TIMEOUT',
      `credentials: the AWS credential provider has not answered ${MOST_ABANDONED} earlier calls, the first for ${seconds} s, ` +
        'so it is called once a minute until it does. Check that the metadata endpoint or STS can be reached, and that a ' +
        'credential_process ends.',
      { option: 'credentials' },
    )
  }
}

/** The calls to each provider: those of several AuroraIam that call the same one share a limit. */
const callsByProvider = new WeakMap<object, ProviderCalls>()
const callsByProfile = new Map<string | undefined, ProviderCalls>()

/** Returns the calls to the AWS SDK's default chain for `profile`, of the whole process. */
export function callsToChain(profile: string | undefined): ProviderCalls {
  const known = callsByProfile.get(profile)
  if (known) return known
  const calls = new ProviderCalls()
  callsByProfile.set(profile, calls)
  return calls
}

/** Returns the calls to a caller's function, of the whole process. */
export function callsTo(provider: object): ProviderCalls {
  const known = callsByProvider.get(provider)
  if (known) return known
  const calls = new ProviderCalls()
  callsByProvider.set(provider, calls)
  return calls
}

const callOf = new AsyncLocalStorage<Call>()
let isWatching = false

/**
 * Records the commands that calls run. The AWS SDK starts them and gives no handle.
 *
 * @see https://nodejs.org/api/diagnostics_channel.html#child-process
 */
function watchChildren(): void {
  if (isWatching) return
  isWatching = true
  subscribe('child_process', (message) => {
    const child = (message as { process: ChildProcess }).process
    const call = callOf.getStore()
    if (!call) return
    call.children.add(child)
    child.once('exit', () => call.children.delete(child))
  })
}

function endChildren({ children }: Call): void {
  for (const { pid } of children) if (pid !== undefined) endProcess(pid)
}
