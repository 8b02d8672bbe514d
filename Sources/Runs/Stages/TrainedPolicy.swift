import Failures
import Foundation
import MaxMinPolicy
import Reporting
import StrictJSON

/// How the training of a policy ended: `policy/OBJECTIVE/training.json`.
struct TrainedPolicy: Equatable {
    /// Steps done.
    let steps: Int
    /// KL(π ‖ π_ref), nats per response: as smoothed over the last steps, or as measured after the weights were moved
    /// to `maxKL`.
    let kl: Double
    /// What `policy.max_kl` asked for.
    let maxKL: Double?
    /// Whether training got so far; nil where nothing was asked for.
    let reachedMaxKL: Bool?
    /// How far the weights are from the reference's, as a part of how far training had moved them.
    let distance: Double
    /// The groups' weights in the last step's reward; empty for an objective without weights.
    let weights: [Double]
    /// F_u of each group under the policy that is saved, where `regret` compares with it; else empty.
    let utilities: [Double]

    /// States how a training ended.
    ///
    /// - Parameter matched: what was measured after it; nil where it did not reach its `max_kl`, or has none.
    init(_ state: PolicyState, settings: PolicySettings, matched: MatchedDivergence?, utilities: [Double]) {
        steps = state.step
        kl = matched?.kl ?? state.divergence.latest
        maxKL = settings.maxKL
        reachedMaxKL = maxKL == nil ? nil : matched != nil
        distance = matched?.distance ?? 1
        self.utilities = utilities
        weights = [.single, .perResponse].contains(settings.objective) ? [] : state.weighting.weights
    }

    /// The content of the file; `groups` names the groups' reward models.
    func json(groups: some Sequence<String>) -> JSONValue {
        func byGroup(_ values: [Double]) -> JSONValue {
            var object = JSONObject()
            for (name, value) in zip(groups, values) { object[name] = .number(value) }
            return .object(object)
        }
        return [
            "steps": .integer(steps), "kl": .number(kl), "max_kl": JSONValue(optional: maxKL),
            "reached_max_kl": reachedMaxKL.map(JSONValue.bool) ?? .null, "distance": .number(distance),
            "weights": byGroup(weights), "utilities": byGroup(utilities),
        ]
    }

    /// Reads what `json` gave in a policy's directory; nil where an earlier version trained it.
    init?(directory: String) throws(Failure) {
        let path = "\(directory)/training.json"
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let finite = Double.greatestFiniteMagnitude
        steps = try fields.int("steps", in: 0...Int.max)
        kl = try fields.double("kl", in: -finite...finite)
        maxKL = try fields.optionalDouble("max_kl", in: 0...finite)
        reachedMaxKL = try fields.optionalBool("reached_max_kl")
        distance = try fields.double("distance", in: 0...finite)
        func byGroup(_ fields: JSONFields, in range: ClosedRange<Double>) throws(Failure) -> [Double] {
            var values: [Double] = []
            for group in fields.object.keys { values.append(try fields.double(group, in: range)) }
            return values
        }
        weights = try byGroup(fields.fields("weights"), in: 0...finite)
        // An earlier version measured none.
        utilities =
            try fields.optionalFields("utilities").map { fields throws(Failure) in
                try byGroup(fields, in: -finite...finite)
            } ?? []
    }

    /// Whether the policy is within a tenth of the divergence that was asked for; nil where none was.
    var isMatched: Bool? { maxKL.map { reachedMaxKL == true && abs(kl / $0 - 1) <= 0.1 } }

    /// For people: where the training ended, if it was to end at a divergence.
    func line(of name: String) -> String? {
        guard let maxKL else { return nil }
        if let problem = unmatched(name) { return "warning: \(problem)" }
        return "policy \(name): reached policy.max_kl \(maxKL) at step \(steps); at \(distance.formatted(decimals: 2)) "
            + "of its way from the reference it is at \(kl.formatted(decimals: 2)) nats"
    }

    /// That the policy is not at the divergence that was asked for, and what helps; nil where it is, or none was.
    func unmatched(_ name: String) -> String? {
        guard let maxKL, isMatched == false else { return nil }
        let remedy =
            reachedMaxKL == true
            ? "set policy.prompts_per_step higher, so that it is measured better"
            : "raise policy.steps or policy.learning_rate, or lower policy.beta"
        return "policy \(name) is not at policy.max_kl \(maxKL) but at \(kl.formatted(decimals: 2)) nats after "
            + "\(steps) steps, so its results are not at matched KL; \(remedy)"
    }
}
