import ArgumentParser
import ModelTools
import Runs

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a model, data set, run or configuration holds, and what is wrong with it.",
        discussion: """
            The path is a model directory, a run directory, a checkpoint of one, or a .yaml, .safetensors, .jsonl or \
            .csv file; it is read in full and checked as training would check it. With --memory it is a configuration, \
            and what is printed is the memory that each stage takes of a rank and of a node, predicted from shapes and \
            keys. Examples:

              maxmin inspect preferences.jsonl
              maxmin inspect launch/runs/tulu2-7b-p3.yaml --memory --ranks 2 --set model.micro_batch_tokens=512
            """
    )

    @Argument(help: "What to inspect.")
    var path: String

    @Flag(help: "Print the memory that a configuration's stages take.")
    var memory = false

    @Option(help: "With --memory: ranks of the run. (default: 1)", transform: whole(1...65_536))
    var ranks = 1

    @Option(help: "With --memory: ranks of a node; all of them unless given.", transform: whole(1...65_536))
    var ranksPerNode: Int?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp("With --memory: overrides a key, as model.sampling_memory=1024.", valueName: "key=value")
    )
    var overrides: [String] = []

    @Flag(name: .customLong("allow-nonfinite"), help: "Take weights of a model that are NaN or infinite.")
    var allowNonFinite = false

    @OptionGroup var links: LinkOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard memory || (ranks == 1 && ranksPerNode == nil && overrides.isEmpty) else {
            throw ValidationError("--ranks, --ranks-per-node and --set belong to --memory")
        }
    }

    func run() throws {
        try requireOneProcess("inspect")
        let report =
            memory
            ? try inspectMemory(
                path,
                overrides: overrides,
                ranks: ranks,
                ranksOnNode: ranksPerNode ?? ranks,
                json: json
            )
            : try inspect(
                path,
                json: json,
                allowNonFinite: allowNonFinite,
                followSymlinks: links.followSymlinks
            )
        try printingLines { try $0(report) }
    }
}
