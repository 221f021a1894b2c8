import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, createSecureContext } from 'node:tls'
import {
  Capability,
  endWithoutAlert,
  type Greeting,
  hasCapability,
  type LoginOptions,
  PacketChannel,
} from '@aurora-iam/wire'

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

async function closed(stream: Socket): Promise<never> {
  await new Promise((resolve) => stream.once('close', resolve))
  throw new Error('the database closed the connection during the TLS handshake')
}
