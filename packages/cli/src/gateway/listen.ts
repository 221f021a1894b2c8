import { once } from 'node:events'
import { chmodSync, lstatSync, rmSync, statSync } from 'node:fs'
import { type AddressInfo, connect, type Server } from 'node:net'
import { dirname, resolve } from 'node:path'
import { CommandError } from '../options/command-error.ts'

/** A TCP address, or the path of a Unix socket. */
export type ListenAddress = { readonly host: string; readonly port: number } | { readonly socket: string }

/** Longest path of a socket. `sun_path` has 108 bytes on Linux and 104 on macOS and the BSDs, with a NUL at the end. */
export const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/**
 * Listens, and returns the address with the port that was free. A Unix socket is for its owner alone. Node removes its
 * file when the server closes.
 *
 * @throws {@link CommandError} for an address that is in use or cannot be listened on
 */
export async function listen(
  server: Server,
  address: ListenAddress,
  backlog: number,
): Promise<ListenAddress> {
  if ('socket' in address) {
    await prepareSocketPath(address.socket)
    // The file exists from `bind` on, before its mode could be changed.
    const umask = process.umask(0o177)
    server.listen({ path: address.socket, backlog })
    process.umask(umask)
    await listening(server, address.socket)
    chmodSync(address.socket, 0o600)
    return address
  }
  server.listen({ host: address.host, port: address.port, backlog, exclusive: true })
  await listening(server, `${address.host}:${address.port}`)
  return { host: address.host, port: (server.address() as AddressInfo).port }
}

async function listening(server: Server, where: string): Promise<void> {
  try {
    await once(server, 'listening')
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const remedy = REMEDIES[code ?? ''] ?? 'Give another address.'
    throw new CommandError(`${where} cannot be listened on (${code}). ${remedy}`, { cause })
  }
}

const REMEDIES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another process listens there. Stop it, or give another port.',
  EADDRNOTAVAIL: 'No interface of this machine has that address. Give one that it has.',
  EACCES: 'This user may not listen there. Give a port above 1023, or a folder that this user can write to.',
}

/**
 * Checks that a socket can be created at `path`. Removes the file that a killed process left.
 *
 * @throws {@link CommandError} for a path that is too long, whose folder is missing, or that another process or file
 * has
 */
async function prepareSocketPath(path: string): Promise<void> {
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_SOCKET_PATH_BYTES) {
    throw new CommandError(
      `The socket path has ${bytes} bytes, and the system accepts at most ${MAX_SOCKET_PATH_BYTES}. Give a shorter one.`,
    )
  }
  const folder = dirname(resolve(path))
  // Without this check Node reports a missing folder as EACCES.
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new CommandError(`${path} cannot be listened on: there is no folder ${folder}. Create it first.`)
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return
  if (!stats.isSocket())
    throw new CommandError(`${path} is a file that is no socket. Remove it, or give another path.`)
  if (await isAnswered(path))
    throw new CommandError(`${path} is in use by another process. Stop it, or give another path.`)
  rmSync(path, { force: true })
}

async function isAnswered(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ECONNREFUSED'
  } finally {
    socket.destroy()
  }
}
