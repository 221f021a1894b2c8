export const name: string = 'mysql2'
