/** Oldest version of an engine with IAM logins. */
export interface Engine {
  /** Name and version, for people. */
  readonly name: string
  /** Undefined if AWS documents none for the engine. */
  readonly minimum: string | undefined
}

/** Aurora MySQL: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html (copies until 2020) */
const AURORA = '1.10'

/** RDS: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.RDS_Fea_Regions_DB-eng.Feature.IamDatabaseAuthentication.html */
const MARIADB = '10.11'

/** RDS for MySQL: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html (copies until 2020) */
const MYSQL: ReadonlyArray<readonly [release: string, minimum: string]> = [
  ['5.6', '5.6.34'],
  ['5.7', '5.7.16'],
  ['8.0', '8.0.16'],
  ['8.4', '8.4.0'],
]

/**
 * Returns the engine of a server.
 *
 * @param version - The answer to `SELECT @@version`.
 * @param aurora - The answer to `SELECT AURORA_VERSION()`; undefined where that is no function.
 */
export function engineOf(version: string, aurora: string | undefined): Engine {
  if (aurora !== undefined) return { name: `Aurora MySQL ${aurora} (MySQL ${version})`, minimum: AURORA }
  if (/mariadb/i.test(version)) return { name: `MariaDB ${version}`, minimum: MARIADB }
  const minimum = MYSQL.find(([release]) => version.startsWith(`${release}.`))?.[1]
  return { name: `MySQL ${version}`, minimum }
}

/** Returns whether `version` is `minimum` or newer. Text behind the numbers, such as `-log`, does not count. */
export function isAtLeast(version: string, minimum: string): boolean {
  const given = version.split(/[.-]/).map(Number)
  for (const [index, least] of minimum.split('.').map(Number).entries()) {
    const number = given[index] ?? 0
    if (number !== least) return number > least
  }
  return true
}
