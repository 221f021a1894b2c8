// AWS's wrapper by its documented set-up for IAM, plus what it needs to log in and to dial another address.
import { AwsMySQLClient } from 'aws-advanced-nodejs-wrapper/mysql'
import { versionOf } from '../contenders/bare.mjs'
import { worksOf } from '../contenders/works.mjs'

/** Returns a client that is not connected, and asks `provider` for credentials at each signing. */
export function wrapperClient({ hostname, port, dial, user, database, ca, iam }, provider) {
  return new AwsMySQLClient({
    host: dial.host,
    port: dial.port,
    user,
    database,
    plugins: 'iam',
    iamHost: hostname,
    iamDefaultPort: port,
    iamRegion: iam.region,
    customAwsCredentialProviderHandler: { getAwsCredentialsProvider: () => provider },
    ssl: { ca, rejectUnauthorized: true },
    // Version 2.0.1 cannot log in without it through mysql2 3.22 and newer.
    enableCleartextPlugin: true,
  })
}

export function setUp(settings) {
  let fetches = 0
  const provider = async () => {
    fetches++
    return settings.iam.credentials
  }
  const open = async () => {
    const client = wrapperClient(settings, provider)
    await client.connect()
    return client
  }
  return {
    ...worksOf({
      open,
      close: (client) => client.end(),
      query: (client) => client.query({ sql: 'SELECT 1' }),
      versions: {
        'aws-advanced-nodejs-wrapper': versionOf('aws-advanced-nodejs-wrapper', import.meta.url),
        mysql2: versionOf('mysql2', import.meta.url),
      },
    }),
    counts: () => ({ fetches }),
  }
}
