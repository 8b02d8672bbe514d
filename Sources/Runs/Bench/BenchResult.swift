package import Collectives
internal import Foundation
package import LanguageModels
package import StrictJSON

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
    /// Bytes reduced a second; nil for tasks without.
    package let bytesPerSecond: Double?
    /// Median seconds of the other work of the same effect, timed in turn with this; nil for tasks without.
    package let alternativeSeconds: Double?
    /// Largest resident set of this process so far.
    package let peakBytes: Int

    /// One line for people.
    package var line: String {
        var parts = ["\(task.rawValue): \((1000 * medianSeconds).formatted(decimals: 2)) ms"]
        if let tokensPerSecond { parts.append("\(tokensPerSecond.formatted(decimals: 0)) tokens/s") }
        if let operationsPerSecond { parts.append("\((operationsPerSecond / 1e9).formatted(decimals: 0)) GFLOP/s") }
        if let bytesPerSecond { parts.append("\((bytesPerSecond / 1e9).formatted(decimals: 2)) GB/s") }
        if let alternativeSeconds {
            let ratio = alternativeSeconds / medianSeconds
            parts.append("\(ratio.formatted(decimals: 2)) of MPI_Allreduce's bandwidth")
        }
        parts.append("(\(model), \(precision.rawValue), \(ranks) ranks × \(threads) threads)")
        return parts.joined(separator: ", ")
    }

    /// The machine-readable form (design.md §8).
    package var json: JSONObject {
        var object: JSONObject = [
            "task": .string(task.rawValue), "model": .string(model), "precision": .string(precision.rawValue),
            "ranks": .integer(ranks), "threads": .integer(threads), "median_seconds": .number(medianSeconds),
            "minimum_seconds": .number(minimumSeconds),
        ]
        if let tokensPerSecond { object["tokens_per_second"] = .number(tokensPerSecond) }
        if let operationsPerSecond { object["flops_per_second"] = .number(operationsPerSecond) }
        if let bytesPerSecond { object["bytes_per_second"] = .number(bytesPerSecond) }
        if let alternativeSeconds {
            object["mpi_allreduce_seconds"] = .number(alternativeSeconds)
            object["bandwidth_ratio"] = .number(alternativeSeconds / medianSeconds)
        }
        object["peak_rss_bytes"] = .integer(peakBytes)
        return object
    }
}

/// Times a task: one repetition to warm up, then `repeats`, each begun by all ranks together.
package func bench(
    _ task: BenchTask,
    model: LanguageModel,
    named name: String,
    batch: Int?,
    mebibytes: Int,
    repeats: Int,
    threads: Int,
    communicator: any Communicator
) throws -> BenchResult {
    let work = try task.work(model: model, batch: batch, mebibytes: mebibytes, communicator: communicator)
    func time(_ body: () throws -> Void) throws -> Double {
        try communicator.barrier()
        let start = ContinuousClock.now
        try body()
        return (ContinuousClock.now - start) / .seconds(1)
    }
    try work.run()
    try work.alternative?()
    var seconds: [Double] = []
    var others: [Double] = []
    for _ in 0..<repeats {
        seconds.append(try time(work.run))
        if let alternative = work.alternative { others.append(try time(alternative)) }
    }
    try communicator.allReduceMax(&seconds)
    try communicator.allReduceMax(&others)
    others.sort()
    seconds.sort()
    let middle = seconds[seconds.count / 2]
    let ranks = Double(communicator.size)
    return BenchResult(
        task: task,
        model: name,
        precision: model.precision,
        ranks: communicator.size,
        threads: threads,
        medianSeconds: middle,
        minimumSeconds: seconds[0],
        tokensPerSecond: work.tokens > 0 ? ranks * Double(work.tokens) / middle : nil,
        operationsPerSecond: work.operations > 0 ? ranks * work.operations / middle : nil,
        bytesPerSecond: work.bytes > 0 ? Double(work.bytes) / middle : nil,
        alternativeSeconds: others.isEmpty ? nil : others[others.count / 2],
        peakBytes: peakResidentBytes()
    )
}

/// The largest resident set of this process so far, from the kernel's account (`VmHWM`); 0 where there is none.
private func peakResidentBytes() -> Int {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return 0 }
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    let kibibytes = line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return kibibytes * 1024
}
