import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { LocalAuroraError } from '../errors.ts'
import { quote } from '../printable.ts'
import { createTemporaryFolder } from '../temporary-folder.ts'
import type { KeyPair } from '../tls/key-pair.ts'

/** Longest path of a socket, without the NUL at its end: https://man7.org/linux/man-pages/man7/unix.7.html; macOS and the BSDs have four bytes less. */
const MAX_SOCKET_PATH_BYTES = process.platform === 'linux' ? 107 : 103

/**
 * Creates the folder of one server. Only its owner may enter, so that no other user of the machine reaches the socket.
 *
 * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`: `TMPDIR` is too long or cannot be used
 */
export async function createFolder(): Promise<string> {
  const parent = resolve(tmpdir())
  const socketBytes = Buffer.byteLength(join(parent, 'aurora-iam-XXXXXX', 'socket'))
  if (socketBytes > MAX_SOCKET_PATH_BYTES) {
    const limit = MAX_SOCKET_PATH_BYTES - socketBytes + Buffer.byteLength(parent)
    const message =
      `TMPDIR: ${quote(parent)} is too long for the path of a Unix socket: it has ` +
      `${Buffer.byteLength(parent)} bytes, the limit is ${limit}. Set TMPDIR to a shorter path, such as /tmp`
    throw new LocalAuroraError('ERR_LOCAL_AURORA_INVALID_OPTION', message, { option: 'TMPDIR' })
  }
  return createTemporaryFolder()
}

/** Writes the certificate into the folder. Returns the options of the server for it. */
export async function writeCertificate(folder: string, { key, cert }: KeyPair): Promise<string[]> {
  const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
  await Promise.all([writeFile(keyFile, key, { mode: 0o600 }), writeFile(certFile, cert)])
  return [`--ssl-key=${keyFile}`, `--ssl-cert=${certFile}`]
}
