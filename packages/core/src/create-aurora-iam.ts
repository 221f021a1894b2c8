import type { AdapterIam } from './adapter-iam.ts'
import type { AuroraIam, AuroraIamStats } from './aurora-iam.ts'
import type { TokenTarget } from './endpoint/connection-target.ts'
import { AuroraIamError } from './errors.ts'
import { LoginCoordinator } from './login/login-coordinator.ts'
import type { AuroraIamOptions } from './options.ts'
import type { AuthToken } from './token/auth-token.ts'

/**
 * Creates an {@link AuroraIam}. It loads, opens and asks nothing before the first token.
 *
 * @throws {@link AuroraIamError} for any option that is unknown, invalid or contradicts another
 */
export function createAuroraIam(options: AuroraIamOptions = {}): AuroraIam {
  if (isAuroraIam(options)) {
    throw invalid(
      'createAuroraIam takes options, got an AuroraIam, which it returned before. Use that object unchanged.',
    )
  }
  if (options instanceof Promise) {
    throw invalid('expected options or what createAuroraIam returned, got a promise. Await it first.')
  }
  return new Iam(options)
}

/**
 * Returns what adapters are built on: of `iam` if it is an {@link AuroraIam}, else of a new one with these options. It
 * is an {@link AuroraIam} too, for an adapter that hands it on to another.
 *
 * @throws {@link AuroraIamError} for any option that is unknown, invalid or contradicts another;
 * `ERR_AURORA_IAM_INVALID_OPTION` for an {@link AuroraIam} of an incompatible copy of this package
 */
export function adapterIam(iam?: AuroraIam | AuroraIamOptions): AdapterIam {
  const known = coordinators().get(iam as AuroraIam)
  if (known) return known
  if (isAuroraIam(iam)) {
    throw invalid(
      'expected what createAuroraIam returned, got an object of another release of @aurora-iam/core, or a copy of ' +
        'one. Pass the object unchanged, and install one release for all @aurora-iam packages (npm ls @aurora-iam/core).',
    )
  }
  return adapterIam(createAuroraIam(iam))
}

function invalid(problem: string): AuroraIamError {
  return new AuroraIamError('ERR_AURORA_IAM_INVALID_OPTION', `iam: ${problem}`, { option: 'iam' })
}

function isAuroraIam(value: AuroraIam | AuroraIamOptions | undefined): value is AuroraIam {
  return typeof (value as Partial<AuroraIam> | undefined)?.token === 'function'
}

/** The object that users hold. Its members are the public ones, and its printed form shows no secret. */
class Iam implements AuroraIam {
  readonly #coordinator: LoginCoordinator

  constructor(options: AuroraIamOptions) {
    this.#coordinator = new LoginCoordinator(options)
    // An adapter hands on its own view to the adapter that it is built on.
    for (const key of [this, this.#coordinator]) coordinators().set(key, this.#coordinator)
  }

  token(target: TokenTarget): Promise<AuthToken> {
    return this.#coordinator.token(target)
  }

  stats(): AuroraIamStats {
    return this.#coordinator.stats()
  }

  close(): void {
    this.#coordinator.close()
  }
}

/**
 * Process-wide, so that an adapter with its own copy of this package serves an {@link AuroraIam} of another copy. The
 * number changes with the shape of {@link AdapterIam}.
 */
const registryKey = Symbol.for('@aurora-iam/core/coordinators/1')

function coordinators(): WeakMap<AuroraIam, AdapterIam> {
  const holder = globalThis as { [registryKey]?: WeakMap<AuroraIam, AdapterIam> }
  holder[registryKey] ??= new WeakMap()
  return holder[registryKey]
}
