import { setTimeout as sleep } from 'node:timers/promises'
import type { MariaDbPair } from '../database/mariadb-pair.ts'
import { LocalAuroraError } from '../errors.ts'
import type { ClusterEvent } from '../log/log-events.ts'
import type { LoginLog } from '../log/login-log.ts'
import { endpointAddress, nameAfterSwitchover } from './endpoint-names.ts'
import type { Instance } from './instance.ts'

/** Address to dial. */
export interface ServerAddress {
  readonly host: string
  readonly port: number
}

/** Dependencies of {@link Cluster}. */
export interface ClusterParts {
  /** The first writer, and a reader. */
  readonly instances: readonly [Instance, ...Instance[]]
  /** The databases of both, if there are two. */
  readonly pair: MariaDbPair | undefined
  /** All names that may be signed. */
  readonly hostnames: readonly string[]
  readonly log: LoginLog
}

/** The servers of a Local Aurora: a writer and perhaps a reader, with the operations on both. */
export class Cluster {
  readonly #parts: ClusterParts
  #resuming: NodeJS.Timeout | undefined
  #hasSwitchedOver = false

  constructor(parts: ClusterParts) {
    this.#parts = parts
  }

  /** Address of the writer. */
  get writer(): ServerAddress {
    return addressOf(this.#writer)
  }

  /** Address of the reader; undefined if there is none. */
  get reader(): ServerAddress | undefined {
    return this.#reader && addressOf(this.#reader)
  }

  /** Returns the address that an endpoint name leads to now; undefined for an unknown name. */
  addressOf(hostname: string): ServerAddress | undefined {
    const { instances, hostnames } = this.#parts
    const [first] = instances
    const name = hostname.toLowerCase()
    if (this.#hasSwitchedOver && first.hostnames.includes(name)) return addressOf(first)
    if (!hostnames.includes(name)) return undefined
    return endpointAddress(name, this.writer, this.reader)
  }

  /** Restarts the database of the writer. */
  async restart(readOnly: boolean): Promise<void> {
    const { listener, backend } = this.#writer
    const { restart } = backend
    if (restart === undefined) {
      throw new LocalAuroraError(
        'ERR_LOCAL_AURORA_INVALID_OPTION',
        'backend: the database at that URL is not ours to restart; leave `backend` out to have a MariaDB started',
        { option: 'backend' },
      )
    }
    await listener.closedDuring(() => restart(readOnly))
  }

  /** Makes the reader the writer, and the writer a reader. */
  async failover(keepConnections: boolean): Promise<void> {
    const { pair, writer } = this.#assertReader()
    const promote = (): Promise<void> => pair.promoteReader(true)
    await (keepConnections ? promote() : writer.listener.closedDuring(promote))
    this.#record('failover')
  }

  /** Makes the reader the writer. It gets the names of the old writer, which gets others. */
  async switchover(windowMs: number): Promise<void> {
    checkDuration('windowMs', windowMs)
    const { pair, writer: blue, reader: green } = this.#assertReader()
    await blue.listener.closedDuring(() =>
      green.listener.closedDuring(async () => {
        await pair.promoteReader(false)
        await blue.rename(this.#parts.hostnames.map(nameAfterSwitchover))
        await sleep(windowMs)
      }),
    )
    this.#hasSwitchedOver = true
    this.#record('switchover')
  }

  /** Breaks the open connections. New ones get no greeting until `resumeAfterMs` after the first of them. */
  pause(resumeAfterMs: number): void {
    checkDuration('resumeAfterMs', resumeAfterMs)
    this.stopResuming()
    this.#resuming = undefined
    const wake = (): void => {
      if (this.#resuming !== undefined) return
      this.#resuming = setTimeout(() => this.resume(), resumeAfterMs).unref()
      this.#record('resuming')
    }
    for (const { listener } of this.#parts.instances) listener.pause(wake)
    this.#record('paused')
  }

  /** Greets the connections that wait. */
  resume(): void {
    this.stopResuming()
    for (const { listener } of this.#parts.instances) listener.resume()
    this.#record('resumed')
  }

  /** Stops the timer of a pause. */
  stopResuming(): void {
    clearTimeout(this.#resuming)
  }

  get #writer(): Instance {
    const { pair, instances } = this.#parts
    return instances[pair?.writer ?? 0] as Instance
  }

  get #reader(): Instance | undefined {
    const { pair, instances } = this.#parts
    return pair === undefined || this.#hasSwitchedOver ? undefined : instances[1 - pair.writer]
  }

  #assertReader(): { pair: MariaDbPair; writer: Instance; reader: Instance } {
    const { pair } = this.#parts
    const reader = this.#reader
    if (pair !== undefined && reader !== undefined) return { pair, writer: this.#writer, reader }
    const problem = this.#hasSwitchedOver ? 'the switchover left no reader' : 'there is no reader'
    const message = `readerHost: ${problem}; start a Local Aurora with { readerHost: '127.0.0.2' }`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'readerHost' })
  }

  #record(type: ClusterEvent['type']): void {
    this.#parts.log.record({ type, connection: 0 })
  }
}

function addressOf({ host, listener }: Instance): ServerAddress {
  return { host, port: listener.port }
}

function checkDuration(option: string, value: number): void {
  if (Number.isFinite(value) && value >= 0 && value < 2 ** 31) return
  const message = `${option}: expected milliseconds from 0 to ${2 ** 31 - 1}`
  throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option })
}
