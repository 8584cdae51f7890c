import { suite } from "@pillivery/application/testing/RefundRepositorySuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
