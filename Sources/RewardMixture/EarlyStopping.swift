/// One group's training budget in one M-step: it ends when the validation loss has not reached a new low for `patience`
/// looks, or after `maxSteps`.
///
/// Each group has its own. Measured on a 10:1 mixture of film-review users: with equal epochs the small group's model
/// is left near chance and the large group's absorbs its users; with equal steps it overfits (held-out accuracy 73 % →
/// 63 % from one iteration to the next) and loses them again.
package struct EarlyStopping: Equatable, Codable, Sendable {
    /// Lowest validation loss so far, per comparison.
    package private(set) var bestLoss = Double.infinity
    /// The step after which it was seen; 0: before the first.
    package private(set) var bestStep = 0
    /// The last step taken.
    package private(set) var steps = 0
    /// Whether the budget is used up.
    package private(set) var stopped = false
    /// The last step that may be taken, as far as is known.
    var end: Int { stopped ? steps : maxSteps }
    private let patience: Int
    private let maxSteps: Int
    private var looksWithoutGain = 0

    /// A fresh budget.
    package init(patience: Int, maxSteps: Int) {
        self.patience = patience
        self.maxSteps = maxSteps
    }

    /// Notes steps that no validation judges; true after the last one, whose weights are kept.
    mutating func spend(step: Int) -> Bool {
        (steps, bestStep) = (step, step)
        stopped = step >= maxSteps
        return stopped
    }

    /// Notes the validation loss after `step` steps; true where it is the lowest so far, and the weights are worth
    /// keeping.
    package mutating func observe(loss: Double, step: Int) -> Bool {
        steps = step
        let isBest = loss < bestLoss
        if isBest {
            bestLoss = loss
            bestStep = step
            looksWithoutGain = 0
        } else {
            looksWithoutGain += 1
        }
        stopped = looksWithoutGain >= patience || step >= maxSteps
        return isBest
    }
}
