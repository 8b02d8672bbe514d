import ArgumentParser
import Runs

extension ExportFormat: ExpressibleByArgument {}

struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Writes a run's metrics for other programs.",
        discussion: """
            csv: a file for each stage, with a row for each step and a column for each figure. mlflow: a folder \
            mlruns/ that MLflow reads, with a run for each policy, fit and stage. The run may still be under way. \
            Examples:

              maxmin export csv runs/quickstart
              maxmin export mlflow runs/quickstart --out mlruns && mlflow ui --backend-store-uri mlruns
            """
    )

    @Argument(help: "csv or mlflow.")
    var format: ExportFormat

    @Argument(help: "Run directory.")
    var directory: String

    @Option(help: "Folder to write. (default: csv or mlruns in the run directory)")
    var out: String?

    @Flag(help: "Replace what an earlier export wrote.")
    var overwrite = false

    func run() throws {
        try requireOneProcess("export")
        let written = try exportRun(directory, as: format, to: out, overwrite: overwrite)
        say("export: \(written.files) files in \(written.folder)")
    }
}
