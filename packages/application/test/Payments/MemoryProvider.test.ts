import { suite } from "../../src/testing/PaymentStrategySuite.ts"
import { layerWorld } from "./MemoryWorld.ts"

suite("MemoryProvider", layerWorld)
