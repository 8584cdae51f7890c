import { live } from "@pillivery/application/testing/Law"
import { counterSuite } from "@pillivery/application/testing/ViewCounterSuite"
import { Layer } from "effect"
import * as ViewCounter from "../src/ViewCounter.ts"
import { client, ids, keyPrefix } from "./TestRedis.ts"

counterSuite("Redis", Layer.merge(Layer.provide(ViewCounter.layerWith({ keyPrefix }), client), ids), live)
