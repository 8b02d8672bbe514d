import ArgumentParser
import Runs

struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes the report of a run, or one page that has several runs side by side.",
        discussion: """
            Needs at least one finished stage; writes report.html in the run directory. Sections of stages that were \
            not done say so. With --compare, the arguments are run directories, and the page goes to --out. Examples:

              maxmin report launch/runs/quickstart.yaml
              maxmin report --compare runs/seed-1 runs/seed-2 --out seeds.html
            """
    )

    @Argument(help: "The run's configuration, a YAML file; with --compare two or more run directories.")
    var paths: [String]

    @Flag(help: "Put runs side by side.")
    var compare = false

    @Option(help: "With --compare: the page's file. (default: comparison.html)")
    var out: String?

    @OptionGroup var choices: RunChoices

    func validate() throws {
        if compare {
            guard paths.count > 1 else { throw ValidationError("--compare takes two or more run directories") }
            guard choices.isForComparison else {
                throw ValidationError("--compare takes no option but --out and --overwrite")
            }
        } else {
            guard paths.count == 1 else {
                throw ValidationError("give one configuration, or --compare with run directories")
            }
            guard out == nil else { throw ValidationError("--out belongs to --compare") }
        }
    }

    func run() throws {
        guard compare else { return try choices.run([.report], of: paths[0]) }
        try requireOneProcess("report --compare")
        let path = out ?? "comparison.html"
        try compareRuns(paths, to: path, overwrite: choices.overwrite)
        say("report: \(path)")
    }
}
