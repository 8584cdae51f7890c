/**
 * Child processes with an end: every command has a time limit, every server is stopped by its own process id.
 *
 * @since 0.1.0
 */
import { type ChildProcess, spawn } from "node:child_process"
import { accessSync, constants, existsSync } from "node:fs"
import { createServer } from "node:net"
import { delimiter, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"

const stopGraceMillis = 20_000
const outputCharsMax = 4_000_000

/** Folders that hold servers and package tools but are often missing from a user's PATH. */
const extraFolders = [
  "/usr/local/sbin",
  "/usr/sbin",
  "/sbin",
  "/opt/homebrew/bin",
  "/opt/homebrew/sbin",
  "/usr/local/opt/mariadb/bin",
  "/usr/local/bin"
]

/** The path of the first program of these names that can be executed. */
export const findProgram = (...names: ReadonlyArray<string>): string | undefined => {
  const folders = [...(process.env["PATH"] ?? "").split(delimiter), ...extraFolders].filter((folder) => folder !== "")
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        continue
      }
    }
  }
  return undefined
}

/** What a finished command left behind. */
export interface Finished {
  /** The exit code, or 1 when a signal ended it. */
  readonly code: number
  /** Standard output and standard error, in the order they came. */
  readonly output: string
  readonly stdout: string
}

export interface RunOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  /** Show the output while it comes instead of collecting it. */
  readonly inherit?: boolean
  readonly timeoutMillis: number
  /** Called with the child as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void
}

/** Runs a command to its end. Never rejects: a command that cannot start or takes too long has a code other than 0. */
export const run = (command: string, args: ReadonlyArray<string>, options: RunOptions): Promise<Finished> =>
  new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: options.inherit === true ? "inherit" : ["ignore", "pipe", "pipe"]
    })
    let output = ""
    let stdout = ""
    const collect = (chunk: Buffer): string => {
      const text = chunk.toString("utf8")
      if (output.length < outputCharsMax) output += text
      return text
    }
    child.stdout?.on("data", (chunk: Buffer) => {
      stdout += collect(chunk)
    })
    child.stderr?.on("data", collect)
    const timer = setTimeout(() => {
      output += `\n${command} took longer than ${options.timeoutMillis / 1000} s and was stopped`
      child.kill("SIGKILL")
    }, options.timeoutMillis)
    const finish = (code: number): void => {
      clearTimeout(timer)
      resolve({ code, output, stdout })
    }
    child.once("error", (error) => {
      output += `\n${error.message}`
      finish(1)
    })
    child.once("close", (code) => finish(code ?? 1))
    options.onStart?.(child)
  })

/** A server started by us. */
export interface Server {
  readonly name: string
  readonly child: ChildProcess
  /** Whether the process has ended, for whatever reason. */
  readonly hasEnded: () => boolean
}

/**
 * Starts a server in a process group of its own, so that Ctrl-C reaches it only through us.
 *
 * On Linux the kernel ends it when we die without a chance to (`kill -9`), through `setpriv --pdeathsig`.
 */
export const startServer = (name: string, command: string, args: ReadonlyArray<string>, output: number): Server => {
  const setpriv = process.platform === "linux" ? findProgram("setpriv") : undefined
  const [program, programArgs] =
    setpriv === undefined ? [command, args] : [setpriv, ["--pdeathsig", "TERM", "--", command, ...args]]
  const child = spawn(program, programArgs, { stdio: ["ignore", output, output], detached: true })
  let ended = false
  child.once("exit", () => {
    ended = true
  })
  child.once("error", () => {
    ended = true
  })
  return { name, child, hasEnded: () => ended }
}

/** Stops a server by its process id: politely, then after a while without asking. */
export const stopServer = async (server: Server): Promise<void> => {
  if (server.hasEnded()) return
  const ended = new Promise<void>((resolve) => server.child.once("exit", () => resolve()))
  server.child.kill("SIGTERM")
  const grace = new AbortController()
  await Promise.race([ended, sleep(stopGraceMillis, undefined, { signal: grace.signal }).catch(() => undefined)])
  grace.abort()
  if (!server.hasEnded()) {
    server.child.kill("SIGKILL")
    await ended
  }
}

/** A port of the loopback interface that nobody listens on at this moment. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once("error", reject)
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address()
      probe.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no port"))
        else resolve(address.port)
      })
    })
  })

/** Whether this is a Debian or Ubuntu on which we may install packages. */
export const canInstallPackages = (): boolean =>
  process.platform === "linux" &&
  process.getuid?.() === 0 &&
  existsSync("/etc/debian_version") &&
  findProgram("apt-get") !== undefined

/** The last lines of a text, for a message. */
export const lastLines = (text: string, count: number): string => text.trimEnd().split("\n").slice(-count).join("\n")
