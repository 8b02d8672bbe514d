import Runs
import StrictJSON

/// Prints what a run's reward stage says of its users: lines for people, or one JSON object.
package func diagnose(run: String, json: Bool, emit: (String) throws -> Void) throws {
    let diagnosis = try Diagnosis(of: RunDirectory(path: run))
    if json {
        try emit(JSONValue.object(diagnosis.json).encoded())
    } else {
        for line in diagnosis.lines { try emit(line) }
    }
}
