package import Collectives
import Failures
package import LanguageModels
import Optimizers
package import StrictJSON
import Tensors

/// Least, mean and greatest of the ranks.
package struct Spread: Equatable, Sendable {
    package let minimum, mean, maximum: Double

    init(minimum: Double, mean: Double, maximum: Double) {
        self.minimum = minimum
        self.mean = mean
        self.maximum = maximum
    }

    /// Of at least one number.
    init(_ values: [Double]) {
        minimum = values.min() ?? 0
        mean = values.reduce(0, +) / Double(max(1, values.count))
        maximum = values.max() ?? 0
    }
}

/// A stage's step as it was timed on one number of ranks.
package struct ScalingPoint: Equatable, Sendable {
    package let stage: ScalingStage
    package let ranks: Int
    package let shards: Int
    package let threads: Int
    /// Of a whole step, begun by all ranks together: the median over repetitions, of the slowest rank.
    package let seconds: Double
    /// The same by plain data parallelism (`GradientReduction.allReduce`); nil on one rank, and where there are no
    /// gradients.
    package let allReduceSeconds: Double?
    /// Of a step of each rank, from repetitions in which collectives were timed one by one: the mean over repetitions.
    package let compute, communication, imbalance: Spread
    /// That a rank hands to collectives in a step.
    package let bytes: Int
    /// Collectives of a step.
    package let collectives: Int
}

/// Times `repeats` steps of a stage as a whole, as many of plain data parallelism, and as many split into compute,
/// communication and imbalance, in turn.
package func measureScaling(
    of stage: ScalingStage,
    model: LanguageModel,
    load: ScalingLoad,
    threads: Int,
    repeats: Int,
    communicator: any Communicator
) throws -> ScalingPoint {
    try requireTakes(
        model,
        sequences: 2 * load.batch,
        of: load.length,
        bytes: load.leastMemory(of: stage, model.configuration, model.precision, ranks: communicator.size),
        for: "bench scaling \(stage.rawValue)"
    )
    let step = try scalingStep(of: stage, model: model, load: load, by: .reproducible, communicator: communicator)
    let plainStep =
        communicator.size == 1 || stage == .score
        ? nil : try scalingStep(of: stage, model: model, load: load, by: .allReduce, communicator: communicator)
    let timed = TimedCommunicator(communicator)
    func secondsOfStep(
        _ step: (any Communicator) throws -> Void,
        over communicator: any Communicator
    ) throws -> Double {
        try communicator.barrier()
        timed.reset()
        let start = ContinuousClock.now
        try step(communicator)
        return (ContinuousClock.now - start) / .seconds(1)
    }
    _ = try secondsOfStep(step, over: timed)
    _ = try plainStep.map { try secondsOfStep($0, over: communicator) }
    var whole: [Double] = []
    var plain: [Double] = []
    // Compute, communication, imbalance.
    var parts = [0.0, 0.0, 0.0]
    for _ in 0..<repeats {
        whole.append(try secondsOfStep(step, over: communicator))
        if let plainStep { plain.append(try secondsOfStep(plainStep, over: communicator)) }
        let seconds = try secondsOfStep(step, over: timed)
        parts[0] += (seconds - timed.times.waiting - timed.times.exchanging) / Double(repeats)
        parts[1] += timed.times.exchanging / Double(repeats)
        parts[2] += timed.times.waiting / Double(repeats)
    }
    try communicator.allReduceMax(&whole)
    try communicator.allReduceMax(&plain)
    // A row of the matrix ranks × parts each; zero elsewhere, so the sum is exact.
    var all = [Double](repeating: 0, count: 3 * communicator.size)
    for part in 0..<3 { all[3 * communicator.rank + part] = parts[part] }
    try communicator.allReduceSum(&all)
    let columns = (0..<3).map { part in (0..<communicator.size).map { all[3 * $0 + part] } }
    return ScalingPoint(
        stage: stage,
        ranks: communicator.size,
        shards: load.shards,
        threads: threads,
        seconds: median(whole),
        allReduceSeconds: plain.isEmpty ? nil : median(plain),
        compute: Spread(columns[0]),
        communication: Spread(columns[1]),
        imbalance: Spread(columns[2]),
        bytes: timed.times.bytes,
        collectives: timed.times.calls
    )
}

extension ScalingPoint {
    /// One JSON object.
    package var json: JSONObject {
        func spread(_ spread: Spread) -> JSONValue {
            ["min": .number(spread.minimum), "mean": .number(spread.mean), "max": .number(spread.maximum)]
        }
        return [
            "task": "scaling", "stage": .string(stage.rawValue), "ranks": .integer(ranks), "shards": .integer(shards),
            "threads": .integer(threads), "median_seconds": .number(seconds),
            "allreduce_seconds": JSONValue(optional: allReduceSeconds), "compute_seconds": spread(compute),
            "communication_seconds": spread(communication), "imbalance_seconds": spread(imbalance),
            "bytes": .integer(bytes), "collectives": .integer(collectives),
        ]
    }

    /// Reads back what `json` wrote.
    init(json: JSONValue) throws(Failure) {
        guard let object = json.object, let stage = object["stage"]?.string.flatMap(ScalingStage.init),
            let ranks = object["ranks"]?.integer, let shards = object["shards"]?.integer,
            let threads = object["threads"]?.integer, let seconds = object["median_seconds"]?.number,
            let compute = Spread(json: object["compute_seconds"]),
            let communication = Spread(json: object["communication_seconds"]),
            let imbalance = Spread(json: object["imbalance_seconds"]), let bytes = object["bytes"]?.integer,
            let collectives = object["collectives"]?.integer
        else { throw Failure(.badData, "is no point of bench scaling", at: "output of the ranks") }
        self.init(
            stage: stage,
            ranks: ranks,
            shards: shards,
            threads: threads,
            seconds: seconds,
            allReduceSeconds: object["allreduce_seconds"]?.number,
            compute: compute,
            communication: communication,
            imbalance: imbalance,
            bytes: bytes,
            collectives: collectives
        )
    }
}

extension Spread {
    fileprivate init?(json: JSONValue?) {
        guard let object = json?.object, let minimum = object["min"]?.number, let mean = object["mean"]?.number,
            let maximum = object["max"]?.number
        else { return nil }
        self.init(minimum: minimum, mean: mean, maximum: maximum)
    }
}
