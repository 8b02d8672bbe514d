import Collectives
import Reporting
import StrictJSON
import Tensors

/// Where a task's time goes, in seconds.
package struct TimeByKind: Equatable, Sendable {
    package let products, attention, optimizer: Double
    /// In collectives, and waiting for other ranks.
    package let communication: Double
    /// All the rest: norms, activations, log-probabilities, copies.
    package let elementwise: Double

    /// Does the work once, with a barrier before every collective.
    init(of work: (any Communicator) throws -> Void, over communicator: any Communicator) throws {
        let timed = TimedCommunicator(communicator)
        try communicator.barrier()
        _ = KernelTimes.take()
        let start = ContinuousClock.now
        try work(timed)
        let total = (ContinuousClock.now - start) / .seconds(1)
        let kernels = KernelTimes.take()
        products = kernels.products
        attention = kernels.attention
        optimizer = kernels.optimizer
        communication = timed.times.waiting + timed.times.exchanging
        elementwise = max(0, total - products - attention - optimizer - communication)
    }

    private var parts: [(name: String, seconds: Double)] {
        [
            ("products", products), ("attention", attention), ("elementwise", elementwise), ("optimizer", optimizer),
            ("communication", communication),
        ]
    }

    /// Percentages for people, without what took nothing.
    var line: String {
        let total = parts.reduce(0) { $0 + $1.seconds }
        return parts.map { ($0.name, 100 * $0.seconds / max(total, 1e-9)) }.filter { $0.1 >= 0.5 }
            .map { "\($0) \($1.formatted(decimals: 0)) %" }.joined(separator: " ")
    }

    var json: JSONObject {
        var object = JSONObject()
        for part in parts { object[part.name] = .number(part.seconds) }
        return object
    }
}
