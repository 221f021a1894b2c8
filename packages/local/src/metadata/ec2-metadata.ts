import { randomBytes } from 'node:crypto'
import type { CredentialIdentity } from '../iam/principals.ts'
import { credentialsAsAws, type Endpoint, type EndpointReply } from './endpoint.ts'

const TOKEN_PATH = '/latest/api/token'
const CREDENTIALS_PATH = '/latest/meta-data/iam/security-credentials/'
const ROLE = 'local-aurora'
const LONGEST_TTL_SECONDS = 21_600

/**
 * Returns an endpoint that behaves as EC2 instance metadata with the credentials of a role. It has version 2 alone: a
 * request without a session token from `PUT /latest/api/token` gets 401.
 * https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html
 */
export function createInstanceMetadata(source: () => CredentialIdentity): Endpoint {
  const sessions = new Map<string, number>()

  function openSession(ttl: string | string[] | undefined): EndpointReply {
    const seconds = Number(ttl)
    if (!Number.isInteger(seconds) || seconds < 1 || seconds > LONGEST_TTL_SECONDS)
      return { status: 400, body: '' }
    const token = randomBytes(24).toString('base64url')
    sessions.set(token, Date.now() + seconds * 1000)
    return { status: 200, body: token, headers: { 'x-aws-ec2-metadata-token-ttl-seconds': String(seconds) } }
  }

  return ({ method, path, headers }) => {
    if (path === TOKEN_PATH)
      return method === 'PUT'
        ? openSession(headers['x-aws-ec2-metadata-token-ttl-seconds'])
        : { status: 405, body: '' }
    const endsAt = sessions.get(String(headers['x-aws-ec2-metadata-token'])) ?? 0
    if (endsAt <= Date.now()) return { status: 401, body: '' }
    if (path === CREDENTIALS_PATH) return { status: 200, body: ROLE }
    if (path !== `${CREDENTIALS_PATH}${ROLE}`) return { status: 404, body: '' }
    const body = {
      Code: 'Success',
      Type: 'AWS-HMAC',
      LastUpdated: new Date().toISOString(),
      ...credentialsAsAws(source()),
    }
    return { status: 200, body: JSON.stringify(body) }
  }
}
