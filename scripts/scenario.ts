/**
 * `npm run scenario -- NAME`: runs `scenarios/NAME.ts`. It measures the shop against a provider in another process, writes
 * its numbers and its timeline into `docs/explanation`, and ends with one JSON object as its last line. It exits 1 when
 * something that the shop promises did not hold.
 *
 * @since 0.1.0
 */
import { runNamed } from "./internal/NamedProgram.ts"

await runNamed({ folder: "scenarios", script: "scenario" })
