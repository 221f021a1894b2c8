/** The commands and what they do, in the order of the help. */
export const DESCRIPTIONS = {
  exec: 'Run a command with a database URL that works: on loopback, with a one-time password. Each of its connections logs in to the database with a live token over verified TLS',
  proxy:
    'Keep a server open on this machine whose sessions are those of an Aurora user. SIGTERM drains it, SIGHUP reloads it',
  token:
    'Print a token, for scripts and for tools with a password command. The token is a secret for 15 minutes',
  explain: 'Show the fields of a token, without its secrets, and why the server would reject it',
  doctor: 'Log in once as a program does, and report for each step whether it works',
  policy: 'Write the IAM policy that allows a login, or check policies for it',
  sql: 'Write the SQL that creates the database user for tokens',
  terraform: 'Write Terraform for the IAM policy that allows a login',
  cdk: 'Write AWS CDK (TypeScript) for the IAM policy that allows a login',
  ca: 'Fetch the certificate authorities of Amazon RDS for a Region, verify them, and store them where all commands look',
  local: 'Run an Aurora MySQL for this machine alone, which expects TLS and IAM tokens',
  plan: 'Simulate a cold start, a rolling deploy and a failover of a fleet: without a limiter, with one in each process, and with one that the fleet shares',
  fleet: 'Show who holds the permits of a fleet that shares a limit over Redis, and who waits',
  completion: 'Print the completion script of a shell',
} as const

/** Name of a command. */
export type CommandName = keyof typeof DESCRIPTIONS
