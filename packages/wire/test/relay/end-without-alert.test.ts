import { once } from 'node:events'
import { createConnection, createServer, type Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { connect, TLSSocket } from 'node:tls'
import { createCertificates } from '@aurora-iam/test-support/certificates'
import { endWithoutAlert } from '@aurora-iam/wire'
import { expect, test } from 'vitest'

const [ALERT, APPLICATION_DATA] = [21, 23]

/** Returns the type of each TLS record. https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
function recordTypes(bytes: Buffer): number[] {
  const types: number[] = []
  for (let start = 0; start < bytes.length; start += 5 + bytes.readUInt16BE(start + 3))
    types.push(bytes[start]!)
  return types
}

test.each([
  ['endWithoutAlert', endWithoutAlert, [APPLICATION_DATA]],
  ['Node', () => {}, [APPLICATION_DATA, ALERT]],
])(
  'a TLS stream that %s ends: its last bytes and the end of the TCP connection',
  async (_, prepare, expected) => {
    const { ca, valid } = await createCertificates('localhost')
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const socket = createConnection((server.address() as { port: number }).port, '127.0.0.1')
    const [raw] = (await once(server, 'connection')) as [Socket]
    server.close()

    // What comes in passes a stream in memory, where it is seen before it is decrypted.
    const [inside, outside] = duplexPair()
    const received: Buffer[] = []
    raw
      .on('data', (chunk) => received.push(chunk))
      .pipe(outside)
      .pipe(raw)
    const secured = new TLSSocket(inside as Socket, { isServer: true, ...valid })
    // Records of TLS 1.3 do not show their type.
    const stream = connect({ socket, ca, servername: 'localhost', maxVersion: 'TLSv1.2' })
    await once(stream, 'secureConnect')
    prepare(stream, socket)

    const handshake = received.length
    const finished = once(stream, 'finish')
    stream.end('bye')
    expect((await once(secured, 'data')).toString()).toBe('bye')
    await Promise.all([once(raw, 'end'), finished])
    expect(recordTypes(Buffer.concat(received.slice(handshake)))).toEqual(expected)
    for (const end of [raw, secured, socket, stream]) end.destroy()
  },
)
