/// What each stage does, in order.
let recipes: [(stage: Stage, body: @Sendable (RunContext) throws -> Void)] = [
    (.sft, runSFT), (.simulate, runSimulate), (.reward, runReward), (.calibrate, runCalibrate), (.policy, runPolicy),
    (.evaluate, runEvaluate), (.report, runReport),
]
