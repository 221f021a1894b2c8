import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import type { TlsPolicy } from '@aurora-iam/core/adapter'
import { AuroraIamError } from '@aurora-iam/core/adapter'
import { endWithoutAlert } from '@aurora-iam/wire'

/**
 * Starts TLS on a connected socket and verifies the server: chain and host name.
 *
 * @param highWaterMark - Bytes that the stream buffers. Node's default, 16 KB, if left out.
 * @throws {@link AuroraIamError} `ERR_AURORA_IAM_TLS_REQUIRED` where the server sent more than its greeting before TLS;
 * the error of TLS or of the network
 */
export function startTls(
  socket: Socket,
  hostname: string,
  policy: TlsPolicy,
  highWaterMark?: number,
): Promise<TLSSocket> {
  if (socket.readableLength > 0) {
    throw new AuroraIamError(
      'ERR_AURORA_IAM_TLS_REQUIRED',
      'The server sent more than its greeting before TLS. That was ignored, and no token was sent. ' +
        'Check that --host and --port lead to the database, with no other program in between.',
    )
  }
  const { ca, minVersion, rejectUnauthorized } = policy
  return new Promise((resolve, reject) => {
    const options = {
      socket,
      ca: ca as string,
      minVersion,
      rejectUnauthorized,
      servername: hostname,
      ...(highWaterMark !== undefined && { highWaterMark }),
    }
    const secured = connect(options, () => resolve(secured))
    endWithoutAlert(secured, socket)
    secured.on('error', reject)
    socket.once('close', () => reject(socket.errored ?? new Error('the server closed the connection')))
  })
}
