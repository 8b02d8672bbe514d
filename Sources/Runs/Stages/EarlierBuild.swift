import Failures
import Foundation
import StrictJSON

/// Why this build cannot tell whether the groups of a finished reward stage are real: an earlier one wrote
/// `reward/mixture.json`, without what tells them apart; nil where it can.
///
/// - Throws: `Failure` where a file of the run cannot be read.
func earlierBuild(of directory: RunDirectory) throws(Failure) -> Failure? {
    let path = try directory.require("reward/mixture.json", madeBy: .reward)
    let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
    let tried = try fields.optionalArray("log_likelihood") ?? []
    guard tried.contains(where: { $0.object?["told_apart"] == nil }) else { return nil }
    let environment = directory.file("environment.json")
    var when = ""
    if FileManager.default.fileExists(atPath: environment),
        let started = try JSONFields(JSONValue(contentsOfFile: environment), at: environment).optionalString("started")
    {
        when = " in the run of \(started)"
    }
    return Failure(
        .badData,
        "an earlier build of maxmin wrote it\(when), which did not note what tells groups apart; do the stage reward "
            + "again with this build, or read the run with the build that made it",
        at: path
    )
}
