import { setTimeout as sleep } from 'node:timers/promises'
import { type AuroraIam, type AuroraIamOptions, createAuroraIam } from '@aurora-iam/core'
import { type LocalAurora, startLocalAurora } from '@aurora-iam/local'
import { createRateLimiter } from '@aurora-iam/rate-limit'
import type { AdapterHarness, Client, ClientOptions } from '../conformance/harness.ts'
import { type Audit, Bank } from './bank.ts'
import { FaultyEnvironment, injectFaults, RATE } from './faults.ts'
import { Random } from './random.ts'
import { FailingServers } from './server-faults.ts'

const CONNECTIONS = 4
const HEALTHY_WITHIN_MS = 5_000

/**
 * Everything that a transfer may end with, as the READMEs have it; an error without a code by its message. What is not
 * here is a defect.
 */
const DOCUMENTED: ReadonlySet<string> = new Set([
  // The server refused the login: a wrong clock, a deleted key, too many logins.
  'ER_ACCESS_DENIED_ERROR',
  // The connection broke under a query, or while it was made.
  'PROTOCOL_CONNECTION_LOST',
  'ECONNRESET',
  'EPIPE',
  'HANDSHAKE_SSL_ERROR',
  "Can't add new command when connection is in closed state",
  // The server was demoted, or closed a session that was idle.
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CLIENT_INTERACTION_TIMEOUT',
  // The database is away.
  'ECONNREFUSED',
  'ER_SERVER_SHUTDOWN',
  'ETIMEDOUT',
  'ERR_AURORA_IAM_RATE_LIMITED',
  'ERR_AURORA_IAM_PAUSED',
  // The same in Prisma's words.
  'P1000',
  'P1001',
  'P1011',
  'P1017',
  'P2024',
  'P2028',
  // The server's own number, for raw SQL and for COMMIT.
  'P2010 (1290)',
  'DriverAdapterError (1290)',
])

/** Result of one adapter. */
export interface TransferReport extends Audit {
  readonly name: string
  /** Numbers of transfers that ended with each documented error. */
  readonly errors: ReadonlyMap<string, number>
  /** Errors that are in no README. */
  readonly undocumented: readonly unknown[]
  /** From the last fault to the next transfer that was committed, in milliseconds. */
  readonly healthyAfterMs: number
}

/** Environment of the tellers. */
interface BankEnvironment {
  readonly aurora: LocalAurora
  /** Where clients connect. */
  readonly address: Pick<ClientOptions, 'host' | 'port' | 'database'>
  readonly iam: AuroraIamOptions
  /** True if pools replace their connections, also where a caller must ask for it. */
  readonly isManaged: boolean
  onCommit: () => void
}

/** Transfers through each of `harnesses` at the same time, on one database, while faults fire in so many `rounds`. */
export async function transferThroughFaults(
  harnesses: readonly AdapterHarness[],
  { seed, rounds }: { readonly seed: number; readonly rounds: number },
): Promise<TransferReport[]> {
  await using aurora = await startLocalAurora()
  const environment = new FaultyEnvironment(aurora)
  // Without `await`, Local Aurora would be closed before the first transfer.
  return await transferDuring(harnesses, environment, seed, () =>
    injectFaults(environment, new Random(seed), rounds),
  )
}

/** Transfers while servers vanish, pause, are demoted and replaced, and close sessions, for at least `forMs`. */
export async function transferThroughFailovers(
  harnesses: readonly AdapterHarness[],
  { seed, forMs }: { readonly seed: number; readonly forMs: number },
): Promise<{
  reports: TransferReport[]
  peakLogins: number
  throttled: number
  fired: FailingServers['fired']
}> {
  await using aurora = await startLocalAurora({ readerHost: '127.0.0.2' })
  const servers = new FailingServers(aurora)
  const reports = await transferDuring(harnesses, servers, seed, () =>
    servers.injectFaults(new Random(seed), forMs),
  )
  return {
    reports,
    peakLogins: aurora.log.peakTokens(1_000),
    throttled: aurora.log.refusals.filter(({ reason }) => reason === 'ThrottlingException').length,
    fired: servers.fired,
  }
}

