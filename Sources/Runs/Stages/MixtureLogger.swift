import Evaluation
import Foundation
import Reporting
import RewardMixture
import StrictJSON

/// Tells of a mixture's fitting while it happens: progress, and a metrics record per look at the models and per EM
/// iteration.
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
    private var plan: [MixtureFit] = []
    private var announced: MixtureFit?
    private var started = Date()
    private var looked = Date()
    private var lastLook: String?

    init(_ run: RunContext, fit: Fit) {
        self.run = run
        self.fit = fit
    }

    /// Takes note of an event.
    func report(_ event: MixtureEvent) throws {
        switch event {
        case .planned(let plan): self.plan = plan
        case .began(let training, let step, let total): begin(training, step: step, of: total)
        case .step(_, let loss, _):
            run.progress.advance(notes: ["loss \(loss.formatted(decimals: 3))"] + (lastLook.map { [$0] } ?? []))
        case .passed(let pass, let done, let total): run.progress.note("\(pass.rawValue) \(done)/\(total)")
        case .validation(let training, let found):
            lastLook = found.note
            try write(
                "training-" + (fit == .mixture ? "" : fit.rawValue + "-") + training.part,
                step: training.stepsBefore + found.step,
                since: looked,
                found.figures(of: training)
            )
            looked = Date()
        case .single(let training, let accuracy):
            run.progress.end("best step \(training.bestStep), held-out accuracy \(percent(accuracy))")
            try write(
                Fit.single.rawValue,
                step: 1,
                since: started,
                ["training": training.json, "test_accuracy": JSONValue(optional: accuracy)]
            )
        case .iteration(let iteration):
            let sizes = iteration.groupSizes.map { $0.formatted(decimals: 0) }.joined(separator: " + ")
            let accuracies = iteration.accuracy.map(percent).joined(separator: ", ")
            run.progress.end(
                "log-likelihood \(iteration.logLikelihoodPerComparison.formatted(decimals: 4)) a comparison, groups of "
                    + "\(sizes), \(iteration.changes) changes, accuracy on unseen comparisons \(accuracies)"
            )
            try write(fit.rawValue, step: iteration.iteration, since: started, iteration.figures)
        case .final(let training, let accuracies):
            let steps = training.map { String($0.bestStep) }.joined(separator: ", ")
            run.progress.end(
                "best steps \(steps), held-out accuracy \(accuracies.map(percent).joined(separator: ", "))"
            )
        }
    }

    /// Says which of the trainings it is, where that is another than the last, and starts its bar.
    private func begin(_ training: MixtureFit, step: Int, of total: Int) {
        let place = plan.firstIndex(where: training.isPart).map { "fit \($0 + 1) of \(plan.count)" } ?? "fit"
        if announced.map(training.isPart) != true {
            let start = training.kind == .mixture ? ", start \(training.restart + 1)" : ""
            run.progress.say("reward: \(fit.prefix)\(place): \(training.subject)\(start)")
        }
        announced = training
        (started, looked, lastLook) = (Date(), Date(), nil)
        let iteration = training.kind == .mixture ? ", iteration \(training.iteration)" : ""
        run.progress.begin("\(fit.prefix)\(place)\(iteration)", total: total, done: step)
    }

    private func write(_ fit: String, step: Int, since start: Date, _ figures: JSONObject) throws {
        var object: JSONObject = ["fit": .string(fit)]
        for (key, value) in figures.members { object[key] = value }
        try run.metrics.write(
            stage: Stage.reward.rawValue,
            step: step,
            seconds: Date().timeIntervalSince(start),
            object
        )
    }
}

extension MixtureFit {
    /// For people.
    fileprivate var subject: String {
        switch kind {
        case .single, .finalSingle: "the single model"
        case .mixture: "mixture of \(groups) groups"
        case .final: "the models of \(groups) groups, on all that they may see"
        }
    }

    /// As `metrics.jsonl` names it, behind "training-".
    fileprivate var part: String { kind.rawValue + (groups > 1 ? "-of-\(groups)" : "") }
}

extension Validation {
    /// What `metrics.jsonl` holds of it: of every figure one number a group.
    fileprivate func figures(of training: MixtureFit) -> JSONObject {
        func all(_ figure: KeyPath<Group, Double?>) -> JSONValue {
            .array(groups.map { JSONValue(optional: $0?[keyPath: figure]) })
        }
        var figures: JSONObject = [
            "learning_rate": .number(learningRate), "loss": all(\.loss), "accuracy": all(\.accuracy),
            "margin": all(\.margin), "reward_scale": all(\.rewardScale), "training_loss": all(\.trainingLoss),
            "gradient_norm": all(\.gradientNorm),
            "best_step": .array(groups.map { $0.map { .integer($0.bestStep) } ?? .null }),
        ]
        if training.kind == .mixture {
            figures["restart"] = .integer(training.restart)
            figures["iteration"] = .integer(training.iteration)
        }
        return figures
    }

    /// For the bar; nil where nothing was looked at.
    fileprivate var note: String? {
        let losses = groups.compactMap { $0?.loss }.map { $0.formatted(decimals: 3) }
        return losses.isEmpty ? nil : "validation " + losses.joined(separator: ", ")
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
