import { once } from 'node:events'
import { connect as connectTcp, createServer } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { connect as connectTls, createSecureContext, TLSSocket } from 'node:tls'
import { createCertificateAuthority } from '../../../packages/local/dist/tls/certificate-authority.js'
import { startServer } from './server.mjs'

const HOST = '127.0.0.1'
// The packet with which a client asks for TLS, its header included:
// https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_connection_phase_packets_protocol_ssl_request.html
const TLS_REQUEST_BYTES = 36
const DAY = 86_400_000

/**
 * Starts a Local Aurora behind a front that ends TLS, with a certificate of a root that has the name which AWS gives to
 * a root of the Region. `show` makes the front show a certificate that clients have to reject: one of a root that they
 * do not trust, or one for another name.
 *
 * @param options - of Local Aurora
 */
export async function startProductionServer(options) {
  const server = createServer()
  await once(server.listen(0, HOST), 'listening')
  const { port } = server.address()
  const { aurora, settings } = await startServer({ ...options, signedPort: port })
  const { root, contexts } = await certificatesFor(aurora)
  let shown = 'valid'
  server.on('connection', (client) => {
    // A client that rejects the certificate breaks the connection.
    serve(client, contexts[shown], aurora).catch(() => {})
  })
  return {
    root,
    settings: { ...settings, port, dial: { host: HOST, port }, ca: root },
    show: (certificate) => {
      shown = certificate
    },
    close: async () => {
      server.close()
      await aurora.close()
    },
  }
}

async function certificatesFor({ region, hostname }) {
  const period = { notBefore: new Date(Date.now() - DAY), notAfter: new Date(Date.now() + DAY) }
  const [trusted, other] = await Promise.all(
    ['G1', 'G2'].map((generation) =>
      createCertificateAuthority(`Amazon RDS ${region} Root CA ECC256 ${generation}`, period),
    ),
  )
  const context = async (authority, name) => createSecureContext(await authority.issue([name], period))
  return {
    root: trusted.certificate,
    contexts: {
      valid: await context(trusted, hostname),
      'another root': await context(other, hostname),
      'another name': await context(trusted, 'other-name.invalid'),
    },
  }
}

/** Serves one client: passes on greeting and request for TLS, and then what is inside TLS. */
async function serve(client, secureContext, { host, port, hostname, ca }) {
  const aurora = connectTcp(port, host)
  try {
    for (const socket of [client, aurora]) {
      socket.setNoDelay(true)
      // It closes then.
      socket.on('error', () => {})
    }
    const [greeting] = await once(aurora, 'data')
    client.write(greeting)
    aurora.write(await read(client, TLS_REQUEST_BYTES))
    const upstream = connectTls({ socket: aurora, servername: hostname, ca })
    const downstream = new TLSSocket(client, { isServer: true, secureContext })
    await pipeline(downstream, upstream, downstream)
  } finally {
    client.destroy()
    aurora.destroy()
  }
}

/** Reads so many bytes. What came behind them stays in the socket, and TLS reads it there. */
async function read(socket, bytes) {
  for (;;) {
    const chunk = socket.read(bytes)
    if (chunk !== null) return chunk
    await once(socket, 'readable')
  }
}
