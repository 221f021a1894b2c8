import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { CredentialIdentity } from '../iam/principals.ts'
import { createContainerCredentials } from './container-credentials.ts'
import { createInstanceMetadata } from './ec2-metadata.ts'
import type { Endpoint } from './endpoint.ts'

/** Fault of an endpoint: `hang` never answers, and `error` answers 500. */
export type CredentialFault = 'hang' | 'error'

/** Endpoints on loopback that AWS SDKs fetch a role's credentials from. */
export interface CredentialEndpoints {
  /** URL of the EC2 instance metadata, for `AWS_EC2_METADATA_SERVICE_ENDPOINT`. */
  readonly imdsEndpoint: string
  /** URL of the container credentials, for `AWS_CONTAINER_CREDENTIALS_FULL_URI`. */
  readonly containerUrl: string
  /** Token that {@link CredentialEndpoints.containerUrl} requires, for `AWS_CONTAINER_AUTHORIZATION_TOKEN`. */
  readonly authorizationToken: string
  /** Number of requests so far, rejected ones included. */
  readonly requests: number
  /** Returns the environment variables by which an AWS SDK uses these endpoints. */
  environment(kind: 'ec2' | 'container'): Record<string, string>
  /** Sets the fault of every request from now on. `undefined` ends it. */
  setFault(fault: CredentialFault | undefined): void
  /** Ends the server and the requests that hang. May be called again. */
  close(): Promise<void>
}

const CONTAINER_PATH = '/v1/credentials'

/**
 * Starts one server on 127.0.0.1 that returns the credentials of `source` as EC2 and as containers do. It does not keep
 * the process alive.
 *
 * @param source - returns the current identity. It is called for every request that gets credentials, and must not
 * throw
 */
export async function startCredentialEndpoints(
  source: () => CredentialIdentity,
): Promise<CredentialEndpoints> {
  const authorizationToken = randomBytes(24).toString('base64url')
  const instance = createInstanceMetadata(source)
  const container = createContainerCredentials(source, authorizationToken)
  let requests = 0
  let fault: CredentialFault | undefined

  const server = createServer((request, response) => {
    requests += 1
    request.resume()
    if (fault === 'hang') return
    const { method = 'GET', url: path = '/', headers } = request
    const endpoint = fault === 'error' ? brokenEndpoint : path === CONTAINER_PATH ? container : instance
    const reply = endpoint({ method, path, headers })
    response.writeHead(reply.status, reply.headers).end(reply.body)
  })
  server.on('connection', (socket) => socket.unref())
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  server.unref()
  const imdsEndpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const containerUrl = `${imdsEndpoint}${CONTAINER_PATH}`

  return {
    imdsEndpoint,
    containerUrl,
    authorizationToken,
    get requests() {
      return requests
    },
    environment(kind): Record<string, string> {
      if (kind === 'ec2') return { AWS_EC2_METADATA_SERVICE_ENDPOINT: imdsEndpoint }
      return {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: containerUrl,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: authorizationToken,
      }
    },
    setFault(next) {
      fault = next
    },
    async close() {
      if (!server.listening) return
      const closed = new Promise((resolve) => server.once('close', resolve))
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

const brokenEndpoint: Endpoint = () => ({ status: 500, body: '' })
