export const name: string = 'rate-limit'
