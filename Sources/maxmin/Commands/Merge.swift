import ArgumentParser
import ModelTools
import Runs

struct Merge: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the full model that an adapter makes of its base.",
        discussion: """
            The adapter is a PEFT directory, as a run with trainable: lora leaves it or peft itself. Weights are \
            written in bf16 where the base's are, else in fp32, one tensor at a time, so that memory stays bounded. \
            Example:

              maxmin merge runs/tulu/policy/maxmin --base models/tulu-2-7b --out models/tulu-maxmin
            """
    )

    @Argument(help: "PEFT adapter directory.")
    var adapter: String

    @Option(help: "Hugging Face directory of the model that it adapts.")
    var base: String

    @Option(help: "Directory to write; it must be new or empty.")
    var out: String

    @OptionGroup var links: LinkOptions

    @Flag(help: "Print a JSON object on standard output.")
    var json = false

    func run() throws {
        try requireOneProcess("merge")
        let summary = try mergeAdapter(
            adapter,
            base: base,
            directory: out,
            followSymlinks: links.followSymlinks
        )
        if json {
            try printingLines { try $0(summary) }
        } else {
            say("wrote \(out)")
        }
    }
}
