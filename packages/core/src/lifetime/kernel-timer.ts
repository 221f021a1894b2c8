import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { SingleFlight } from '../util/single-flight.ts'

/** The timer that the kernel runs for a TCP connection. */
export interface KernelTimer {
  /** `retransmit`: data was sent and not acknowledged. `keep-alive`: everything was acknowledged. */
  readonly kind: 'none' | 'retransmit' | 'keep-alive' | 'other'
  /** Count of the times that the same data was sent again without an answer. */
  readonly retransmits: number
}

const KINDS: Readonly<Record<string, KernelTimer['kind']>> = {
  '00': 'none',
  '01': 'retransmit',
  '02': 'keep-alive',
}

/** The table has all connections of the machine: callers of one moment share it. */
const tables = new SingleFlight<string, string>()

/**
 * Returns the timer of `socket`, as Linux reports it; undefined on another system, and for a socket that is closed.
 *
 * @see https://www.kernel.org/doc/Documentation/networking/proc_net_tcp.txt
 */
export async function kernelTimerOf(socket: Socket): Promise<KernelTimer | undefined> {
  const { localPort, remotePort, localFamily } = socket
  if (localPort === undefined || remotePort === undefined) return undefined
  const file = localFamily === 'IPv6' ? '/proc/self/net/tcp6' : '/proc/self/net/tcp'
  const table = await tables.run(file, () => readFile(file, 'latin1').catch(() => ''))
  return readKernelTimer(table, localPort, remotePort)
}

/**
 * Returns the timer of the connection between two ports in the text of `/proc/net/tcp`. Linux gives the same local port
 * to connections that lead to several addresses: their timers cannot be told apart, so that neither is reported.
 */
export function readKernelTimer(
  table: string,
  localPort: number,
  remotePort: number,
): KernelTimer | undefined {
  const [localEnd, remoteEnd] = [endOf(localPort), endOf(remotePort)]
  const [connection, ...others] = table
    .split('\n')
    .map((line) => line.trim().split(' '))
    .filter(([, local = '', remote = '']) => local.endsWith(localEnd) && remote.endsWith(remoteEnd))
  if (!connection) return undefined
  if (others.length > 0) return { kind: 'other', retransmits: 0 }
  const [, , , , , timer = '', retransmits = ''] = connection
  return { kind: KINDS[timer.slice(0, 2)] ?? 'other', retransmits: Number.parseInt(retransmits, 16) }
}

function endOf(port: number): string {
  return `:${port.toString(16).toUpperCase().padStart(4, '0')}`
}
