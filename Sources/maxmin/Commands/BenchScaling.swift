import ArgumentParser
import Benchmarks
import Collectives
import Failures
import Foundation
import Runs
import StrictJSON
import Tensors

extension ScalingStage: ExpressibleByArgument {}

struct BenchScaling: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "scaling",
        abstract: "Times each stage's step over numbers of ranks, and what of it is communication and waiting.",
        discussion: """
            Started by itself it starts mpirun on this machine for each number of ranks, round after round, and prints \
            a table of weak scaling (work grows with the ranks: --shards-per-rank) and strong scaling (it does not: \
            --shards). The efficiency is t₁/t_N, or t₁/(N·t_N), the median over rounds. Started by mpirun or srun it \
            times the ranks that it was given, with --shards over all of them, and prints one JSON object a stage: \
            what to use on a cluster.

            A step is timed as a whole, and again with a barrier before every collective, which splits it into \
            compute, communication and imbalance (waiting for the slowest rank), each as least/mean/greatest of the \
            ranks. On several ranks it is timed a third time by plain data parallelism (MPI_Allreduce, optimizer not \
            shared): "of MPI_Allreduce" is what reproducible sums and a shared optimizer take beside it. Examples:

              maxmin bench scaling --ranks 1,2 --threads 1
              mpirun -n 64 maxmin bench scaling --preset gpt2 --shards 256 --threads 16
            """
    )

    @Option(help: ArgumentHelp("Numbers of ranks.", valueName: "n,n,…"))
    var ranks = "1,2"

    @Option(help: "Stages: sft, reward, score, policy; may be given several times; all unless stated.")
    var stage: [ScalingStage] = []

    @OptionGroup var subject: BenchSubject

    @Option(help: "Threads of each rank. (default: 1)", transform: whole(1...1024))
    var threads = 1

    @Option(help: "Shards of each rank, for weak scaling. (default: 4)", transform: whole(1...65_536))
    var shardsPerRank = 4

    @Option(
        help: "Shards over all ranks, for strong scaling and under mpirun. (default: 8)",
        transform: whole(1...65_536)
    )
    var shards = 8

    @Option(
        help: """
            Of each shard: sequences for sft, comparisons of each of two groups for reward and score, responses for \
            policy. (default: 8)
            """,
        transform: whole(1...65_536)
    )
    var batch = 8

    @Option(
        help: "Length of sequences, in tokens; of a policy's responses, 6 less. (default: 64)",
        transform: whole(8...1 << 20)
    )
    var length = 64

    @Option(help: "Timed steps of each measurement. (default: 3)", transform: whole(1...1 << 20))
    var repeats = 3

    @Option(help: "Rounds over all numbers of ranks. (default: 3)", transform: whole(1...1 << 20))
    var rounds = 3

    @Flag(help: "Print JSON objects, one a stage and number of ranks.")
    var json = false

    func validate() throws {
        guard let counts = numbers(ranks), counts.allSatisfy((1...65_536).contains), Set(counts).count == counts.count
        else { throw ValidationError("--ranks must be different numbers from 1 to 65536, as 1,2,4") }
        // Under mpirun the number of ranks is another, which `Shards` checks.
        let isAlone = try Launch.detect(in: ProcessInfo.processInfo.environment) == nil
        guard !isAlone || shards >= counts.max() ?? 1 else {
            throw ValidationError("--shards must be as many as ranks, or more")
        }
    }

    func run() throws {
        if try Launch.detect(in: ProcessInfo.processInfo.environment) == nil {
            try measureAll()
        } else {
            try measureHere()
        }
    }

    /// Starts the ranks of each measurement.
    private func measureAll() throws {
        // Refused here, not by every rank.
        if let preset = subject.preset { _ = try shape(preset) }
        let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        var request = ScalingRequest(command: [program, "bench", "scaling"] + subject.words + words)
        request.ranks = numbers(ranks) ?? []
        request.shardsPerRank = shardsPerRank
        request.shards = shards
        request.rounds = rounds
        request.stages = stages
        let series = try measureScaling(request, say: say)
        try printingLines { line in
            if json {
                for object in series.flatMap(\.json) { try line(JSONValue.object(object).encoded()) }
            } else {
                try line(scalingTable(series))
            }
        }
    }

    /// Measures on the ranks that were started.
    private func measureHere() throws {
        try onEveryRank { communicator, _ in
            try useThreads(threads)
            let model = try subject.load(standard: "gpt2-mini")
            var points: [ScalingPoint] = []
            for stage in stages {
                points.append(
                    try measureScaling(
                        of: stage,
                        model: model,
                        load: ScalingLoad(shards: shards, batch: batch, length: length),
                        threads: threads,
                        repeats: repeats,
                        communicator: communicator
                    )
                )
            }
            guard communicator.rank == 0 else { return }
            try printingLines { line in
                for point in points { try line(JSONValue.object(point.json).encoded()) }
            }
        }
    }

    private var stages: [ScalingStage] { stage.isEmpty ? ScalingStage.allCases : stage }

    /// The options that a measurement on some ranks is started with, but for its shards.
    private var words: [String] {
        stages.flatMap { ["--stage", $0.rawValue] }
            + ["--threads", "\(threads)", "--batch", "\(batch)", "--length", "\(length)", "--repeats", "\(repeats)"]
    }
}
