import Foundation
import Testing

@testable import Optimizers

struct BackgroundReducerTests {
    private struct Broken: Error {}

    /// What was done; locked.
    private final class Done: @unchecked Sendable {
        private let condition = NSCondition()
        private var pieces: [Int] = []

        func add(_ piece: Int) {
            condition.withLock {
                pieces.append(piece)
                condition.broadcast()
            }
        }

        /// Waits until as many are done; gives all.
        func wait(for count: Int) -> [Int] {
            condition.withLock {
                while pieces.count < count { condition.wait() }
                return pieces
            }
        }
    }

    @Test func piecesAreDoneInOrderWhileTheCallerGoesOn() throws {
        let done = Done()
        let work = BackgroundReducer { done.add($0) }
        work.allow(2)
        #expect(done.wait(for: 2) == [0, 1])
        work.allow(1)
        work.allow(5)
        #expect(done.wait(for: 5) == [0, 1, 2, 3, 4])
        // The last may not be counted yet, but `stop` waits for it.
        #expect(try work.stop() == 5)
    }

    @Test func withoutLeaveNothingIsDone() throws {
        let work = BackgroundReducer { _ in Issue.record("was not allowed") }
        #expect(try work.stop() == 0)
    }

    @Test func anErrorIsTheCallers() {
        let done = Done()
        let work = BackgroundReducer { piece in
            done.add(piece)
            if piece == 1 { throw Broken() }
        }
        work.allow(3)
        #expect(done.wait(for: 2) == [0, 1])
        #expect(throws: Broken.self) { _ = try work.stop() }
    }
}
