import Collectives

/// Times the phases of a step, one after the other.
struct PhaseTimer {
    private var last = ContinuousClock.now
    private var names: [String] = []
    private var seconds: [Double] = []

    /// Ends the phase that began when the one before ended.
    mutating func end(_ name: String) {
        let now = ContinuousClock.now
        names.append(name)
        seconds.append((now - last) / .seconds(1))
        last = now
    }

    /// The phases as the slowest rank took them; every rank calls it after the same phases.
    func phases(_ summary: StepSummary, epochs: Int, communicator: any Communicator) throws -> [PolicyStepRecord.Phase]
    {
        var slowest = seconds
        try communicator.allReduceMax(&slowest)
        return zip(names, slowest).map { name, seconds in
            let tokens =
                switch name {
                case "sample": summary.responseTokens * Double(summary.responses)
                case "update": summary.allTokens * Double(epochs)
                default: summary.allTokens
                }
            return PolicyStepRecord.Phase(name: name, seconds: seconds, tokensPerSecond: tokens / max(seconds, 1e-9))
        }
    }
}
