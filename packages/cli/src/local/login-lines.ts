import type { LocalAurora } from '@aurora-iam/local'

/** Returns the lines by which each kind of client logs in to a Local Aurora, ready to paste. */
export function loginLines(aurora: LocalAurora, user: string, caFile: string): string {
  const { host, port, hostname, region, database, credentials } = aurora
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const iam = `{ hostname: '${hostname}', ca: readFileSync(${JSON.stringify(caFile)}) }`
  const address = `host: '${host}', port: ${port}`
  const target = `--host ${hostname} --port ${port} --dial ${host}:${port} --user ${user}`
  return `Local Aurora listens on ${host}:${port} and expects tokens for ${hostname}:${port} in ${region}.
These credentials are valid for it alone, and while it runs:

export AWS_ACCESS_KEY_ID=${accessKeyId}
export AWS_SECRET_ACCESS_KEY=${secretAccessKey}
export AWS_SESSION_TOKEN=${sessionToken}
export AWS_REGION=${region}
export AURORA_IAM_CA='${caFile.replaceAll("'", "'\\''")}'

try it    aurora-iam doctor ${target}
mysql     aurora-iam exec ${target} --database ${database} -- mysql
mysql2    createPool(withAuroraIam({ ${address}, user: '${user}', database: '${database}' }, ${iam}))
Knex      knex(withAuroraIam({ client: 'mysql2', connection: { ${address}, user: '${user}', database: '${database}' } }, ${iam}))
TypeORM   new DataSource(withAuroraIam({ type: 'mysql', ${address}, username: '${user}', database: '${database}' }, ${iam}))
Prisma    auroraIam({ ${address}, user: '${user}', database: '${database}' }, ${iam})

`
}
