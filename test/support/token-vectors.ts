/** A token that another implementation of AWS's signing has published, or that several agree on. */
export interface TokenVector {
  readonly id: string
  /** Where it comes from. */
  readonly source: string
  readonly signedAt: string
  readonly region: string
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  readonly hostname: string
  readonly port: number
  readonly username: string
  readonly signature: string
}

export const TOKEN_VECTORS: readonly TokenVector[] = [
  {
    id: 'botocore',
    source: 'https://github.com/boto/botocore/blob/develop/tests/unit/test_signers.py',
    signedAt: '2016-11-07T17:39:33Z',
    region: 'us-east-1',
    credentials: { accessKeyId: 'akid', secretAccessKey: 'skid' },
    hostname: 'prod-instance.us-east-1.rds.amazonaws.com',
    port: 3306,
    username: 'someusername',
    signature: 'd1138cdbc0ca63eec012ec0fc6c2267e03642168f5884a7795320d4c18374c61',
  },
  {
    id: 'aws-sdk-rust',
    source: 'https://github.com/awslabs/aws-sdk-rust/blob/main/sdk/rds/src/auth_token.rs',
    signedAt: '2024-08-26T22:00:00Z',
    region: 'us-east-1',
    credentials: { accessKeyId: 'akid', secretAccessKey: 'secret' },
    hostname: 'prod-instance.us-east-1.rds.amazonaws.com',
    port: 3306,
    username: 'peccy',
    signature: 'dd0cba843009474347af724090233265628ace491ea17ce3eb3da098b983ad89',
  },
  {
    id: 'aws-sdk-js v2',
    source: 'https://github.com/aws/aws-sdk-js/blob/master/test/rds/signer.spec.js',
    signedAt: '1970-01-01T00:00:00Z',
    region: 'us-east-1',
    credentials: { accessKeyId: 'akid', secretAccessKey: 'secret' },
    hostname: 'db.us-east-1.amazonaws.com',
    port: 8000,
    username: 'test',
    signature: '6f2b4daa29668c1c264d7af7927d9d2a706768e35d92d76b461aedbaca14b6ad',
  },
  {
    id: 'carepool-aws-jdbc, with a session token',
    source: 'AWS4RdsIamTokenGeneratorTest.java of carepool-aws-jdbc',
    signedAt: '2018-09-19T16:02:42Z',
    region: 'eu-west-1',
    credentials: {
      accessKeyId: 'IAMKEYINSTANCE',
      secretAccessKey: 'asdfqwertypolly',
      sessionToken: 'mytoken',
    },
    hostname: 'dbhost.xyz.eu-west-1.amazonaws.com',
    port: 3306,
    username: 'iam_user',
    signature: '8966604a85aa991ef9bed5135aa8565e0e22ae375d2b85892a16e1a642ae0bd1',
  },
  {
    id: 'a session token that needs encoding',
    source: 'three implementations agree',
    signedAt: '2026-11-23T12:34:56Z',
    region: 'eu-west-1',
    credentials: {
      accessKeyId: 'ASIAEXAMPLEKEY000001',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      sessionToken: 'IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJ+abc+DEF/ghi==',
    },
    hostname: 'mydb.cluster-abcdefghijkl.eu-west-1.rds.amazonaws.com',
    port: 3306,
    username: 'app_user',
    signature: '84d70aae6c0d88213d982b3a3540f9128691b09b698cefa1de7394b912bd17f7',
  },
  {
    id: 'GovCloud, another port, a second before midnight',
    source: 'three implementations agree',
    signedAt: '2026-11-23T23:59:59Z',
    region: 'us-gov-west-1',
    credentials: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
    },
    hostname: 'mydb.cluster-ro-abcdefghijkl.us-gov-west-1.rds.amazonaws.com',
    port: 3307,
    username: 'ro',
    signature: 'fd4f3bff765c3f8072afb995d91d8bfc15dc96c57d8e320cd8daea4d04dcea8e',
  },
  {
    id: 'RDS Proxy, a user name that needs encoding, a leap day',
    source: 'three implementations agree',
    signedAt: '2028-02-29T06:07:08Z',
    region: 'us-east-1',
    credentials: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      sessionToken: 'token',
    },
    hostname: 'px.proxy-abcdefghijkl.us-east-1.rds.amazonaws.com',
    port: 3306,
    username: 'svc@example.com',
    signature: 'c1db7fa149c5baf175cee86853197852d74c1d485e74204c16af383ce2be49f4',
  },
]

/** The first vector as a signer that signs more than the host header would have it. */
export const WRONG_SIGNATURE = 'd5c838ff074ccc8246e3ee56dd8607b106afb5624321cb5ad982e57fcd346dfa'
