import { suite, suiteFixed } from "@pillivery/application/testing/BusinessClockSuite"
import { Layer } from "effect"
import * as BusinessClock from "../src/BusinessClock.ts"
import * as Store from "../src/Store.ts"

suite("memory", Layer.provide(BusinessClock.layerMovable, Store.layer))
suiteFixed("memory", Layer.provide(BusinessClock.layer, Store.layer))
