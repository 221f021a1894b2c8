/**
 * Remedies for errors of the server that name their reason, by number. Some come in place of the greeting.
 *
 * @see https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/rds-proxy.troubleshooting.html
 * @see https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html
 */
const REMEDIES: Readonly<Record<number, readonly string[]>> = {
  1040: ['It takes no more connections now. Make the pools smaller, end what is idle, or try again.'],
  1041: [
    'The database is out of memory; IAM authentication needs 300 to 1000 MiB. Use a larger instance class.',
  ],
  1042: ['The database could not resolve the address of this machine. Set its parameter skip_name_resolve.'],
  1044: ['The user is accepted and may not use this database. Grant it, or leave --database out.'],
  1049: ['The user is accepted, and there is no such database. Correct --database.'],
  1105: ['RDS Proxy failed without a reason. Try again; its log in CloudWatch has more (debug logging on).'],
  1129: [
    'The database blocks this address after many broken connections: `FLUSH HOSTS` (or TRUNCATE TABLE',
    'performance_schema.host_cache) by an administrator unblocks it. Look for a health check that connects and leaves.',
  ],
  1130: [
    'No user may log in from the address of this machine. `SELECT user, host FROM mysql.user` shows from where each may.',
  ],
  1203: [
    'The user has as many connections as it may have. Make the pools smaller, or raise max_user_connections.',
  ],
  1226: ['A limit of this user is reached. `SHOW CREATE USER` shows it, and ALTER USER … WITH raises it.'],
  1524: [
    'IAM authentication is off, or the instance class does not support it. Switch it on:',
    'aws rds modify-db-cluster (or modify-db-instance) --enable-iam-database-authentication --apply-immediately',
  ],
  3159: ['The server demands TLS and did not get it: something between here and the database removes it.'],
  9501: [
    'RDS Proxy had no database connection free in time. Check `aws rds describe-db-proxy-targets` (its State must be',
    'AVAILABLE), MaxConnectionsPercent and ConnectionBorrowTimeout of the proxy.',
  ],
}

// RDS Proxy reports its rate limits with the number of "Too many connections".
const PROXY_RATE = /rate limit|simultaneous connections exceeded/i

/** Returns what to do about an error of the server; nothing for an error without a special remedy. */
export function serverErrorRemedies(errno: number, message: string): readonly string[] {
  if (errno === 1040 && PROXY_RATE.test(message)) {
    return [
      'RDS Proxy limits the rate of new connections. Open fewer at once: keep pools open, and share one `rateLimit` between',
      'all processes.',
    ]
  }
  return REMEDIES[errno] ?? []
}
