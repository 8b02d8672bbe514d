import ArgumentParser
import ModelTools
import Runs

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a model, data set, run or configuration holds, and what is wrong with it.",
        discussion: """
            The path is a model directory, a run directory, a checkpoint of one, or a .yaml, .safetensors, .jsonl or \
            .csv file, the last two plain or gzip; it is read in full and checked as training would check it. Of a \
            preference file it says which users, comparisons and ties it has, what was dropped, and which fields were \
            read; --preset and --fields name fields of foreign files. Of conversations for sft it says how many \
            answers they have. With --memory it is a configuration, \
            and what is printed is the memory that each stage takes of a rank and of a node, predicted from shapes and \
            keys. Examples:

              maxmin inspect preferences.jsonl --config mine.yaml
              maxmin inspect conversations.jsonl.gz --preset prism
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

    @OptionGroup var preferences: PreferenceOptions

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "With --memory or --config: overrides a key, as model.sampling_memory=1024.",
            valueName: "key=value"
        )
    )
    var overrides: [String] = []

    @Flag(name: .customLong("allow-nonfinite"), help: "Take weights of a model that are NaN or infinite.")
    var allowNonFinite = false

    @OptionGroup var links: LinkOptions

    @Flag(help: "Print a JSON object.")
    var json = false

    func validate() throws {
        guard memory || (ranks == 1 && ranksPerNode == nil) else {
            throw ValidationError("--ranks and --ranks-per-node belong to --memory")
        }
        guard memory || preferences.configuration != nil || overrides.isEmpty else {
            throw ValidationError("--set belongs to --memory or --config")
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
                followSymlinks: links.followSymlinks,
                preferences: preferences.request(overrides: overrides)
            )
        try printingLines { try $0(report) }
    }
}
