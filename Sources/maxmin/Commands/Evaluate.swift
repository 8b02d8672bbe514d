import ArgumentParser
import Reporting
import Runs

struct Evaluate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Measures win rates per group on held-out prompts, and the reward models' accuracy.",
        discussion: """
            Needs the stages reward, calibrate and policy; writes evaluation.json in the run directory. The judges are \
            those of evaluate.judges. With --dry-run it prints the requests that it would send to the judge llm, sends \
            none and writes nothing. Examples:

              maxmin evaluate launch/runs/quickstart.yaml
              maxmin evaluate mine.yaml --dry-run
            """
    )

    @OptionGroup var options: RunOptions

    @Flag(help: "Print the requests to the judge llm, one JSON object a line, and send none.")
    var dryRun = false

    func validate() throws {
        guard !dryRun || options.choices.isForPreview else {
            throw ValidationError("--dry-run takes no option but --set and --threads")
        }
    }

    func run() throws {
        guard dryRun else { return try options.run([.evaluate]) }
        try requireOneProcess("evaluate --dry-run")
        try onEveryRank { communicator, suggestedThreads in
            var request = RunRequest(configuration: options.config)
            request.overrides = options.choices.allOverrides
            request.suggestedThreads = suggestedThreads
            let progress = ProgressMeter.onStandardError(rank: 0)
            try printingLines { emit in
                try previewJudge(request, communicator: communicator, progress: progress, emit: emit)
            }
        }
    }
}
