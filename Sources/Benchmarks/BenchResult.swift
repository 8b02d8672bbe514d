package import Collectives
import Failures
import Foundation
package import LanguageModels
import Reporting
import Runs
package import StrictJSON
import Tensors

/// A timed task.
package struct BenchResult: Sendable {
    package let task: BenchTask
    /// What was measured with, as given on the command line.
    package let model: String
    package let precision: Precision
    package let ranks: Int
    package let threads: Int
    /// Of the slowest rank.
    package let medianSeconds: Double
    package let minimumSeconds: Double
    /// Over all ranks; nil for tasks without tokens.
    package let tokensPerSecond: Double?
    /// Of matrix products, over all ranks; nil where they are not counted.
    package let operationsPerSecond: Double?
    /// The same of task `gemm`, timed on all ranks in turn with this; nil where operations are not counted, and of
    /// `gemm` itself.
    package let gemmOperationsPerSecond: Double?
    /// Where the time of one more repetition went, on the root.
    package let timeByKind: TimeByKind
    /// What tensors and kernels allocated and copied in that repetition, on the root's own thread.
    package let allocations, copiedBytes: Int
    /// Bytes reduced a second; nil for tasks without.
    package let bytesPerSecond: Double?
    /// Other work of the same effect, timed in turn with this, and its median seconds; nil for tasks without.
    package let alternative: (name: String, seconds: Double)?
    /// Largest resident set of this process so far.
    package let peakBytes: Int

    /// One line for people.
    package var line: String {
        var parts = ["\(task.rawValue): \((1000 * medianSeconds).formatted(decimals: 2)) ms"]
        if let tokensPerSecond { parts.append("\(tokensPerSecond.formatted(decimals: 0)) tokens/s") }
        if let operationsPerSecond { parts.append("\((operationsPerSecond / 1e9).formatted(decimals: 0)) GFLOP/s") }
        if let operationsPerSecond, let gemmOperationsPerSecond {
            let part = 100 * operationsPerSecond / gemmOperationsPerSecond
            parts.append("\(part.formatted(decimals: 0)) % of the gemm rate")
        }
        if let bytesPerSecond { parts.append("\((bytesPerSecond / 1e9).formatted(decimals: 2)) GB/s") }
        if let alternative {
            parts.append(
                "\((alternative.seconds / medianSeconds).formatted(decimals: 2))× as fast as \(alternative.name)"
            )
        }
        parts.append(timeByKind.line)
        parts.append("(\(model), \(precision.rawValue), \(ranks) ranks × \(threads) threads)")
        return parts.joined(separator: ", ")
    }

    /// The machine-readable form.
    package var json: JSONObject {
        var object: JSONObject = [
            "task": .string(task.rawValue), "model": .string(model), "precision": .string(precision.rawValue),
            "ranks": .integer(ranks), "threads": .integer(threads), "median_seconds": .number(medianSeconds),
            "minimum_seconds": .number(minimumSeconds),
        ]
        if let tokensPerSecond { object["tokens_per_second"] = .number(tokensPerSecond) }
        if let operationsPerSecond { object["flops_per_second"] = .number(operationsPerSecond) }
        if let operationsPerSecond, let gemmOperationsPerSecond {
            object["gemm_flops_per_second"] = .number(gemmOperationsPerSecond)
            object["fraction_of_gemm"] = .number(operationsPerSecond / gemmOperationsPerSecond)
        }
        if let bytesPerSecond { object["bytes_per_second"] = .number(bytesPerSecond) }
        if let alternative {
            object["alternative"] = .string(alternative.name)
            object["alternative_seconds"] = .number(alternative.seconds)
            object["alternative_ratio"] = .number(alternative.seconds / medianSeconds)
        }
        object["seconds_by_kind"] = .object(timeByKind.json)
        object["allocations"] = .integer(allocations)
        object["copied_bytes"] = .integer(copiedBytes)
        object["peak_rss_bytes"] = .integer(peakBytes)
        return object
    }
}

/// Times a task: one repetition to warm up, then `repeats`, each begun by all ranks together.
package func bench(
    _ task: BenchTask,
    model: LanguageModel,
    named name: String,
    size: BenchSize,
    repeats: Int,
    threads: Int,
    communicator: any Communicator
) throws -> BenchResult {
    let longest = max(
        task.keys.contains(.length) ? size.length.upperBound : 0,
        task.keys.contains(.new) ? size.prompt + size.new : 0
    )
    try requireTakes(
        model,
        sequences: max(task.keys.contains(.pairs) ? 2 * size.pairs : 0, task.keys.contains(.batch) ? size.batch : 0),
        of: longest,
        bytes: task.leastMemory(model.configuration, model.precision, size),
        for: "bench \(task.rawValue)"
    )
    let work = try task.work(model: model, size: size, communicator: communicator)
    let gemm = work.operations > 0 && task != .gemm ? gemmWork(model) : nil
    func time(_ body: () throws -> Void) throws -> Double {
        try communicator.barrier()
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
    try work.run(communicator)
    try work.alternative?.run(communicator)
    try gemm?.run(communicator)
    var seconds: [Double] = []
    var others: [Double] = []
    var products: [Double] = []
    for _ in 0..<repeats {
        seconds.append(try time { try work.run(communicator) })
        if let alternative = work.alternative { others.append(try time { try alternative.run(communicator) }) }
        if let gemm { products.append(try time { try gemm.run(communicator) }) }
    }
    try communicator.allReduceMax(&seconds)
    try communicator.allReduceMax(&others)
    try communicator.allReduceMax(&products)
    _ = KernelCounts.take()
    let timeByKind = try TimeByKind(of: work.run, over: communicator)
    let counts = KernelCounts.take()
    let middle = median(seconds)
    let ranks = Double(communicator.size)
    return BenchResult(
        task: task,
        model: name,
        precision: model.precision,
        ranks: communicator.size,
        threads: threads,
        medianSeconds: middle,
        minimumSeconds: seconds.min() ?? middle,
        tokensPerSecond: work.tokens > 0 ? ranks * Double(work.tokens) / middle : nil,
        operationsPerSecond: work.operations > 0 ? ranks * work.operations / middle : nil,
        gemmOperationsPerSecond: gemm.map { ranks * $0.operations / median(products) },
        timeByKind: timeByKind,
        allocations: counts.allocations,
        copiedBytes: counts.copiedBytes,
        bytesPerSecond: work.bytes > 0 ? Double(work.bytes) / middle : nil,
        alternative: work.alternative.map { ($0.name, median(others)) },
        peakBytes: peakMemory()
    )
}
