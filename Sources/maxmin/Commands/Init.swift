import ArgumentParser
import ModelTools
import Runs

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a randomly initialized model of a named shape, for scaling experiments.",
        discussion: """
            Shapes: \(presetNames.joined(separator: ", ")). Those of GPT-2 are written in fp32, the others in bf16, in
            bounded memory whatever the size. Example:

              maxmin init --preset gpt2 --out models/gpt2-random --tokenizer ../shared/tokenizers/gpt2
            """
    )

    @Option(help: "Name of the shape.")
    var preset: String

    @Option(help: "Directory to write; it must be new or empty.")
    var out: String

    @Option(help: "Directory whose tokenizer is copied.")
    var tokenizer: String?

    @Option(help: "Seed of the weights.")
    var seed: UInt64 = 1

    @Flag(help: "Print a JSON object on standard output.")
    var json = false

    func run() throws {
        try requireOneProcess("init")
        let summary = try initializeModel(
            preset: preset,
            directory: out,
            tokenizerFrom: tokenizer,
            seed: seed
        )
        if json {
            try printingLines { try $0(summary) }
        } else {
            say("wrote \(out)")
        }
    }
}
