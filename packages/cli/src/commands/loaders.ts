import type { MakeCommand } from './command.ts'
import type { CommandName } from './descriptions.ts'

/** Loaders of each command's module: a run of the program needs one of them, and its help none. */
export const LOADERS: Readonly<Record<CommandName, () => Promise<MakeCommand>>> = {
  exec: async () => (await import('./exec.ts')).execCommand,
  proxy: async () => (await import('./proxy.ts')).proxyCommand,
  token: async () => (await import('./token.ts')).tokenCommand,
  explain: async () => (await import('./explain.ts')).explainCommand,
  doctor: async () => (await import('./doctor.ts')).doctorCommand,
  policy: async () => (await import('./access.ts')).policyCommand,
  sql: async () => (await import('./access.ts')).sqlCommand,
  terraform: async () => (await import('./access.ts')).terraformCommand,
  cdk: async () => (await import('./access.ts')).cdkCommand,
  ca: async () => (await import('./ca.ts')).caCommand,
  local: async () => (await import('./local.ts')).localCommand,
  plan: async () => (await import('./plan.ts')).planCommand,
  fleet: async () => (await import('./fleet.ts')).fleetCommand,
  completion: async () => (await import('./completion.ts')).completionCommand,
}
