import Foundation
import Tensors

/// Pieces of work, one after the other, that a thread of its own does while the caller prepares the next ones.
///
/// What the caller has not allowed by the time it stops this, it does itself, with all threads of the kernels.
///
/// `@unchecked Sendable`: mutable state is touched only while `condition` is locked; of what `work` reaches, caller and
/// thread touch different parts until `stop` returns.
final class BackgroundReducer: @unchecked Sendable {
    private let work: (Int) throws -> Void
    private let condition = NSCondition()
    private var allowed = 0
    private var done = 0
    private var isRunning = false
    private var isOver = false
    private var error: (any Error)?

    /// `work(i)` does the i-th piece.
    init(_ work: @escaping (Int) throws -> Void) { self.work = work }

    /// Lets the first `count` pieces be done; starts the thread, if there is none.
    func allow(_ count: Int) {
        condition.lock()
        defer { condition.unlock() }
        guard count > allowed else { return }
        allowed = count
        condition.broadcast()
        if isRunning || error != nil { return }
        isRunning = true
        let thread = Thread { self.run() }
        thread.name = "early work"
        thread.start()
    }

    /// Waits for the piece that is being done; returns how many are, and throws what one of them threw.
    func stop() throws -> Int {
        condition.lock()
        defer { condition.unlock() }
        isOver = true
        condition.broadcast()
        while isRunning { condition.wait() }
        if let error { throw error }
        return done
    }

    /// Does no further piece; one that is being done may wait for ranks that no longer come, so nothing waits for it:
    /// the error that made the caller leave ends all ranks.
    func abandon() {
        condition.lock()
        defer { condition.unlock() }
        isOver = true
        condition.broadcast()
    }

    private func run() {
        KernelThreads.useOnlyThisThread()
        condition.lock()
        defer {
            isRunning = false
            condition.broadcast()
            condition.unlock()
        }
        while true {
            while done == allowed && !isOver { condition.wait() }
            if isOver { return }
            let piece = done
            condition.unlock()
            let outcome = Result { try work(piece) }
            condition.lock()
            do {
                try outcome.get()
                done += 1
            } catch {
                self.error = error
                return
            }
        }
    }
}
