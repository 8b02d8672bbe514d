import ArgumentParser
import Foundation
import ModelTools
import Runs

struct Assign: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "The group of each new user, and how sure that is.",
        discussion: """
            Scores the users' comparisons under every group's reward model of a finished run. With --json each user \
            gives a line {"user_id", "group", "posterior", "log_likelihoods", "comparisons"}. Few comparisons leave \
            the posterior near the groups' shares: they cannot decide. Example:

              maxmin assign --run runs/imdb-10to1 --input new-users.jsonl
            """
    )

    @Option(name: .customLong("run"), help: "Run directory with a finished reward stage.")
    var directory: String

    @Option(help: "Preference file of the new users, of the form that the run's own has (data.preset, data.fields).")
    var input: String

    @Option(
        help:
            "Type of the operands of products: fp32, bf16, or auto (bf16 where the CPU has instructions for it)."
    )
    var precision: ModelSection.Precision = .fp32

    @Option(help: "Threads; default: the CPUs that this process may use.", transform: whole(1...1024))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Print a JSON object a user.")
    var json = false

    func run() throws {
        try requireOneProcess("assign")
        var request = AssignRequest(run: directory, input: input)
        request.precision = precision
        request.threads = threads
        request.json = json
        try printingLines { try assign(request, log: say, emit: $0) }
    }
}
