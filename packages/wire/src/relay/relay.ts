import type { Duplex } from 'node:stream'
import { ownProperties } from '../codec/own-properties.ts'
import type { Packet } from '../codec/packet.ts'
import type { WireError } from '../wire-error.ts'
import { CommandScanner, type Rewriting } from './command-scanner.ts'

/** A peer that has been told the end gets this long to answer and to close its side, in milliseconds. */
const CLOSE_GRACE_MS = 1000

/** https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_com_quit.html */
const QUIT_COMMAND = 0x01

/** A command that {@link relay} takes out of what the client sends. */
export interface Interception {
  /** First payload byte of the command. */
  readonly command: number
  /** The longest such command to accept, in bytes. */
  readonly maxPayloadBytes: number
  /**
   * Deals with the command. Neither stream is read meanwhile, so both can be spoken with; they are relayed
   * again when it resolves, and destroyed when it rejects.
   */
  readonly handle: (command: Packet) => Promise<void>
  /** Commands to change on their way to the server. @defaultValue none */
  readonly rewriting?: Rewriting
  /** Called with the side that sent the bytes that have just passed. @defaultValue not called */
  readonly onPassed?: (from: 'client' | 'server') => void
}

/** End of a relay. */
export interface RelayEnd {
  /** The side that ended first, or the interception that failed. */
  readonly by: 'client' | 'server' | 'interception'
  /** The reason, if a stream failed. */
  readonly error?: Error
}

/**
 * Passes bytes both ways between a logged-in client and its server until one of them ends, then ends the
 * other. A client that has closed its side alone still gets what the server answers within a time limit. A side
 * that does not keep up holds the other one back. Resolves when both streams are closed; it never rejects. A
 * server that hangs up because the client said goodbye (COM_QUIT) counts as the client's end.
 *
 * A command is intercepted where it stands in the client's bytes: answers to commands that the client sent
 * before it, without waiting for them, may still be on their way.
 */
export function relay(client: Duplex, server: Duplex, interception: Interception): Promise<RelayEnd> {
  return new Promise((resolve) => {
    const { command, maxPayloadBytes, rewriting, onPassed } = ownProperties(interception)
    const scanner = new CommandScanner(command, maxPayloadBytes, rewriting)
    let end: RelayEnd | undefined
    let relaying = false

    const finish = (reason: RelayEnd): void => {
      if (end !== undefined) return
      const isQuit = reason.by === 'server' && scanner.latest === QUIT_COMMAND
      end = ownProperties<RelayEnd>(isQuit ? { by: 'client' } : reason)
      if (end.error !== undefined) {
        for (const stream of [client, server]) stream.destroy()
        return
      }
      endGracefully(server)
      // What the server still answers passes first.
      if (server.closed) endGracefully(client)
      else server.once('close', () => endGracefully(client))
    }
    const send = (from: Duplex, to: Duplex, bytes: Buffer): void => {
      if (!to.writable || to.write(bytes)) return
      from.pause()
      to.once('drain', () => relaying && from.resume())
    }
    const fromServer = (chunk: Buffer): void => {
      send(server, client, chunk)
      onPassed?.('server')
    }
    const fromClient = (chunk: Buffer): void => {
      try {
        const { pass, command, rest } = scanner.push(chunk)
        // One write, so that one command is one TLS record and one segment. A large packet passes without a copy.
        if (pass.length > 0) send(client, server, pass.length === 1 ? pass[0]! : Buffer.concat(pass))
        onPassed?.('client')
        if (command !== undefined) void intercept(command, rest)
      } catch (error) {
        finish({ by: 'interception', error: error as WireError })
      }
    }
    const intercept = async (command: Packet, rest: Buffer): Promise<void> => {
      setRelaying(false)
      client.unshift(rest)
      try {
        await interception.handle(command)
        if (end === undefined) setRelaying(true)
      } catch (cause) {
        const error = cause instanceof Error ? cause : new Error('the interception failed', { cause })
        finish({ by: 'interception', error })
      }
    }
    const setRelaying = (on: boolean): void => {
      relaying = on
      for (const [stream, listener] of [
        [client, fromClient],
        [server, fromServer],
      ] as const) {
        if (on) stream.on('data', listener).resume()
        else stream.off('data', listener).pause()
      }
    }
    const watch = (stream: Duplex, by: 'client' | 'server'): void => {
      const closed = (): void => {
        finish({ by })
        if (client.closed && server.closed && end !== undefined) resolve(end)
      }
      stream.on('end', () => finish({ by }))
      stream.on('error', (error: Error) => finish({ by, error }))
      if (stream.closed) closed()
      else stream.on('close', closed)
    }

    // Node would close the other side of a client that has sent its last byte, and its answers could not pass.
    client.allowHalfOpen = true
    setRelaying(true)
    watch(client, 'client')
    watch(server, 'server')
  })
}

/**
 * Ends a stream so that the peer still gets what was written: the peer may close its side later, within a time limit.
 * Further data of the peer is discarded.
 */
export function endGracefully(stream: Duplex): void {
  stream.resume()
  stream.end()
  const timer = setTimeout(() => stream.destroy(), CLOSE_GRACE_MS).unref()
  stream.once('close', () => clearTimeout(timer))
}
