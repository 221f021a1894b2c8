import type { LocalAurora } from '@aurora-iam/local'
import { codeString, shellWord } from '../output/quoted.ts'

/** Returns the lines by which each kind of client logs in to a Local Aurora, ready to paste. */
export function loginLines(aurora: LocalAurora, user: string, caFile: string): string {
  const { host, port, hostname, region, database, credentials } = aurora
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const iam = `{ hostname: '${hostname}', ca: readFileSync(${codeString(caFile)}) }`
  const address = `host: '${host}', port: ${port}`
  const [name, schema] = [codeString(user), codeString(database)]
  const target = `--host ${hostname} --port ${port} --dial ${host}:${port} --user ${shellWord(user)}`
  return `Local Aurora listens on ${host}:${port} and expects tokens for ${hostname}:${port} in ${region}.
These credentials are valid for it alone, and while it runs:

export AWS_ACCESS_KEY_ID=${accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
export AWS_SESSION_TOKEN=${sessionToken}
export AWS_REGION=${region}
export AURORA_IAM_CA=${shellWord(caFile)}

try it    aurora-iam doctor ${target}
mysql     aurora-iam exec ${target} --database ${shellWord(database)} -- mysql
mysql2    createPool(withAuroraIam({ ${address}, user: ${name}, database: ${schema} }, ${iam}))
Knex      knex(withAuroraIam({ client: 'mysql2', connection: { ${address}, user: ${name}, database: ${schema} } }, ${iam}))
TypeORM   new DataSource(withAuroraIam({ type: 'mysql', ${address}, username: ${name}, database: ${schema} }, ${iam}))
Prisma    auroraIam({ ${address}, user: ${name}, database: ${schema} }, ${iam})

`
}
