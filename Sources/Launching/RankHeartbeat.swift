import Foundation
import Runs
import Watching

/// Whether the ranks of a run that was started are still there, by the file that rank 0 rewrites several times a
/// second.
///
/// A launcher may outlive its ranks (an overloaded mpirun waits for processes that are gone), and would then be waited
/// for without end. Where rank 0 alone is silent, the other ranks' watchdogs end the run long before `patience` is
/// over.
struct RankHeartbeat {
    /// Seconds of silence after which the ranks are gone; network file systems may hide changes for a minute.
    private let patience: Double
    private let file: String
    private var last: Date?
    private var hasLived = false
    private var silence = 0.0
    private var untilNextLook = 0.0

    init(in directory: String, patience: Double) {
        file = RankFolder(path: "\(directory)/watchdog").file(of: 0)
        self.patience = patience
        last = Self.changed(file)
    }

    /// Whether the ranks are gone, though they were there.
    ///
    /// Called every `seconds`, so that time for which a machine or the whole job is suspended does not count.
    mutating func areGone(after seconds: Double) -> Bool {
        silence += seconds
        untilNextLook -= seconds
        if untilNextLook <= 0 {
            untilNextLook = patience / 100
            let found = Self.changed(file)
            if let found, found != last {
                hasLived = true
                silence = 0
            }
            last = found ?? last
        }
        return hasLived && silence >= patience
    }

    private static func changed(_ file: String) -> Date? {
        (try? FileManager.default.attributesOfItem(atPath: file))?[.modificationDate] as? Date
    }
}
