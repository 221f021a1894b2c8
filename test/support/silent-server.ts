import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Server that accepts connections and sends nothing. */
export interface SilentServer {
  readonly port: number
  /** Connections that were accepted so far. */
  readonly connections: number
  /** Leads every connection to the server behind, those that wait included. */
  recover(): void
  /** Sends nothing on new connections. Those that lead to the server behind stay. */
  fallSilent(): void
  close(): void
}

/**
 * Starts a server that accepts connections and sends nothing, until it recovers.
 *
 * @param to - port on loopback of the server behind
 */
export async function startSilentServer(to: number): Promise<SilentServer> {
  const sockets: Socket[] = []
  let isAlive = false
  const lead = (near: Socket) => {
    const far = connect(to, '127.0.0.1')
    near.pipe(far).pipe(near)
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on('error', () => {})
      one.on('close', () => other.destroy())
    }
  }
  const waiting = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    if (isAlive) lead(socket)
    else waiting.add(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return sockets.length
    },
    recover() {
      isAlive = true
      for (const socket of waiting) lead(socket)
      waiting.clear()
    },
    fallSilent() {
      isAlive = false
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

// Its event loop never turns again, so it accepts nothing. The kernel drops SYN packets once its backlog is full.
const BLOCKED_SERVER = `
const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
  process.stdout.write(server.address().port + '\\n')
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
})`

/** Starts an address that swallows SYN packets: no connection opens, and none is refused. */
export async function startFullBacklog(): Promise<{ readonly port: number; close(): void }> {
  const child = spawn(process.execPath, ['-e', BLOCKED_SERVER], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const port = Number(line)
  // More than the backlog holds. The first ones connect.
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(fillers.slice(0, 2).map((filler) => once(filler, 'connect')))
  return {
    port,
    close() {
      for (const filler of fillers) filler.destroy()
      child.kill('SIGKILL')
    },
  }
}
