import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Both where they are installed: Redis must be, for Valkey see the test that says which ones were used. */
export const serverPrograms = ['redis-server', 'valkey-server'].filter(
  (name) => spawnSync(name, ['--version']).status === 0,
)

/** A server of the test's own: on a free port of the loopback, in a folder of its own, keeping nothing. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #program: string
  readonly #settings: readonly string[]
  #process: ChildProcess | undefined

  private constructor(program: string, port: number, folder: string, settings: readonly string[]) {
    this.#program = program
    this.port = port
    this.folder = folder
    this.#settings = settings
  }

  /** @param settings - further command line arguments, given the folder. */
  static async start(
    program = 'redis-server',
    settings: (folder: string, port: number) => readonly string[] = () => [],
  ): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'rate-limit-redis-'))
    const port = await freePort()
    const server = new RedisServer(program, port, folder, [
      ...['--port', `${port}`, '--bind', '127.0.0.1', '--dir', folder],
      ...['--save', '', '--appendonly', 'no', '--loglevel', 'warning'],
      ...settings(folder, port),
    ])
    await server.up()
    return server
  }

  /** Starts a Sentinel, whose settings are in the file that `write` leaves. */
  static async startSentinel(write: (folder: string, port: number) => Promise<string>): Promise<RedisServer> {
    const folder = await mkdtemp(join(tmpdir(), 'rate-limit-sentinel-'))
    const port = await freePort()
    const server = new RedisServer('redis-server', port, folder, [await write(folder, port), '--sentinel'])
    await server.up()
    return server
  }

  /** Starts it, again if need be: empty, as nothing is kept. */
  async up(): Promise<void> {
    this.#process = spawn(this.#program, this.#settings, { stdio: 'ignore' })
    await answers(this.port)
  }

  /** Says something to it as `redis-cli` does, and returns the answer. */
  async command(...words: string[]): Promise<string> {
    const { stdout } = await run('redis-cli', ['-p', `${this.port}`, ...words])
    return stdout.trim()
  }

  signal(name: NodeJS.Signals): void {
    this.#process?.kill(name)
  }

  async kill(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  async close(): Promise<void> {
    await this.kill()
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** A port that was free a moment ago, and has a free one for the bus of a cluster. */
async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    if (port < 55_000) return port
  }
}

async function answers(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const socket = connect(port, '127.0.0.1')
    const answer = new Promise<boolean>((resolve) => {
      socket.on('error', () => resolve(false))
      socket.on('data', () => resolve(true))
      socket.on('connect', () => socket.write('PING\r\n'))
    })
    const isThere = await answer
    socket.destroy()
    if (isThere) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  throw new Error(`No Redis answered on port ${port}.`)
}
