export const name: string = 'local'
