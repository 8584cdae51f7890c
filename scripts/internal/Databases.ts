/**
 * Private database and Redis servers for one test run: free loopback ports, data in a temporary folder.
 *
 * @since 0.1.0
 */
import { mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs"
import { connect } from "node:net"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { createConnection } from "mysql2/promise"
import { Failure } from "./Failure.ts"
import { findProgram, freePort, lastLines, run, type Server, startServer, stopServer } from "./Process.ts"

const initialiseTimeoutMillis = 120_000
const readyTimeoutMillis = 60_000
const readyPollMillis = 100
const pingTimeoutMillis = 2_000
const startTriesMax = 3
const logLinesMax = 15
const bufferPoolSize = "128M"
const connectionsMax = 300

/** The database named in the URL. Tests make databases of their own beside it. */
export const databaseName = "pillivery_test"

/**
 * `relaxed` leaves flushing to the operating system: a killed *server* may forget its last second, a killed client
 * forgets nothing. `default` is what production runs.
 */
export type Durability = "relaxed" | "default"

/** A running server and the URL under which tests find it. */
export interface Running {
  readonly server: Server
  readonly url: string
  /** Name and version, as the server gives them. */
  readonly version: string
}

export interface StartOptions {
  /** The temporary folder of this run. */
  readonly folder: string
  /** Told of a server as soon as it has a process, so that it is stopped even when it never becomes ready. */
  readonly register: (server: Server) => void
}

/** How to run a database server: MariaDB or MySQL of the machine, or MySQL in a folder of its own. */
export interface DatabaseProgram {
  readonly flavour: "mariadb" | "mysql"
  /** The command and its first arguments, e.g. `chroot FOLDER mysqld`. */
  readonly command: ReadonlyArray<string>
  /** MariaDB's program that makes a data folder; MySQL does it itself. */
  readonly installer?: string
  /** The host's path of a path that the server sees. They differ inside a chroot. */
  readonly hostPath: (path: string) => string
  /** The folder for data and sockets, as the server sees it. */
  readonly folder: string
}

/** The MariaDB or MySQL of this machine, if it has one. */
export const findDatabaseProgram = async (folder: string): Promise<DatabaseProgram | undefined> => {
  const server = findProgram("mariadbd", "mysqld")
  if (server === undefined) return undefined
  const version = await run(server, ["--no-defaults", "--version"], { timeoutMillis: pingTimeoutMillis * 5 })
  const common = { command: [server], hostPath: (path: string) => path, folder: join(folder, "mysql") }
  if (!/mariadb/i.test(version.output)) return { ...common, flavour: "mysql" }
  const installer = findProgram("mariadb-install-db", "mysql_install_db")
  return installer === undefined ? undefined : { ...common, flavour: "mariadb", installer }
}

/** Root may run the servers only when told so by name. */
const userOption: ReadonlyArray<string> = process.getuid?.() === 0 ? ["--user=root"] : []

const initialSql = [
  "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1'",
  "GRANT ALL PRIVILEGES ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION",
  `CREATE DATABASE IF NOT EXISTS ${databaseName} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`
]

const initialise = async (program: DatabaseProgram, data: string): Promise<void> => {
  const [command = "", ...first] = program.command
  const finished =
    program.installer === undefined
      ? await run(
          command,
          [
            ...first,
            "--no-defaults",
            ...userOption,
            "--secure-file-priv=",
            "--initialize-insecure",
            `--datadir=${data}`
          ],
          { timeoutMillis: initialiseTimeoutMillis }
        )
      : await run(
          program.installer,
          [
            "--no-defaults",
            ...userOption,
            `--datadir=${data}`,
            "--auth-root-authentication-method=normal",
            "--skip-test-db"
          ],
          { timeoutMillis: initialiseTimeoutMillis }
        )
  if (finished.code !== 0) {
    throw new Failure(`the database could not make its data folder:\n${lastLines(finished.output, logLinesMax)}`)
  }
}

const databaseOptions = (program: DatabaseProgram, port: number, durability: Durability): ReadonlyArray<string> => {
  const { folder, flavour } = program
  return [
    "--no-defaults",
    ...userOption,
    `--datadir=${folder}/data`,
    `--socket=${folder}/mysql.sock`,
    `--pid-file=${folder}/mysql.pid`,
    `--init-file=${folder}/init.sql`,
    `--tmpdir=${folder}`,
    "--bind-address=127.0.0.1",
    `--port=${port}`,
    "--skip-name-resolve",
    `--max-connections=${connectionsMax}`,
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    // Korea's time on purpose: code that forgets to set its session to UTC must fail here, not in production.
    "--default-time-zone=+09:00",
    `--innodb-buffer-pool-size=${bufferPoolSize}`,
    "--performance-schema=OFF",
    ...(flavour === "mysql" ? ["--mysqlx=OFF", "--secure-file-priv="] : []),
    ...(durability === "relaxed"
      ? ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=0", "--skip-innodb-doublewrite"]
      : ["--log-bin=binlog", "--sync-binlog=1", "--innodb-flush-log-at-trx-commit=1", "--server-id=1"])
  ]
}

const askVersion = async (url: string): Promise<string> => {
  const connection = await createConnection({ uri: url, connectTimeout: pingTimeoutMillis })
  try {
    const [rows] = await connection.query("SELECT VERSION() AS version")
    const [row] = Array.isArray(rows) ? rows : []
    return row !== undefined && "version" in row ? String(row["version"]) : "unknown"
  } finally {
    await connection.end()
  }
}

/** Polls until the server answers; `undefined` when it ended before it did. */
const waitUntilReady = async (server: Server, ask: () => Promise<string>): Promise<string | undefined> => {
  const deadline = Date.now() + readyTimeoutMillis
  while (Date.now() < deadline) {
    if (server.hasEnded()) return undefined
    try {
      return await ask()
    } catch {
      await sleep(readyPollMillis)
    }
  }
  await stopServer(server)
  return undefined
}

/** Starts a server on a free port; tries again on another when somebody took the port in the meantime. */
const startOnFreePort = async (
  name: string,
  log: string,
  options: StartOptions,
  start: (port: number, output: number) => { readonly server: Server; readonly url: string },
  ask: (url: string) => Promise<string>
): Promise<Running> => {
  for (let tries = 0; tries < startTriesMax; tries++) {
    const { server, url } = start(await freePort(), openSync(log, "w"))
    options.register(server)
    const version = await waitUntilReady(server, () => ask(url))
    if (version !== undefined) return { server, url, version }
  }
  throw new Failure(`${name} did not start; its last lines:\n${lastLines(readFileSync(log, "utf8"), logLinesMax)}`)
}

/** Makes a fresh data folder and serves it. */
export const startDatabase = async (
  program: DatabaseProgram,
  durability: Durability,
  options: StartOptions
): Promise<Running> => {
  const folder = program.hostPath(program.folder)
  mkdirSync(folder, { recursive: true })
  await initialise(program, `${program.folder}/data`)
  writeFileSync(join(folder, "init.sql"), initialSql.map((statement) => `${statement};\n`).join(""))
  const [command = "", ...first] = program.command
  return startOnFreePort(
    program.flavour,
    join(folder, "server.log"),
    options,
    (port, output) => ({
      server: startServer(program.flavour, command, [...first, ...databaseOptions(program, port, durability)], output),
      url: `mysql://root@127.0.0.1:${port}/${databaseName}`
    }),
    askVersion
  )
}

const pingRedis = (port: number): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port })
    let answer = ""
    socket.setTimeout(pingTimeoutMillis, () => socket.destroy(new Error("timeout")))
    socket.once("error", reject)
    socket.once("connect", () => socket.write("INFO server\r\n"))
    socket.on("data", (chunk) => {
      answer += chunk.toString("utf8")
      const version = /redis_version:(\S+)/.exec(answer)?.[1]
      if (version !== undefined) {
        socket.destroy()
        resolve(version)
      }
    })
    socket.once("close", () => reject(new Error("closed")))
  })

/** Serves an empty Redis with the persistence that carts need in production. */
export const startRedis = async (program: string, options: StartOptions): Promise<Running> => {
  const folder = join(options.folder, "redis")
  mkdirSync(folder, { recursive: true })
  const args = (port: number): ReadonlyArray<string> => [
    ...["--port", String(port)],
    ...["--bind", "127.0.0.1"],
    ...["--dir", folder],
    ...["--daemonize", "no"],
    ...["--save", ""],
    ...["--appendonly", "yes"],
    ...["--appendfsync", "everysec"]
  ]
  return startOnFreePort(
    "redis",
    join(folder, "server.log"),
    options,
    (port, output) => ({
      server: startServer("redis", program, args(port), output),
      url: `redis://127.0.0.1:${port}`
    }),
    (url) => pingRedis(Number(new URL(url).port))
  )
}
