import type { Duplex } from 'node:stream'
import { CommandScanner } from './command-scanner.ts'
import type { Packet } from './packet.ts'

/** A peer that has been told the end gets this long to close its side, in milliseconds. */
const CLOSE_GRACE_MS = 1000

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
}

/** How a relay came to its end. */
export interface RelayEnd {
  /** The side that ended first, or the interception that failed. */
  readonly by: 'client' | 'server' | 'interception'
  /** Why, if it was not in good order. */
  readonly error?: Error
}

/**
 * Passes bytes both ways between a logged-in client and its server until one of them ends, then ends the
 * other. A side that does not keep up holds the other one back. Resolves when both streams are closed; it
 * never rejects.
 *
 * A command is intercepted where it stands in the client's bytes: answers to commands that the client sent
 * before it, without waiting for them, may still be on their way.
 */
export function relay(client: Duplex, server: Duplex, interception?: Interception): Promise<RelayEnd> {
  return new Promise((resolve) => {
    let end: RelayEnd | undefined
    let relaying = false

    const finish = (reason: RelayEnd): void => {
      if (end !== undefined) return
      end = reason
      for (const stream of [client, server]) {
        if (reason.error === undefined) endGracefully(stream)
        else stream.destroy()
      }
    }
    const send = (from: Duplex, to: Duplex, bytes: Buffer): void => {
      if (!to.writable || to.write(bytes) || from.isPaused()) return
      from.pause()
      to.once('drain', () => relaying && from.resume())
    }
    const fromServer = (chunk: Buffer): void => send(server, client, chunk)
    const fromClient =
      interception === undefined
        ? (chunk: Buffer): void => send(client, server, chunk)
        : intercepting(interception, {
            pass: (bytes) => send(client, server, bytes),
            unread: (bytes) => client.unshift(bytes),
            stop: () => setRelaying(false),
            start: () => end === undefined && setRelaying(true),
            fail: (error) => finish({ by: 'interception', error }),
          })
    const setRelaying = (on: boolean): void => {
      relaying = on
      if (on) {
        client.on('data', fromClient).resume()
        server.on('data', fromServer).resume()
      } else {
        client.off('data', fromClient).pause()
        server.off('data', fromServer).pause()
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

    setRelaying(true)
    watch(client, 'client')
    watch(server, 'server')
  })
}

/** What an interception does to the relay around it. */
interface Control {
  pass(bytes: Buffer): void
  unread(bytes: Buffer): void
  stop(): void
  start(): void
  fail(error: Error): void
}

function intercepting({ command, maxPayloadBytes, handle }: Interception, control: Control) {
  const scanner = new CommandScanner(command, maxPayloadBytes)
  return async (chunk: Buffer): Promise<void> => {
    try {
      const scanned = scanner.push(chunk)
      for (const part of scanned.pass) control.pass(part)
      if (scanned.command === undefined) return
      control.stop()
      if (scanned.rest.length > 0) control.unread(scanned.rest)
      await handle(scanned.command)
      control.start()
    } catch (error) {
      control.fail(error instanceof Error ? error : new Error('the interception failed', { cause: error }))
    }
  }
}

/**
 * Ends a stream so that the peer still gets what was written: the peer may close its side at leisure, but not for ever.
 * What it goes on sending is thrown away.
 */
export function endGracefully(stream: Duplex): void {
  stream.resume()
  stream.end()
  const timer = setTimeout(() => stream.destroy(), CLOSE_GRACE_MS).unref()
  stream.once('close', () => clearTimeout(timer))
}
