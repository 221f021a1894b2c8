import { randomBytes } from 'node:crypto'
import { type Authorize, compilePolicy, type PolicyDocument } from './policy.ts'

/** Credentials in the shape of the AWS SDK for JavaScript. */
export interface CredentialIdentity {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Present with temporary credentials. */
  readonly sessionToken?: string
  /** Time at which temporary credentials expire, and with them every token that they signed. */
  readonly expiration?: Date
}

/** Identity whose tokens Local Aurora can verify. */
export interface Principal extends CredentialIdentity {
  /**
   * Permissions of the principal.
   *
   * @defaultValue `rds-db:connect` on every resource
   */
  readonly policy?: PolicyDocument
  /** Name of the principal in rejections. @defaultValue its access key id */
  readonly arn?: string
}

/** A principal with its compiled policy. */
export interface KnownPrincipal extends Principal {
  readonly authorize: Authorize
}

const ALLOW_CONNECT: PolicyDocument = {
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'rds-db:connect', Resource: '*' },
}

/** The principals that one Local Aurora knows, by access key id. */
export class Principals {
  readonly #known = new Map<string, KnownPrincipal>()

  constructor(principals: Iterable<Principal>) {
    for (const principal of principals) this.add(principal)
  }

  /**
   * Adds a principal. It replaces one with the same access key id.
   *
   * @throws {@link LocalAuroraError} `ERR_LOCAL_AURORA_INVALID_OPTION`: its policy cannot be evaluated
   */
  add(principal: Principal): void {
    const authorize = compilePolicy(principal.policy ?? ALLOW_CONNECT)
    this.#known.set(principal.accessKeyId, { ...principal, authorize })
  }

  /** Removes a principal, as if its access key had been deleted. */
  remove(accessKeyId: string): void {
    this.#known.delete(accessKeyId)
  }

  /** Returns a principal by its access key id; undefined for an unknown one. */
  get(accessKeyId: string): KnownPrincipal | undefined {
    return this.#known.get(accessKeyId)
  }
}

/** Bytes of a session token. With it a token is longer than 1 KB, as those of real roles are. */
const SESSION_TOKEN_BYTES = 600

/**
 * Returns temporary credentials of random keys, as long as those of an assumed role. They are valid for a Local Aurora
 * that knows them, and for nothing else.
 */
export function createPrincipal(details: Pick<Principal, 'policy' | 'arn' | 'expiration'> = {}): Principal {
  return {
    ...details,
    accessKeyId: `ASIA${base32(16)}`,
    secretAccessKey: randomBytes(30).toString('base64'),
    sessionToken: randomBytes(SESSION_TOKEN_BYTES).toString('base64'),
  }
}

function base32(length: number): string {
  return Array.from(randomBytes(length), (byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32]).join('')
}
