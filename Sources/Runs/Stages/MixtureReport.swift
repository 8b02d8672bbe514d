import Evaluation
import Foundation
import Reporting
import RewardMixture
import StrictJSON

/// Tells of a mixture's fitting while it happens: progress, a line and a metrics record per EM iteration.
final class MixtureNarrator {
    private let run: RunContext
    private let prefix: String
    private var stage = ""
    private var started = Date()

    init(_ run: RunContext, prefix: String = "") {
        self.run = run
        self.prefix = prefix
    }

    /// Takes note of an event.
    func report(_ event: MixtureEvent) throws {
        switch event {
        case .step(let stage, let step, let total):
            if stage != self.stage {
                self.stage = stage
                started = Date()
                run.progress.begin(prefix + stage, total: total)
            }
            if step > 0 { run.progress.advance() }
        case .single(let training, let accuracy):
            run.progress.end("best step \(training.bestStep), held-out accuracy \(percent(accuracy))")
            try run.metrics.write(
                stage: "\(prefix)reward single",
                step: 1,
                seconds: Date().timeIntervalSince(started),
                ["training": training.json, "test_accuracy": JSONValue(optional: accuracy)]
            )
        case .iteration(let iteration):
            let sizes = iteration.groupSizes.map { $0.formatted(decimals: 0) }.joined(separator: " + ")
            let accuracies = iteration.testAccuracy.map(percent).joined(separator: ", ")
            run.progress.end(
                "log-likelihood \(iteration.logLikelihoodPerComparison.formatted(decimals: 4)) a comparison, groups of "
                    + "\(sizes), \(iteration.changes) changes, held-out accuracy \(accuracies)"
            )
            try run.metrics.write(
                stage: "\(prefix)reward",
                step: iteration.iteration,
                seconds: Date().timeIntervalSince(started),
                iteration.figures
            )
        }
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
            "test_accuracy": .array(testAccuracy.map(JSONValue.init(optional:))),
            "training": .array(training.map(\.json)),
        ]
        if let seeded {
            figures["reseeded_group"] = .integer(seeded.group)
            figures["reseeded_users"] = .integer(seeded.users.count)
        }
        return figures
    }
}
