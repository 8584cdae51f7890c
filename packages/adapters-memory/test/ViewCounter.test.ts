import { counterSuite, ledgerSuite } from "@pillivery/application/testing/ViewCounterSuite"
import * as Memory from "../src/Memory.ts"

counterSuite("memory", Memory.layer)
ledgerSuite("memory", Memory.layer)
