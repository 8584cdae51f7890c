import { suite } from "@pillivery/application/testing/ChargeGateSuite"
import { live } from "@pillivery/application/testing/Law"
import * as World from "../World.ts"

suite("directly", World.layer, live)
