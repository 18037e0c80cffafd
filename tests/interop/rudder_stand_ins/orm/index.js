// Tables in memory: as much of a model as @rudderjs/passport needs to issue a token to a client or a user.
import { randomUUID } from 'node:crypto'

const tables = new Map()

export class Model {
  static get rows() {
    if (!tables.has(this.table)) tables.set(this.table, [])
    return tables.get(this.table)
  }
  static async create(values) {
    const row = Object.assign(new this(), { id: randomUUID(), revoked: false }, values)
    this.rows.push(row)
    return row
  }
  static where(column, value) {
    const found = () => this.rows.filter((row) => row[column] === value)
    return { first: async () => found()[0] ?? null, get: async () => found() }
  }
  static async find(id) {
    return this.where('id', id).first()
  }
}

export const Hidden = () => {}
export const Cast = () => () => {}
