import Foundation
import Synchronization

/// Signals that ask a run to stop: SIGUSR1, SIGTERM and SIGINT.
///
/// A handler only counts; the run looks at its next step boundary. A second SIGINT ends the process at once.
enum StopSignals {
    private static let requests = Atomic(0)
    private static let interrupts = Atomic(0)

    /// Whether one of them came.
    static var isAsked: Bool { requests.load(ordering: .relaxed) > 0 }

    /// Handles them from now on.
    static func install() {
        // A first use within a handler would not be safe.
        _ = isAsked
        _ = interrupts.load(ordering: .relaxed)
        for number in [SIGUSR1, SIGTERM] {
            signal(number) { _ in StopSignals.requests.add(1, ordering: .relaxed) }
        }
        signal(SIGINT) { _ in
            StopSignals.requests.add(1, ordering: .relaxed)
            if StopSignals.interrupts.add(1, ordering: .relaxed).newValue > 1 {
                signal(SIGINT, SIG_DFL)
                raise(SIGINT)
            }
        }
    }
}

/// When a run must have ended: after so many hours, or when its Slurm job does; nil: never.
func deadline(hours: Double?) -> Date? {
    let job = ProcessInfo.processInfo.environment["SLURM_JOB_END_TIME"].flatMap { Double($0) }
    let limits = [hours.map { Date.now.addingTimeInterval(3600 * $0) }, job.map { Date(timeIntervalSince1970: $0) }]
    return limits.compactMap { $0 }.min()
}
