import ArgumentParser
import ModelTools

struct Diagnose: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Are there groups, and is one reward enough? What a reward stage says before any policy is trained.",
        discussion: """
            Reads a run directory with a finished reward stage; what policies would give each group takes the stage \
            calibrate too. Nothing is computed anew. Numbers have standard errors clustered by user.

            What no diagnosis can know: groups that nobody in the data is of, differences of taste within a group, and \
            whether another start would have found other groups (try reward.restarts). With --json it prints an object \
            with "groups", "groups_known", "told_apart", "verdict", "log_likelihood", "users", "diversity", \
            "correlation" and "predictions". Example:

              maxmin diagnose runs/imdb-10to1
            """
    )

    @Argument(help: "Run directory with a finished reward stage.")
    var directory: String

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() throws {
        try requireOneProcess("diagnose")
        try printingLines { try diagnose(run: directory, json: json, emit: $0) }
    }
}
