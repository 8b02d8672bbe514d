import Evaluation
import Foundation
import Reporting
import RewardMixture
import StrictJSON

/// Tells of a mixture's fitting while it happens: progress, a line and a metrics record per EM iteration.
final class MixtureLogger {
    /// What is fitted, as `metrics.jsonl` names it: `single` is part of the fit of a mixture.
    enum Fit: String {
        case single, mixture, known
        case heldOut = "held-out"

        /// What progress shows before the name of a part.
        var prefix: String {
            switch self {
            case .single, .mixture: ""
            case .known: "known groups: "
            case .heldOut: "judges: "
            }
        }
    }

    private let run: RunContext
    private let fit: Fit
    private var part = ""
    private var started = Date()

    init(_ run: RunContext, fit: Fit) {
        self.run = run
        self.fit = fit
    }

    /// Takes note of an event.
    func report(_ event: MixtureEvent) throws {
        switch event {
        case .step(let part, let step, let total, _):
            if part != self.part {
                self.part = part
                started = Date()
                run.progress.begin(fit.prefix + part, total: total, done: step - 1)
            }
            if step > 0 { run.progress.advance() }
        case .single(let training, let accuracy):
            run.progress.end("best step \(training.bestStep), held-out accuracy \(percent(accuracy))")
            try write(.single, step: 1, ["training": training.json, "test_accuracy": JSONValue(optional: accuracy)])
        case .iteration(let iteration):
            let sizes = iteration.groupSizes.map { $0.formatted(decimals: 0) }.joined(separator: " + ")
            let accuracies = iteration.accuracy.map(percent).joined(separator: ", ")
            run.progress.end(
                "log-likelihood \(iteration.logLikelihoodPerComparison.formatted(decimals: 4)) a comparison, groups of "
                    + "\(sizes), \(iteration.changes) changes, accuracy on unseen comparisons \(accuracies)"
            )
            try write(fit, step: iteration.iteration, iteration.figures)
        case .final(let training, let accuracies):
            let steps = training.map { String($0.bestStep) }.joined(separator: ", ")
            run.progress.end(
                "best steps \(steps), held-out accuracy \(accuracies.map(percent).joined(separator: ", "))"
            )
        }
    }

    private func write(_ fit: Fit, step: Int, _ figures: JSONObject) throws {
        var object: JSONObject = ["fit": .string(fit.rawValue)]
        for (key, value) in figures.members { object[key] = value }
        try run.metrics.write(
            stage: Stage.reward.rawValue,
            step: step,
            seconds: Date().timeIntervalSince(started),
            object
        )
    }
}

private func percent(_ accuracy: Double?) -> String {
    accuracy.map { "\((100 * $0).formatted(decimals: 1)) %" } ?? "unknown"
}

extension GroupTraining {
    fileprivate var json: JSONValue {
        ["steps": .integer(steps), "best_step": .integer(bestStep), "best_loss": JSONValue(optional: bestLoss)]
    }
}

extension MixtureIteration {
    /// What `metrics.jsonl` holds of an iteration.
    fileprivate var figures: JSONObject {
        var figures: JSONObject = [
            "restart": .integer(restart),
            "temperature": .number(temperature),
            "log_likelihood": .number(logLikelihood),
            "log_likelihood_per_comparison": .number(logLikelihoodPerComparison),
            "group_sizes": .array(groupSizes.map(JSONValue.number)),
            "changes": .integer(changes),
            "accuracy": .array(accuracy.map(JSONValue.init(optional:))),
            "training": .array(training.map(\.json)),
        ]
        if let seeded {
            figures["reseeded_group"] = .integer(seeded.group)
            figures["reseeded_users"] = .integer(seeded.users.count)
        }
        return figures
    }
}
