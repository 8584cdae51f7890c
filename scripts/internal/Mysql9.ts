/**
 * MySQL 9 for machines whose distribution has none: a minimal Debian sid in a cache folder, run with chroot.
 *
 * @since 0.1.0
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import { installPackages } from "./Apt.ts"
import type { DatabaseProgram } from "./Databases.ts"
import { Failure } from "./Failure.ts"
import { canInstallPackages, findProgram, lastLines, run } from "./Process.ts"
import { makeTemporaryFolder } from "./Workspace.ts"

const debootstrapTimeoutMillis = 10 * 60_000
const aptTimeoutMillis = 60_000
const messageLinesMax = 15

const advice =
  "MySQL 9 is run from a Debian chroot: this needs root on Debian or Ubuntu; elsewhere start a MySQL 9 yourself and " +
  "name it in PILLIVERY_TEST_MYSQL_URL"

const cacheFolder = (): string =>
  join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "pillivery", "mysql-9")

/** The Debian mirror that this machine's apt uses; debootstrap's own choice when there is none (Ubuntu). */
const findMirror = async (): Promise<string | undefined> => {
  const targets = await run(
    "apt-get",
    ["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(REPO_URI)", "Created-By: Packages"],
    { timeoutMillis: aptTimeoutMillis }
  )
  const uri = targets.stdout
    .split("\n")
    .map((line) => line.split("|"))
    .find(([origin, label]) => origin === "Debian" && label === "Debian")?.[2]
  return uri?.replace(/\/$/, "")
}

/** Makes the folder once; a run that is broken off leaves nothing that looks finished. */
const makeRoot = async (folder: string): Promise<void> => {
  if (findProgram("debootstrap") === undefined) await installPackages(["debootstrap"], advice)
  const debootstrap = findProgram("debootstrap")
  if (debootstrap === undefined) throw new Failure(advice)
  const partial = `${folder}.${process.pid}`
  mkdirSync(partial, { recursive: true })
  try {
    const mirror = await findMirror()
    console.log(`making MySQL 9 with debootstrap in ${folder} (once) ...`)
    const finished = await run(
      debootstrap,
      ["--variant=minbase", "--include=mysql-server-core", "sid", partial, ...(mirror === undefined ? [] : [mirror])],
      { timeoutMillis: debootstrapTimeoutMillis }
    )
    if (finished.code !== 0) {
      throw new Failure(`debootstrap could not make MySQL 9:\n${lastLines(finished.output, messageLinesMax)}`)
    }
    rmSync(join(partial, "var/cache/apt/archives"), { recursive: true, force: true })
    renameSync(partial, folder)
  } finally {
    rmSync(partial, { recursive: true, force: true })
  }
}

/** MySQL 9 in its cached folder, with a fresh place for data inside it. */
export const prepareMysql9 = async (registerFolder: (folder: string) => void): Promise<DatabaseProgram> => {
  const folder = cacheFolder()
  if (!existsSync(join(folder, "usr/sbin/mysqld"))) {
    if (!canInstallPackages()) throw new Failure(advice)
    await makeRoot(folder)
  }
  const chroot = findProgram("chroot")
  if (chroot === undefined || process.getuid?.() !== 0) throw new Failure(advice)
  const data = makeTemporaryFolder(join(folder, "var/tmp"))
  registerFolder(data)
  return {
    flavour: "mysql",
    command: [chroot, folder, "/usr/sbin/mysqld"],
    hostPath: (path) => join(folder, path),
    folder: data.slice(folder.length)
  }
}
