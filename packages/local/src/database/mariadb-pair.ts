import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { LocalAuroraError } from '../errors.ts'
import { openAdminSession } from './admin-session.ts'
import { type MariaDb, type MariaDbOptions, newPasswords, startMariaDb } from './mariadb.ts'

/** Time that a reader may take to catch up with the writer, in seconds. */
const CATCH_UP_SECONDS = 30

/** Two private MariaDB servers: a writer, and a reader that follows it by MariaDB's replication. */
export class MariaDbPair {
  /** The servers, the first writer first. */
  readonly servers: readonly [MariaDb, MariaDb]
  readonly #ports: readonly [number, number]
  #writer: 0 | 1 = 0

  private constructor(servers: readonly [MariaDb, MariaDb], ports: readonly [number, number]) {
    this.servers = servers
    this.#ports = ports
  }

  /**
   * Starts both servers.
   *
   * @throws {@link LocalAuroraError} as {@link startMariaDb} does
   */
  static async start(options: Omit<MariaDbOptions, 'replication'>): Promise<MariaDbPair> {
    const passwords = newPasswords()
    const ports = await Promise.all([freePort(), freePort()])
    const starts = await Promise.allSettled(
      ports.map((port, index) =>
        startMariaDb({ ...options, replication: { serverId: index + 1, port, passwords } }),
      ),
    )
    const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    const [first, second] = servers
    if (first !== undefined && second !== undefined) {
      const pair = new MariaDbPair([first, second], ports)
      await pair.#follow(1, 0)
      return pair
    }
    await Promise.all(servers.map((server) => server.close()))
    throw starts.find((start) => start.status === 'rejected')?.reason
  }

  /** Index of the server that is written to. */
  get writer(): 0 | 1 {
    return this.#writer
  }

  /**
   * Makes the reader the writer, once it has every committed transaction. The old writer answers 1290 to every change.
   *
   * @param follows - True if the old writer becomes a reader of the new one. Otherwise it replicates from no server.
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_DATABASE_FAILED`: the reader did not catch up
   */
  async promoteReader(follows: boolean): Promise<void> {
    const [old, next] = this.#writer === 0 ? ([0, 1] as const) : ([1, 0] as const)
    const position = await this.#with(old, async (session) => {
      await session.run('SET GLOBAL read_only = ON')
      return session.value('SELECT @@gtid_binlog_pos')
    })
    await this.#with(next, async (session) => {
      // MASTER_GTID_WAIT does not count transactions that this server executed as an earlier writer.
      const isCaughtUp =
        sequenceOf(await session.value('SELECT @@gtid_current_pos')) >= sequenceOf(position) ||
        (await session.value(`SELECT MASTER_GTID_WAIT('${position}', ${CATCH_UP_SECONDS})`)) === '0'
      if (!isCaughtUp) {
        const message = `The reader did not catch up with the writer within ${CATCH_UP_SECONDS} s`
        throw new LocalAuroraError('ERR_LOCAL_AURORA_DATABASE_FAILED', message)
      }
      await session.run('STOP SLAVE')
      await session.run('RESET SLAVE ALL')
      await session.run('SET GLOBAL read_only = OFF')
    })
    this.#writer = next
    if (follows) await this.#follow(old, next)
  }

  async #follow(reader: 0 | 1, writer: 0 | 1): Promise<void> {
    const { user, password } = this.servers[writer].internal
    await this.#with(reader, async (session) => {
      await session.run('SET GLOBAL read_only = ON')
      await session.run(
        `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${this.#ports[writer]}, ` +
          `MASTER_USER = '${user}', MASTER_PASSWORD = '${password}', MASTER_CONNECT_RETRY = 1, ` +
          'MASTER_USE_GTID = current_pos',
      )
      await session.run('START SLAVE')
    })
  }

  async #with<Result>(
    index: 0 | 1,
    work: (session: Awaited<ReturnType<typeof openAdminSession>>) => Promise<Result>,
  ): Promise<Result> {
    const { socketPath, internal } = this.servers[index]
    const session = await openAdminSession(connect(socketPath), internal)
    try {
      return await work(session)
    } finally {
      session.end()
    }
  }
}

/** Returns the number of the last transaction of a position such as `0-1-270`: domain, server, number. */
function sequenceOf(position: string | null | undefined): number {
  return Number(position?.split('-').at(-1) || 0)
}

/** Returns a port of 127.0.0.1 that is free now: MariaDB cannot choose one itself. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
