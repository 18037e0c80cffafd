// The names that @rudderjs/passport imports from the framework around it. No token is made or judged by any of them.
export class ServiceProvider {}
export const config = (_name, otherwise) => otherwise
export const bootNotice = (_who, what) => console.error(what)
export const report = (error) => console.error(error)
