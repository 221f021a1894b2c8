/** Facts about a class of instances, as AWS documents them. */
export interface InstanceClass {
  readonly hasIamLogins: boolean
  /** Logins per second, where the class has a lower number than others. */
  readonly loginsPerSecond: number | undefined
  /** Default of `max_connections` in Aurora MySQL; undefined for a class that is not listed. */
  readonly maxConnections: number | undefined
}

/** Classes without IAM logins: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html */
const WITHOUT_IAM: ReadonlySet<string> = new Set(['db.t2.small', 'db.t3.small'])

/** Ten logins a second, in the guide up to July 2019: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html */
const LOGINS_PER_SECOND: Readonly<Record<string, number>> = { 'db.t2.micro': 10 }

/** Defaults of `max_connections`: https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html */
const MAX_CONNECTIONS: ReadonlyArray<readonly [classes: RegExp, bySize: Readonly<Record<string, number>>]> = [
  [/^t[234]g?$/, { small: 45, medium: 90, large: 135 }],
  [
    /^x2g$/,
    {
      large: 2000,
      xlarge: 3000,
      '2xlarge': 4000,
      '4xlarge': 5000,
      '8xlarge': 6000,
      '12xlarge': 7000,
      '16xlarge': 7000,
    },
  ],
  [
    /^r[3-8](g|i|gd)?$/,
    {
      large: 1000,
      xlarge: 2000,
      '2xlarge': 3000,
      '4xlarge': 4000,
      '8xlarge': 5000,
      '12xlarge': 6000,
      '16xlarge': 6000,
      '24xlarge': 7000,
      '32xlarge': 7000,
      '48xlarge': 8000,
    },
  ],
]

/** Returns the facts about a class, such as `db.r6g.large`. */
export function readInstanceClass(name: string): InstanceClass {
  const [, family = '', size = ''] = /^db\.([a-z0-9]+)\.([a-z0-9]+)$/.exec(name) ?? []
  const bySize = MAX_CONNECTIONS.find(([classes]) => classes.test(family))?.[1]
  return {
    hasIamLogins: !WITHOUT_IAM.has(name),
    loginsPerSecond: LOGINS_PER_SECOND[name],
    maxConnections: bySize?.[size],
  }
}
