import type { Socket } from 'node:net'
import { Capability, endGracefully, login, PacketChannel, readGreeting, throwIfError } from '@aurora-iam/wire'
import type { Account } from './accounts.ts'
import { startUpstreamTls } from './upstream-tls.ts'

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_query.html */
const QUERY_COMMAND = 0x03
/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_quit.html */
const QUIT_COMMAND = 0x01

/** Session of an administrator, for statements that return no rows or one text. */
export interface AdminSession {
  readonly serverVersion: string
  readonly hasTls: boolean
  /** Runs a statement. @throws {@link WireError} `ERR_WIRE_SERVER` with the server's error */
  run(sql: string): Promise<void>
  /** Runs a statement that returns one text, and returns it. @throws {@link WireError} */
  value(sql: string): Promise<string>
  /** Closes the connection. */
  end(): void
}

/**
 * Logs in over a new connection to the database.
 *
 * @throws {@link WireError} with the server's error, or when the connection closes
 */
export async function openAdminSession(socket: Socket, account: Account): Promise<AdminSession> {
  socket.unref().on('error', () => {})
  try {
    const channel = new PacketChannel(socket)
    const greeting = await readGreeting(channel)
    const session = await login(channel, greeting, {
      ...account,
      capabilities: Capability.TRANSACTIONS,
      ...startUpstreamTls(socket, greeting),
    })
    const send = async (sql: string): Promise<Buffer> => {
      session.channel.sequence = 0
      session.channel.write(Buffer.concat([Buffer.from([QUERY_COMMAND]), Buffer.from(sql)]))
      const { payload } = await session.channel.read()
      throwIfError(payload)
      return payload
    }
    return {
      serverVersion: greeting.serverVersion,
      hasTls: session.auth.secure,
      run: async (sql) => void (await send(sql)),
      async value(sql) {
        await send(sql)
        // The definition of the column and the end of the definitions, one row, and the end of the rows.
        await session.channel.read()
        await session.channel.read()
        const row = (await session.channel.read()).payload
        throwIfError(row)
        await session.channel.read()
        return row.subarray(1, 1 + (row[0] as number)).toString()
      },
      end() {
        session.channel.sequence = 0
        session.channel.write(Buffer.from([QUIT_COMMAND]))
        endGracefully(session.channel.stream)
      },
    }
  } catch (error) {
    socket.destroy()
    throw error
  }
}
