import { UsageError } from './usage-error.ts'

/**
 * Refuses a URL with an @ behind its host. The password then has a character that ends the host, and a part of it would
 * be taken for the host.
 *
 * @throws {@link UsageError} which quotes nothing of the URL
 */
export function assertEncodedPassword(url: URL, option: string): void {
  if (!/@/.test(url.pathname + url.search + url.hash)) return
  throw new UsageError(
    `${option}: there is an @ behind the host. Encode the password: @ is %40, / is %2F, ? is %3F and # is %23.`,
  )
}
