import ArgumentParser
import Collectives
import Failures
import LanguageModels
import ModelFiles
import Runs
import StrictJSON
import Tensors

extension BenchTask: ExpressibleByArgument {}

struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Times the work that training does, by itself; scaling over ranks, measured and predicted.",
        discussion: """
            `maxmin bench TASK` times a task (maxmin bench task --help). Examples:

              maxmin bench reward-step --preset gpt2
              maxmin bench scaling --ranks 1,2,4
              maxmin bench predict --preset gpt2-xl --groups 2
            """,
        subcommands: [BenchOneTask.self, BenchScaling.self, BenchPredict.self],
        defaultSubcommand: BenchOneTask.self
    )
}

/// What benches measure with.
struct BenchSubject: ParsableArguments {
    @Option(help: "A shape: \(ModelPreset.names.joined(separator: ", ")).")
    var preset: String?

    @Option(help: "A Hugging Face directory, instead of a shape.")
    var model: String?

    @Option(help: "Type of matrix products: fp32, bf16, or auto (bf16 where the CPU has instructions for it).")
    var precision: ModelSection.Precision = .auto

    /// The model: random, of the named shape or of `standard`, or read from its directory.
    ///
    /// - Parameter isFrozen: whether nothing is trained, so that weights stay in their files.
    func load(standard: String, isFrozen: Bool = false) throws -> LanguageModel {
        let precision = try precision.resolved
        if let model {
            return try isFrozen
                ? ModelDirectory.open(model, precision: precision, head: Head.none).model
                : ModelDirectory.load(model, precision: precision, head: Head.none).model
        }
        return LanguageModel(try shape(preset ?? standard), head: .none, precision: precision, seed: 1)
    }

    /// The same options as words of a command line.
    var words: [String] {
        (preset.map { ["--preset", $0] } ?? []) + (model.map { ["--model", $0] } ?? [])
            + ["--precision", precision.rawValue]
    }
}

/// The shape of a preset.
func shape(_ preset: String) throws -> ModelConfiguration {
    guard let shape = ModelPreset.named(preset) else {
        throw Failure(
            .usage,
            "no preset is named \(preset); there are \(ModelPreset.names.joined(separator: ", "))",
            at: "--preset"
        )
    }
    return shape
}

struct BenchOneTask: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "task",
        abstract: "Times one task.",
        discussion: """
            Tasks: reward-step (Bradley–Terry on 8 pairs of 128 tokens, all parameters trained), score (their rewards), \
            generate (16 responses of 48 tokens), policy-step (16 responses sampled, scored by 2 groups and the \
            reference, 4 epochs of PPO), allreduce (a gradient of 256 MiB summed over \
            the ranks in the order that gives the same bits on any number of them, and the ratio of its bandwidth to \
            MPI_Allreduce's, timed in turn), gemm (the largest product). The model is \
            random, of a named shape, or read from a directory. Examples:

              maxmin bench reward-step --preset gpt2
              mpirun -n 2 --bind-to none maxmin bench allreduce --preset gpt2-tiny --json

            launch/benchmarks/against-pytorch.sh compares the same tasks with PyTorch.
            """
    )

    @Argument(help: "reward-step, score, generate, policy-step, allreduce or gemm.")
    var task: BenchTask

    @OptionGroup var subject: BenchSubject

    @Option(help: "Pairs, or sequences for generate and policy-step; 8 and 16 unless stated.")
    var batch: Int?

    @Option(help: "MiB that allreduce sums.")
    var mebibytes = 256

    @Option(help: "Timed repetitions.")
    var repeats = 5

    @Option(help: "Threads of each rank; the CPUs it may use unless stated.")
    var threads: Int?

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard repeats >= 1 else { throw ValidationError("--repeats must be 1 or more") }
        guard batch ?? 1 >= 1 else { throw ValidationError("--batch must be 1 or more") }
        guard (1...65_536).contains(mebibytes) else {
            throw ValidationError("--mebibytes must be from 1 to 65536")
        }
        guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
    }

    func run() throws {
        try onEveryRank { communicator, suggestedThreads in
            let threads = threads ?? suggestedThreads
            KernelThreads.set(threads)
            let model = try subject.load(standard: "gpt2", isFrozen: task == .score || task == .generate)
            let result = try bench(
                task,
                model: model,
                named: subject.model ?? subject.preset ?? "gpt2",
                batch: batch,
                mebibytes: mebibytes,
                repeats: repeats,
                threads: threads,
                communicator: communicator
            )
            guard communicator.rank == 0 else { return }
            var output = LineOutput()
            try output.line(json ? JSONValue.object(result.json).encoded() : result.line)
            try output.flush()
        }
    }
}
