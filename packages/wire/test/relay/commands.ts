import { duplexPair } from 'node:stream'
import { encodePacket, type Interception, relay } from '@aurora-iam/wire'

export const CHANGE_USER = 0x11
export const QUERY = 0x03
export const QUIT = 0x01

/** Returns the packet of a command. */
export const command = (byte: number, body = ''): Buffer =>
  encodePacket({ sequence: 0, payload: Buffer.concat([Buffer.from([byte]), Buffer.from(body)]) })

export const neverIntercept: Interception = {
  command: CHANGE_USER,
  maxPayloadBytes: 1024,
  handle: () => Promise.reject(new Error('nothing was to be intercepted')),
}

/** Returns a relay in memory: its two streams, and the client and the server at their other ends. */
export function relayed(interception: Interception = neverIntercept) {
  const [client, clientSide] = duplexPair()
  const [serverSide, server] = duplexPair()
  return { client, clientSide, serverSide, server, ended: relay(clientSide, serverSide, interception) }
}
