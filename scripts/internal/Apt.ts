/**
 * Installs Debian packages without letting them start their services.
 *
 * @since 0.1.0
 */
import { existsSync, rmSync, writeFileSync } from "node:fs"
import { Failure } from "./Failure.ts"
import { canInstallPackages, lastLines, run } from "./Process.ts"

const updateTimeoutMillis = 3 * 60_000
const installTimeoutMillis = 8 * 60_000
const messageLinesMax = 3

const policyPath = "/usr/sbin/policy-rc.d"

/** Exit code 101 means "action forbidden by policy": `invoke-rc.d` then starts nothing. */
const policyContent = "#!/bin/sh\nexit 101\n"

/**
 * Installs the packages with apt.
 *
 * **Gotchas**
 *
 * Only for root on Debian and Ubuntu; everybody else gets a {@link Failure} that says what to install.
 */
export const installPackages = async (packages: ReadonlyArray<string>, advice: string): Promise<void> => {
  if (!canInstallPackages()) throw new Failure(advice)
  console.log(`installing ${packages.join(" and ")} with apt-get ...`)
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" }
  const hadPolicy = existsSync(policyPath)
  if (!hadPolicy) writeFileSync(policyPath, policyContent, { mode: 0o755 })
  try {
    // A failed update is not the end: the lists on the machine may be good enough.
    const update = await run("apt-get", ["update", "-q"], { env, timeoutMillis: updateTimeoutMillis })
    const install = await run("apt-get", ["install", "-q", "-y", "--no-install-recommends", ...packages], {
      env,
      timeoutMillis: installTimeoutMillis
    })
    if (install.code !== 0) {
      const reason = lastLines(install.output, messageLinesMax).replaceAll("\n", "; ")
      const registry = update.code === 0 ? "" : " (apt-get update failed too: is the package mirror reachable?)"
      throw new Failure(`apt-get could not install ${packages.join(" ")}${registry}: ${reason}. ${advice}`)
    }
  } finally {
    if (!hadPolicy) rmSync(policyPath, { force: true })
  }
}
