import { type AdapterIam, type ConnectionTarget, endpointKey } from '@aurora-iam/core/adapter'
import type { NodeOptions, Replication } from './data-source-types.ts'
import { conflict, invalid } from './refusals.ts'
import { type Resolved, resolveNode } from './resolve-node.ts'

// mysql2 marks a node offline after five failed logins, which take milliseconds. It must come back soon after that.
const RESTORE_NODE_TIMEOUT_MS = 1_000

/**
 * Resolves the writer and each reader of `replication`. Sets the pause after which mysql2 tries an offline node again.
 *
 * @throws {@link AuroraIamError} as {@link resolveNode}, with the names of the nodes' options, and for a
 * `restoreNodeTimeout` of 0
 */
export function resolveReplication(iam: AdapterIam, replication: Replication): Resolved<Replication> {
  const { master, slaves, ...cluster } = replication
  if (!Array.isArray(slaves)) throw invalid('replication.slaves', 'an array of readers', slaves)
  const writer = resolveReplicationNode(iam, master, 'replication.master')
  const readers = slaves.map((slave, index) =>
    resolveReplicationNode(iam, slave, `replication.slaves[${index}]`),
  )
  const [first] = writer.targets
  const targets = [first, ...readers.flatMap((reader) => reader.targets)] as const
  assertOneAddressEach(targets)
  return {
    options: {
      ...cluster,
      restoreNodeTimeout: restoreNodeTimeout(cluster.restoreNodeTimeout),
      master: writer.options,
      slaves: readers.map(({ options }) => options),
    },
    targets,
  }
}

/**
 * Returns the pause after which mysql2 tries an offline node again. mysql2's own default of 0 removes the node
 * indefinitely.
 */
function restoreNodeTimeout(given = RESTORE_NODE_TIMEOUT_MS): number {
  if (given > 0) return given
  throw conflict(
    'replication.restoreNodeTimeout',
    'with 0, mysql2 removes a node indefinitely after five failed connections. Give milliseconds, such as 1000',
  )
}

function resolveReplicationNode(iam: AdapterIam, node: NodeOptions, path: string): Resolved<NodeOptions> {
  if (typeof node !== 'object' || node === null) {
    throw invalid(path, 'an object with host, port, username and database', node)
  }
  if (node.ssl !== undefined && node.ssl !== null) {
    throw conflict(
      `${path}.ssl`,
      'TypeORM ignores the `ssl` of a node. Leave it out: each node is verified by its own name. Other certificate authorities go into `ca`',
    )
  }
  return resolveNode(iam, node, `${path}.`)
}

/** Checks that each signed name and port has one address: mysql2 knows a connection by them. */
function assertOneAddressEach(targets: readonly ConnectionTarget[]): void {
  const places = new Map<string, string>()
  for (const { hostname, port, fixedAddress } of targets) {
    // A function of the caller decides for each connection.
    if (!fixedAddress) continue
    const endpoint = endpointKey({ hostname, port })
    const dialled = `${fixedAddress.host}:${fixedAddress.port}`
    const already = places.get(endpoint) ?? dialled
    places.set(endpoint, already)
    if (already === dialled) continue
    throw conflict(
      'hostname',
      `Nodes at ${already} and at ${dialled} would both be signed as ${endpoint}. Give each node its own endpoint as \`host\`, and \`dial\` as a function that says where to connect`,
    )
  }
}
