import Failures
import Foundation
import Launching
import Reporting
package import StrictJSON
import Synchronization
import Tensors

/// What `bench scaling` measures over which ranks.
package struct ScalingRequest: Sendable {
    /// Numbers of ranks; efficiencies are relative to the first.
    package var ranks: [Int] = [1, 2]
    /// Shards of each rank where work grows with the ranks.
    package var shardsPerRank = 4
    /// Shards over all ranks where it does not.
    package var shards = 8
    /// Rounds, each over all numbers of ranks: the machine's mood then meets them alike.
    package var rounds = 3
    /// The stages that it measures.
    package var stages = ScalingStage.allCases
    /// The command that measures one point, without its ranks and shards.
    package var command: [String]

    /// A request with nothing but the command.
    package init(command: [String]) { self.command = command }
}

/// How a stage's step scales: points of one series, weak or strong.
package struct ScalingSeries: Equatable, Sendable {
    /// Whether work grows with the ranks.
    package enum Kind: String, CaseIterable, Sendable { case weak, strong }

    package let kind: Kind
    package let stage: ScalingStage
    /// By number of ranks, a point of each round.
    package let points: [[ScalingPoint]]

    /// Of each number of ranks: t₁/t_N for weak and r₁·t₁/(r_N·t_N) for strong scaling, the median over rounds of the
    /// ratio within a round.
    package var efficiencies: [Double] {
        points.map { rounds in
            median(
                zip(points[0], rounds).map { first, point in
                    let work = kind == .weak ? 1 : Double(first.ranks) / Double(point.ranks)
                    return work * first.seconds / point.seconds
                }
            )
        }
    }
}

/// Measures every number of ranks in every round, each in ranks of its own that mpirun starts.
package func measureScaling(_ request: ScalingRequest, say: (String) -> Void) throws -> [ScalingSeries] {
    func shards(_ kind: ScalingSeries.Kind, _ ranks: Int) -> Int {
        kind == .weak ? request.shardsPerRank * ranks : request.shards
    }
    // A point that belongs to both series is measured once.
    var loads: [(ranks: Int, shards: Int)] = []
    for ranks in request.ranks {
        for kind in ScalingSeries.Kind.allCases where !loads.contains(where: { $0 == (ranks, shards(kind, ranks)) }) {
            loads.append((ranks, shards(kind, ranks)))
        }
    }
    var measured: [(load: (ranks: Int, shards: Int), points: [ScalingPoint])] = []
    for round in 1...request.rounds {
        for load in loads {
            say("round \(round) of \(request.rounds): \(load.ranks) ranks, \(load.shards) shards")
            measured.append((load, try points(of: request.command, ranks: load.ranks, shards: load.shards)))
        }
    }
    return ScalingSeries.Kind.allCases.flatMap { kind in
        request.stages.map { stage in
            ScalingSeries(
                kind: kind,
                stage: stage,
                points: request.ranks.map { ranks in
                    let load = (ranks, shards(kind, ranks))
                    return measured.filter { $0.load == load }.flatMap(\.points).filter { $0.stage == stage }
                }
            )
        }
    }
}

/// `mpirun` while it runs, which is a process group of its own: a signal that ends this process must end it too.
private let runningRanks = Atomic<Int32>(0)

private func endRanksWithThisProcess() {
    // A first use within a handler would not be safe.
    _ = runningRanks.load(ordering: .relaxed)
    for number in [SIGINT, SIGTERM] {
        signal(number) { number in
            let ranks = runningRanks.load(ordering: .relaxed)
            if ranks > 0 { kill(ranks, SIGTERM) }
            signal(number, SIG_DFL)
            raise(number)
        }
    }
}

