// A plain TCP forward to a port of this machine, as a measure for the relay of `aurora-iam proxy`.
import { connect, createServer } from 'node:net'

const server = createServer({ noDelay: true }, (client) => {
  const upstream = connect({ port: Number(process.argv[2]), host: '127.0.0.1', noDelay: true })
  for (const socket of [client, upstream])
    socket.on('error', () => [client, upstream].map((end) => end.destroy()))
  client.pipe(upstream).pipe(client)
})
server.listen(0, '127.0.0.1', () => process.send(server.address().port))
