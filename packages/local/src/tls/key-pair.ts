/** A private key (PKCS #8) and the certificate for it, both in PEM. */
export interface KeyPair {
  readonly key: string
  readonly cert: string
}
