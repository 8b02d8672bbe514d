import ArgumentParser
import ModelTools
import Runs
import StrictJSON

struct Convert: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the comparisons of a foreign preference file in the form that training reads.",
        discussion: """
            The file is JSON Lines or CSV, plain or gzip, of a published data set (--preset), or with fields under \
            other names (--fields, or --config with data.fields). What is written is JSON Lines, and appears whole or \
            not at all. Ties, choices, rankings and scores stay what they are. Examples:

              maxmin convert conversations.jsonl.gz --preset prism --out preferences.jsonl
              maxmin convert ratings.csv -o preferences.jsonl \
            --fields "{user_id: rater, prompt: question, chosen: better, rejected: worse}"
            """
    )

    @Argument(help: "Preference file.")
    var path: String

    @Option(
        name: [.customShort("o"), .customLong("out")],
        help: "File to write, .jsonl; one that is there is replaced."
    )
    var out: String

    @OptionGroup var preferences: PreferenceOptions

    @Flag(help: "Print a JSON object on standard output.")
    var json = false

    func run() throws {
        try requireOneProcess("convert")
        let (summary, warnings) = try convertPreferences(path, to: out, preferences.request())
        for warning in warnings { say("warning: \(warning)") }
        if json {
            try printingLines { try $0(summary.encoded()) }
        } else {
            say("wrote \(out): \(summary.object?["kept"]?.integer ?? 0) comparisons")
        }
    }
}
