export const name: string = 'wire'
