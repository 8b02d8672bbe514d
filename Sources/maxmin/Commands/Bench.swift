import ArgumentParser
import Benchmarks
import Collectives
import Failures
import LanguageModels
import ModelFiles
import Runs
import StrictJSON
import Tensors

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

    @Option(
        help:
            "Type of the operands of products: fp32, bf16, or auto (bf16 where the CPU has instructions for it)."
    )
    var precision: ModelSection.Precision = .auto

    @OptionGroup var links: LinkOptions

    /// The model: random, of the named shape or of `standard`, or read from its directory.
    ///
    /// - Parameter isFrozen: whether nothing is trained, so that weights stay in their files.
    func load(standard: String, isFrozen: Bool = false) throws -> LanguageModel {
        let precision = precision.resolved
        if let model {
            return try isFrozen
                ? ModelDirectory.open(
                    model,
                    precision: precision,
                    head: Head.none,
                    followSymlinks: links.followSymlinks
                ).model
                : ModelDirectory.load(
                    model,
                    precision: precision,
                    head: Head.none,
                    followSymlinks: links.followSymlinks
                ).model
        }
        let shape = try shape(preset ?? standard)
        let bytes = 4.0 + (precision == .bfloat16 ? 2 : 0)
        try requireAvailable(bytes * Double(shape.parameterCount(head: .none)), for: "--preset \(preset ?? standard)")
        return LanguageModel(shape, head: .none, precision: precision, seed: 1)
    }

    /// The same options as words of a command line.
    var words: [String] {
        (preset.map { ["--preset", $0] } ?? []) + (model.map { ["--model", $0] } ?? [])
            + ["--precision", precision.rawValue] + (links.followSymlinks ? ["--follow-symlinks"] : [])
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
