package import Failures
import StrictJSON

/// A run's results as one HTML page that needs nothing else: words, charts, tables and samples.
///
/// Sections of stages that were not done say so.
///
/// - Throws: `Failure` where a file of the run lacks what it must hold.
package func htmlReport(_ run: ReportedRun) throws(Failure) -> String {
    let started = try run.environment?.optionalString("started").map { ", last started \($0)" } ?? ""
    let body = try [
        "<h1>\(escaped(run.name))</h1>",
        "<p class=\"about\">MaxMin-RLHF: a policy for the worst-off group of users. Run in "
            + "<code>\(escaped(run.directory))</code>\(escaped(started)).</p>",
        section("Summary", needs: "reward", summaryContent(run)),
        section("Win rates", needs: "evaluate", evaluationContent(run)),
        section("Who the groups are", needs: "reward", groupsContent(run)),
        section("Training of the policies", needs: "policy", policiesContent(run)),
        section("Samples", needs: "evaluate", samplesContent(run)),
        section("Training of the reference", needs: "sft", referenceContent(run)),
        section("The run", needs: "run", runContent(run)),
    ]
    return page(title: run.name, body.joined(separator: "\n"))
}
