import Failures
import ModelFiles
import Reporting
import StrictJSON

extension Sweep {
    /// Reads what the runs left, and writes `sweep.json` and `sweep.html` in the sweep's directory.
    ///
    /// - Parameters:
    ///   - runs: all of this sweep.
    ///   - failures: exit statuses of runs that just failed, by index; those that left no `status.json` too.
    /// - Returns: the tables for people.
    package func writeResults(of runs: [SweepRun], failures: [Int: Int32] = [:]) throws -> String {
        var swept: [SweptRun] = []
        for run in runs {
            var state = run.state
            if let code = failures[run.index], state == .new || state == .unfinished {
                state = .failed(code: code, message: nil)
            }
            swept.append(try SweptRun(run, state))
        }
        let report = SweepReport(file: file, base: base, directory: directory, runs: swept)
        try createDirectory(directory)
        try writeAtomically(report.json().encoded(pretty: true), to: "\(directory)/sweep.json")
        try writeAtomically(report.html(), to: "\(directory)/sweep.html")
        return try report.tables()
    }
}

extension SweptRun {
    fileprivate init(_ run: SweepRun, _ state: SweepState) throws {
        self.init(index: run.index, name: run.name, series: run.seriesName, values: run.values, state: state.word)
        directory = run.directory.path
        switch state {
        case .failed(let code, let message):
            exitCode = Int(code)
            self.message = message
        case .changed(let keys): message = keys
        case .done:
            try requireUnchangedMetrics(in: run.directory)
            var record = try ReportedRun(of: run.directory, configuration: run.configuration)
            record.name = run.name
            self.record = record
        case .new, .unfinished: break
        }
    }
}
