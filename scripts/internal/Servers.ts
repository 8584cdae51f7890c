/**
 * The private servers of a run of tests or benchmarks: found, installed or given, started, and always stopped. The browser
 * of the tests is found and installed with them; whoever uses it starts it.
 *
 * @since 0.1.0
 */
import type { ChildProcess } from "node:child_process"
import { rmSync } from "node:fs"
import { installPackages } from "./Apt.ts"
import { findBrowser, hasKoreanFont } from "./Browsers.ts"
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
  "PILLIVERY_TEST_REDIS_URL"
const browserAdvice =
  "install Chromium or Chrome and a Korean font (chromium, fontconfig and fonts-noto-cjk on Debian), or set " +
  "PILLIVERY_TEST_CHROMIUM to the path of a Chromium"
const installerAdvice = "on Debian and Ubuntu, `npm test` as root installs what their packages offer"

/** Which database, how it flushes, and whether a browser is needed too. */
export interface ServerOptions {
  readonly database: "machine" | "mysql9"
  readonly durability: Durability
  readonly needsBrowser: boolean
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
  /** Path of the browser. */
  readonly chromium: string | undefined
}

interface Programs {
  readonly database: DatabaseProgram | undefined
  readonly redis: string | undefined
  readonly browser: string | undefined
}

/** Finds the programs that are still needed, installing them when they are missing and we may. */
const findPrograms = async (
  options: ServerOptions,
  needs: Needs,
  folder: string,
  cleanup: Cleanup
): Promise<Programs> => {
  if (process.platform === "win32" && (needs.mysqlUrl === undefined || needs.redisUrl === undefined)) {
    throw new Failure(
      "on Windows run the tests inside WSL, or set PILLIVERY_TEST_MYSQL_URL and PILLIVERY_TEST_REDIS_URL"
    )
  }
  const wantsDatabase = needs.mysqlUrl === undefined && options.database === "machine"
  const wantsBrowser = options.needsBrowser && needs.chromium === undefined
  const find = async () => ({
    database: wantsDatabase ? await findDatabaseProgram(folder) : undefined,
    redis: needs.redisUrl === undefined ? findProgram("redis-server", "valkey-server") : undefined,
    browser: wantsBrowser ? findBrowser() : undefined,
    hasFont: !wantsBrowser || (await hasKoreanFont())
  })
  const missing = (found: Awaited<ReturnType<typeof find>>) => ({
    servers: [
      ...(wantsDatabase && found.database === undefined ? ["mariadb-server"] : []),
      ...(needs.redisUrl === undefined && found.redis === undefined ? ["redis-server"] : [])
    ],
    browser: [
      ...(wantsBrowser && found.browser === undefined ? ["chromium"] : []),
      ...(found.hasFont ? [] : ["fontconfig", "fonts-noto-cjk"])
    ]
  })
  const advise = ({ browser, servers }: ReturnType<typeof missing>): string =>
    [...(servers.length > 0 ? [advice] : []), ...(browser.length > 0 ? [browserAdvice] : []), installerAdvice].join(
      "; "
    )
  let found = await find()
  const absent = missing(found)
  const packages = [...absent.servers, ...absent.browser]
  if (packages.length > 0) {
    await installPackages(packages, `not found: ${packages.join(", ")}. Please ${advise(absent)}`)
    found = await find()
    const still = missing(found)
    const names = [...still.servers, ...still.browser]
    if (names.length > 0) throw new Failure(`still not found: ${names.join(", ")}. Please ${advise(still)}`)
  }
  const database =
    needs.mysqlUrl === undefined && options.database === "mysql9"
      ? await prepareMysql9(cleanup.addFolder)
      : found.database
  return { database, redis: found.redis, browser: needs.chromium ?? found.browser }
}

/** Starts what is needed and answers the environment of the tests. */
export const startServers = async (
  options: ServerOptions,
  folder: string,
  cleanup: Cleanup
): Promise<Record<string, string>> => {
  const needs: Needs = {
    mysqlUrl: process.env["PILLIVERY_TEST_MYSQL_URL"],
    redisUrl: process.env["PILLIVERY_TEST_REDIS_URL"],
    chromium: process.env["PILLIVERY_TEST_CHROMIUM"]
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
  return {
    PILLIVERY_TEST_MYSQL_URL: mysql ?? "",
    PILLIVERY_TEST_REDIS_URL: redis ?? "",
    ...(programs.browser === undefined ? {} : { PILLIVERY_TEST_CHROMIUM: programs.browser })
  }
}
