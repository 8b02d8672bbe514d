import ArgumentParser
import Runs

struct Inspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "What a model, data set, run or configuration holds, and what is wrong with it.",
        discussion: """
            The path is a model directory, a run directory, a checkpoint of one, or a .yaml, .safetensors, .jsonl or .csv file; it is read in full \
            and checked as training would check it. Example:

              maxmin inspect preferences.jsonl
            """
    )

    @Argument(help: "What to inspect.")
    var path: String

    @Flag(help: "Print a JSON object.")
    var json = false

    func run() throws {
        try requireOneProcess("inspect")
        let report = try inspect(path, json: json)
        try printingLines { try $0(report) }
    }
}
