import { suite } from "@pillivery/application/testing/MessageQueueSuite"
import * as Memory from "../src/Memory.ts"

suite("memory", Memory.layer)
