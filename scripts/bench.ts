/**
 * `npm run bench -- NAME`: runs `bench/NAME.ts`. The last line of every benchmark is one JSON object.
 *
 * @since 0.1.0
 */
import { runNamed } from "./internal/NamedProgram.ts"

await runNamed({ folder: "bench", script: "bench" })
