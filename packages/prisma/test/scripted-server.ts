import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { Capability, encodeGreeting, encodeOk, encodePacket, PacketReader } from '@aurora-iam/wire'

/** Answer of the server to a command or a login, as payload; undefined for none. */
export type Answer = (payload: Buffer) => Buffer | undefined

const ok = (status: number): Buffer =>
  encodeOk({ affectedRows: 0n, lastInsertId: 0n, status, warnings: 0, info: Buffer.alloc(0) })

export const OK = ok(2)
/** An OK whose status says that a transaction is open. */
export const OK_IN_TRANSACTION = ok(3)

/** Commands of the protocol: https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_command_phase.html */
export const COMMAND = {
  quit: 0x01,
  query: 0x03,
  ping: 0x0e,
  prepare: 0x16,
  execute: 0x17,
  closeStatement: 0x19,
} as const
const UNANSWERED: readonly number[] = [COMMAND.quit, COMMAND.closeStatement]

function greeting({ serverVersion, isMariaDb, offersTls }: ScriptedServer): Buffer {
  const { LONG_PASSWORD, PROTOCOL_41, PLUGIN_AUTH, SECURE_CONNECTION, SSL } = Capability
  const own = (isMariaDb ? 0 : LONG_PASSWORD) | (offersTls ? SSL : 0)
  return encodeGreeting({
    serverVersion,
    authPlugin: 'mysql_native_password',
    connectionId: 1,
    scramble: Buffer.alloc(20, 's'),
    capabilities: PROTOCOL_41 | PLUGIN_AUTH | SECURE_CONNECTION | own,
    collation: 45,
    status: 2,
  })
}

/** Server that answers each packet of the real driver as a test says, with OK unless it says otherwise. */
export class ScriptedServer implements AsyncDisposable {
  answer: Answer = () => OK
  serverVersion = '8.0.39'
  /** Leaves out the capability that MySQL always has, by which mariadb knows MariaDB. */
  isMariaDb = false
  offersTls = false
  /** First payload bytes of the commands that came, in order. */
  readonly commands: number[] = []
  readonly sockets = new Set<Socket>()
  readonly #server = createServer((client) => this.#accept(client))

  static async start(): Promise<ScriptedServer> {
    const server = new ScriptedServer()
    await once(server.#server.listen(0, '127.0.0.1'), 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await once(this.#server.close(), 'close')
  }

  #accept(client: Socket): void {
    const packets = new PacketReader(65_536)
    let isLoggedIn = false
    this.sockets.add(client)
    client.on('error', () => {})
    client.on('close', () => this.sockets.delete(client))
    client.on('data', (chunk) => {
      if (this.offersTls) return
      packets.push(chunk)
      for (let packet = packets.next(); packet; packet = packets.next()) {
        const { sequence, payload } = packet
        const first = payload[0] as number
        if (isLoggedIn) this.commands.push(first)
        const reply = isLoggedIn && UNANSWERED.includes(first) ? undefined : this.answer(payload)
        isLoggedIn = true
        if (reply) client.write(encodePacket({ sequence: sequence + 1, payload: reply }))
      }
    })
    client.write(encodePacket({ sequence: 0, payload: greeting(this) }))
  }
}