/// The points of all stages on so many ranks of this machine.
private func points(of command: [String], ranks: Int, shards: Int) throws -> [ScalingPoint] {
    var mpirun = ["mpirun", "-n", "\(ranks)", "--host", "localhost:\(ranks)", "--bind-to", "none", "--quiet"]
    if geteuid() == 0 { mpirun.append("--allow-run-as-root") }
    let output = Pipe()
    endRanksWithThisProcess()
    let process = try startProcess(mpirun + command + ["--shards", "\(shards)"], output: output)
    runningRanks.store(process.processIdentifier, ordering: .relaxed)
    defer { runningRanks.store(0, ordering: .relaxed) }
    let bytes = [UInt8](output.fileHandleForReading.readDataToEndOfFile())
    process.waitUntilExit()
    guard process.terminationReason == .exit, process.terminationStatus == 0 else {
        throw Failure(.internalError, "\(ranks) ranks ended with status \(process.terminationStatus)", at: "mpirun")
    }
    var points: [ScalingPoint] = []
    try forEachJSONLine(in: bytes, file: "output of the ranks") { _, value in
        points.append(try ScalingPoint(json: value.get()))
    }
    return points
}

extension ScalingSeries {
    /// Points with their efficiency, a JSON object a number of ranks: medians over rounds.
    package var json: [JSONObject] {
        zip(points, efficiencies).map { rounds, efficiency in
            var object = ScalingPoint(medianOf: rounds).json
            object["scaling"] = .string(kind.rawValue)
            object["efficiency"] = .number(efficiency)
            object["rounds"] = .integer(rounds.count)
            return object
        }
    }
}

extension ScalingPoint {
    /// The median of each figure.
    init(medianOf rounds: [ScalingPoint]) {
        func middle(_ part: KeyPath<ScalingPoint, Spread>) -> Spread {
            Spread(
                minimum: median(rounds.map { $0[keyPath: part].minimum }),
                mean: median(rounds.map { $0[keyPath: part].mean }),
                maximum: median(rounds.map { $0[keyPath: part].maximum })
            )
        }
        self.init(
            stage: rounds[0].stage,
            ranks: rounds[0].ranks,
            shards: rounds[0].shards,
            threads: rounds[0].threads,
            seconds: median(rounds.map(\.seconds)),
            allReduceSeconds: rounds[0].allReduceSeconds.map { _ in median(rounds.compactMap(\.allReduceSeconds)) },
            compute: middle(\.compute),
            communication: middle(\.communication),
            imbalance: middle(\.imbalance),
            bytes: rounds[0].bytes,
            collectives: rounds[0].collectives
        )
    }
}

/// A step's time as a part of that of plain data parallelism: the median over rounds of the ratio within a round.
private func timeOfAllReduce(_ rounds: [ScalingPoint]) -> Double? {
    let ratios = rounds.compactMap { point in point.allReduceSeconds.map { point.seconds / $0 } }
    return ratios.isEmpty ? nil : median(ratios)
}

/// All series as a table for people; times in milliseconds, the split as least/mean/greatest of the ranks.
package func scalingTable(_ series: [ScalingSeries]) -> String {
    var table = Table([
        "stage", "scaling", "ranks", "shards", "step (ms)", "efficiency (%)", "of MPI_Allreduce (%)", "compute (ms)",
        "communication (ms)", "imbalance (ms)", "MB",
    ])
    func cell(_ spread: Spread) -> String {
        [spread.minimum, spread.mean, spread.maximum].map { (1000 * $0).formatted(decimals: 1) }.joined(separator: "/")
    }
    for one in series {
        for (rounds, efficiency) in zip(one.points, one.efficiencies) {
            let point = ScalingPoint(medianOf: rounds)
            table.add([
                one.stage.rawValue, one.kind.rawValue, "\(point.ranks)", "\(point.shards)",
                (1000 * point.seconds).formatted(decimals: 1), (100 * efficiency).formatted(decimals: 1),
                timeOfAllReduce(rounds).map { (100 * $0).formatted(decimals: 1) } ?? "–",
                cell(point.compute), cell(point.communication), cell(point.imbalance),
                (Double(point.bytes) / 1e6).formatted(decimals: 2),
            ])
        }
    }
    return table.text
}