async function transferDuring(
  harnesses: readonly AdapterHarness[],
  environment: BankEnvironment,
  seed: number,
  injectAll: () => Promise<void>,
): Promise<TransferReport[]> {
  const tellers = await Promise.all(
    harnesses.map((harness, index) => {
      // Each has a separate share: a failure of one is no reason for another to wait.
      const rateLimit = createRateLimiter({ limit: Math.floor(RATE / harnesses.length) })
      const iam = createAuroraIam({
        ...environment.iam,
        rateLimit,
        maxWaitMs: 10_000,
        retryRejectedLogins: true,
      })
      return Teller.open(harness, iam, environment, new Random(seed + index + 1))
    }),
  )
  const stop = new AbortController()
  const work = Promise.all(tellers.map((teller) => teller.work(stop.signal)))
  try {
    await injectAll()
    // A cut may still be in store for connections that are open.
    environment.aurora.faults.dropConnections()
    await Promise.all(tellers.map((teller) => teller.recovered()))
    stop.abort()
    await work
    return await Promise.all(tellers.map((teller) => teller.report()))
  } finally {
    stop.abort()
    await Promise.allSettled(tellers.map((teller) => teller.close()))
  }
}

interface TellerParts {
  readonly name: string
  readonly client: Client
  readonly close: () => Promise<void>
  readonly random: Random
  readonly onCommit: () => void
}

/** One adapter at work. */
class Teller {
  readonly #name: string
  readonly #close: () => Promise<void>
  readonly #bank: Bank
  readonly #random: Random
  readonly #errors = new Map<string, number>()
  readonly #undocumented: unknown[] = []
  /** When the last transfer that was committed had begun. */
  #begunAt = 0
  #healthyAfterMs = 0
  #lastError: unknown

  static async open(
    harness: AdapterHarness,
    iam: AuroraIam,
    environment: BankEnvironment,
    random: Random,
  ): Promise<Teller> {
    const limits = { connectionLimit: CONNECTIONS, connectTimeout: 2_000 }
    const options = harness.options({ ...environment.address, user: 'app', ...limits }, iam)
    const openPool = environment.isManaged ? harness.openManaged : harness.openRetrying
    const client = await (openPool?.(options, iam) ?? harness.open(options))
    const close = async () => {
      iam.close()
      await client.close()
    }
    const teller = new Teller({
      name: harness.name,
      client,
      close,
      random,
      onCommit: () => environment.onCommit(),
    })
    await teller.#bank.open()
    return teller
  }

  private constructor({ name, client, close, random, onCommit }: TellerParts) {
    this.#name = name
    this.#close = close
    this.#random = random
    this.#bank = new Bank(client, name.replace(/\W/g, '_'), random, onCommit)
  }

  /** Keeps as many transfers under way as there are connections, at a pace that leaves the machine to others. */
  async work(signal: AbortSignal): Promise<void> {
    const worker = async () => {
      while (!signal.aborted) {
        await this.#transfer()
        await sleep(this.#random.between(40, 120))
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  }

  /**
   * Waits until a transfer is committed that began after the last fault, which broke every connection.
   *
   * @throws Error if that takes too long
   */
  async recovered(): Promise<void> {
    const brokenAt = performance.now()
    while (this.#begunAt < brokenAt) {
      if (performance.now() - brokenAt > HEALTHY_WITHIN_MS) {
        throw new Error(`${this.#name} is not well again ${HEALTHY_WITHIN_MS} ms after the last fault.`, {
          cause: this.#lastError,
        })
      }
      await sleep(5)
    }
    this.#healthyAfterMs = performance.now() - brokenAt
  }

  async report(): Promise<TransferReport> {
    const audit = await this.#bank.audit()
    return {
      name: this.#name,
      ...audit,
      errors: this.#errors,
      undocumented: this.#undocumented,
      healthyAfterMs: this.#healthyAfterMs,
    }
  }

  close(): Promise<void> {
    return this.#close()
  }

  async #transfer(): Promise<void> {
    const outcome = await this.#bank.transfer()
    if (outcome.kind === 'committed') {
      this.#begunAt = Math.max(this.#begunAt, outcome.begunAt)
      return
    }
    this.#lastError = outcome.error
    const name = nameOf(outcome.error)
    if (DOCUMENTED.has(name)) this.#errors.set(name, (this.#errors.get(name) ?? 0) + 1)
    else this.#undocumented.push(outcome.error)
  }
}

/** Part of Prisma's errors that has the error of the server. */
interface ServerCause {
  readonly cause?: { readonly originalCode?: string }
}

/**
 * Returns the code of an error, with the server's number where Prisma has one code or none for all; else its message.
 */
function nameOf(error: unknown): string {
  const { code, name, message, cause, meta } = error as Partial<Error> &
    ServerCause & { code?: string; meta?: { driverAdapterError?: ServerCause } }
  if (code === 'P2010') return `P2010 (${meta?.driverAdapterError?.cause?.originalCode})`
  if (code === undefined && name === 'DriverAdapterError') return `${name} (${cause?.originalCode})`
  return code ?? message ?? String(error)
}
