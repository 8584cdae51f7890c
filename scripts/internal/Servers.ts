/**
 * The private servers of a run of tests or benchmarks: found, installed or given, started, and always stopped.
 *
 * @since 0.1.0
 */
import type { ChildProcess } from "node:child_process"
import { rmSync } from "node:fs"
import { installPackages } from "./Apt.ts"
import {
  type DatabaseProgram,
  type Durability,
  findDatabaseProgram,
  type Running,
  startDatabase,
  type StartOptions,
  startRedis
} from "./Databases.ts"
import { Failure } from "./Failure.ts"
import { prepareMysql9 } from "./Mysql9.ts"
import { findProgram, type Server, stopServer } from "./Process.ts"

const advice =
  "install a database server (mariadb-server or MySQL 8+) and redis-server, or set PILLIVERY_TEST_MYSQL_URL and " +
  "PILLIVERY_TEST_REDIS_URL; on Debian and Ubuntu, `npm test` as root installs them itself"

/** Which database, and how it flushes. */
export interface ServerOptions {
  readonly database: "machine" | "mysql9"
  readonly durability: Durability
}

/** What must be undone when the run ends. */
export class Cleanup {
  readonly #servers: Array<Server> = []
  readonly #folders: Array<string> = []
  readonly #children = new Set<ChildProcess>()
  #interrupted = false

  constructor() {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        this.#interrupted = true
        for (const child of this.#children) child.kill("SIGTERM")
        // Servers still starting make no progress once they are gone, so that `main` comes to its end.
        for (const server of this.#servers) server.child.kill("SIGTERM")
      })
    }
  }

  get isInterrupted(): boolean {
    return this.#interrupted
  }

  readonly addServer = (server: Server): void => {
    this.#servers.push(server)
  }

  readonly addFolder = (folder: string): void => {
    this.#folders.push(folder)
  }

  readonly addChild = (child: ChildProcess): void => {
    this.#children.add(child)
    child.once("exit", () => this.#children.delete(child))
  }

  readonly throwIfInterrupted = (): void => {
    if (this.#interrupted) throw new Failure("interrupted")
  }

  async run(): Promise<void> {
    await Promise.all(this.#servers.map(stopServer))
    for (const folder of this.#folders) rmSync(folder, { recursive: true, force: true })
  }
}

interface Needs {
  readonly mysqlUrl: string | undefined
  readonly redisUrl: string | undefined
}

/** Finds the programs that are still needed, installing them when they are missing and we may. */
const findPrograms = async (
  options: ServerOptions,
  needs: Needs,
  folder: string,
  cleanup: Cleanup
): Promise<{ readonly database: DatabaseProgram | undefined; readonly redis: string | undefined }> => {
  if (process.platform === "win32" && (needs.mysqlUrl === undefined || needs.redisUrl === undefined)) {
    throw new Failure(
      "on Windows run the tests inside WSL, or set PILLIVERY_TEST_MYSQL_URL and PILLIVERY_TEST_REDIS_URL"
    )
  }
  const wantsDatabase = needs.mysqlUrl === undefined && options.database === "machine"
  const find = async () => ({
    database: wantsDatabase ? await findDatabaseProgram(folder) : undefined,
    redis: needs.redisUrl === undefined ? findProgram("redis-server", "valkey-server") : undefined
  })
  const missing = ({ database, redis }: Awaited<ReturnType<typeof find>>): ReadonlyArray<string> => [
    ...(wantsDatabase && database === undefined ? ["mariadb-server"] : []),
    ...(needs.redisUrl === undefined && redis === undefined ? ["redis-server"] : [])
  ]
  let found = await find()
  const packages = missing(found)
  if (packages.length > 0) {
    await installPackages(packages, `not found: ${packages.join(", ")}. Please ${advice}`)
    found = await find()
    if (missing(found).length > 0) throw new Failure(`still not found: ${missing(found).join(", ")}. Please ${advice}`)
  }
  const database =
    needs.mysqlUrl === undefined && options.database === "mysql9"
      ? await prepareMysql9(cleanup.addFolder)
      : found.database
  return { database, redis: found.redis }
}

/** Starts what is needed and answers the environment of the tests. */
export const startServers = async (
  options: ServerOptions,
  folder: string,
  cleanup: Cleanup
): Promise<Record<string, string>> => {
  const needs: Needs = {
    mysqlUrl: process.env["PILLIVERY_TEST_MYSQL_URL"],
    redisUrl: process.env["PILLIVERY_TEST_REDIS_URL"]
  }
  const programs = await findPrograms(options, needs, folder, cleanup)
  cleanup.throwIfInterrupted()
  const startOptions: StartOptions = { folder, register: cleanup.addServer }
  const say = ({ server, version, url }: Running): string => {
    console.log(`${server.name} ${version} at ${url} (process ${server.child.pid})`)
    return url
  }
  const [mysql, redis] = await Promise.all([
    programs.database === undefined
      ? needs.mysqlUrl
      : startDatabase(programs.database, options.durability, startOptions).then(say),
    programs.redis === undefined ? needs.redisUrl : startRedis(programs.redis, startOptions).then(say)
  ])
  cleanup.throwIfInterrupted()
  return { PILLIVERY_TEST_MYSQL_URL: mysql ?? "", PILLIVERY_TEST_REDIS_URL: redis ?? "" }
}
