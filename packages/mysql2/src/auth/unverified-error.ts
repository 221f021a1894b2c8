import { AuroraIamError } from '@aurora-iam/core/adapter'

/** mysql2 shows its TLS socket to an authentication plugin since this version. */
const FIRST_VERSION = '3.14.4'

/**
 * Returns the error for a connection whose TLS peer was not seen to be verified. A release of mysql2 before 3.14.4,
 * which a library may bring as its own copy, does not show it at all.
 *
 * @param version - of the mysql2 that the connection is from; undefined where it is unknown
 * @see https://github.com/sidorares/node-mysql2/releases/tag/v3.14.4
 */
export function unverifiedError(version: unknown): AuroraIamError {
  const problem = isTooOld(version)
    ? `mysql2 ${version} does not show whether the TLS peer is verified, so the token was not sent. Use mysql2 3.14.4 or newer: ` +
      '`npm ls mysql2` shows which package brings the old copy'
    : "The server asked for the token on a connection whose TLS peer is not verified (certificate and host name). It was not sent. Leave the driver's `ssl` as withAuroraIam set it"
  return new AuroraIamError('ERR_AURORA_IAM_TLS_REQUIRED', `${problem}.`, { option: 'ssl' })
}

function isTooOld(version: unknown): boolean {
  return String(version).localeCompare(FIRST_VERSION, 'en', { numeric: true }) < 0
}
