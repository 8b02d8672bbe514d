import Failures
import Foundation
import ModelFiles
import Reporting

/// Writes a page that has several runs side by side.
///
/// - Parameters:
///   - runs: run directories with at least one finished stage each.
///   - path: the page's file; one that is there is refused unless `overwrite`.
package func compareRuns(_ runs: [String], to path: String, overwrite: Bool) throws {
    guard overwrite || !FileManager.default.fileExists(atPath: path) else {
        throw Failure(.cannotCreate, "is there already; use --overwrite, or give another --out", at: path)
    }
    var compared: [ReportedRun] = []
    for run in runs {
        let directory = RunDirectory(path: run)
        let configuration = try directory.configuration()
        try requireUnchangedMetrics(in: directory)
        compared.append(try ReportedRun(of: directory, configuration: configuration))
    }
    try writeAtomically(comparisonPage(compared), to: path)
}
