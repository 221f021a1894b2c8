/** The secret key and the session token that AWS's documentation shows: a test looks for them where none may be. */
export const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY'
export const SESSION = 'IQoJb3JpZ2luX2VjEXAMPLE'
export const STATIC = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: SECRET, sessionToken: SESSION }
