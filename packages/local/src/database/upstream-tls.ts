import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createSecureContext } from 'node:tls'
import { Capability, type Greeting, hasCapability, type LoginOptions, PacketChannel } from '@aurora-iam/wire'

const context = createSecureContext()

/**
 * Returns the option of `login` that starts TLS where the server offers it, so that `REQUIRE SSL` holds and
 * `SHOW STATUS LIKE 'Ssl_cipher'` reports a cipher. The certificate is not verified, as MySQL's own clients do by
 * default: the server is this machine's, or the one of the URL that the developer gave.
 *
 * @see https://dev.mysql.com/doc/refman/8.0/en/connection-options.html#option_general_ssl-mode
 */
export function startUpstreamTls(socket: Socket, greeting: Greeting): Pick<LoginOptions, 'startTls'> {
  if (!hasCapability(greeting.capabilities, Capability.SSL)) return {}
  return {
    async startTls() {
      const stream = connect({ socket, secureContext: context, rejectUnauthorized: false })
      stream.unref().on('error', () => {})
      endWithoutAlert(stream, socket)
      await Promise.race([once(stream, 'secureConnect'), closed(stream)])
      return new PacketChannel(stream)
    },
  }
}

/**
 * Makes the end of `stream` the end of its TCP connection, without the TLS alert `close_notify`. MariaDB checks every 5
 * seconds of a `SLEEP` whether its client is there, and takes an alert that it has not read for a sign that it is: the
 * statement would run on, and its transaction would keep its locks.
 *
 * @see https://github.com/MariaDB/server/blob/10.11/vio/viosocket.c (`vio_is_connected`)
 */
function endWithoutAlert(stream: Socket, socket: Socket): void {
  stream._final = (callback) => {
    socket.end(() => callback())
  }
}

async function closed(stream: Socket): Promise<never> {
  await new Promise((resolve) => stream.once('close', resolve))
  throw new Error('the database closed the connection during the TLS handshake')
}
