import Foundation
import Synchronization

/// Ctrl-C in a chat: it ends the answer under way; where there is none, or a second comes, it ends the process.
enum AnswerInterrupt {
    private static let isAnswering = Atomic(false)
    private static let requests = Atomic(0)

    /// Whether the answer under way is to end.
    static var isAsked: Bool { requests.load(ordering: .relaxed) > 0 }

    /// Handles SIGINT from now on.
    static func install() {
        // A first use within a handler would not be safe.
        end()
        signal(SIGINT) { _ in
            let isFirst = AnswerInterrupt.requests.add(1, ordering: .relaxed).newValue == 1
            if !isFirst || !AnswerInterrupt.isAnswering.load(ordering: .relaxed) {
                signal(SIGINT, SIG_DFL)
                raise(SIGINT)
            }
        }
    }

    /// An answer is under way.
    static func begin() {
        requests.store(0, ordering: .relaxed)
        isAnswering.store(true, ordering: .relaxed)
    }

    /// None is.
    static func end() {
        isAnswering.store(false, ordering: .relaxed)
        requests.store(0, ordering: .relaxed)
    }
}
