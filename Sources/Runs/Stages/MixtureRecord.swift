import Evaluation
import Failures
import RewardMixture
import StrictJSON

/// What later stages need of `reward/mixture.json`.
struct MixtureRecord {
    /// Users of each group, as EM found them.
    let groupSizes: [Double]
    /// The label of each group, nil where the data has none or another group matches it better.
    let labelOfGroup: [String?]
    /// Share of users in the group of their label; nil without labels.
    let agreement: Double?
    /// Held-out accuracy of every model on the users of each label.
    let rewards: [RewardEvaluation]
    /// Accuracy of each group's model on held-out comparisons of its own users; nil where there are none.
    let ownAccuracy: [Estimate?]
    /// What speaks against a model.
    let warnings: [String]

    /// What each group is called in results: its label, or its model's name.
    var names: [String] {
        zip(labelOfGroup, rewardModelNames(groups: groupSizes.count)).map { $0 ?? $1 }
    }
}

extension RunContext {
    /// Reads what the `reward` stage noted of its mixture.
    func loadMixtureRecord() throws(Failure) -> MixtureRecord {
        let path = try directory.require("reward/mixture.json", madeBy: .reward)
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let sizes = try fields.doubles("group_sizes", in: 0...Double.greatestFiniteMagnitude)
        let most = configuration.reward.mixture.mostGroups
        guard (1...most).contains(sizes.count) || configuration.reward.mixture.assignment == .known else {
            throw fields.failure("group_sizes", "has \(sizes.count) groups, and the configuration asks for \(most)")
        }
        let labels = try fields.optionalArray("label_of_group")?.map(\.string) ?? sizes.map { _ in nil }
        guard labels.count == sizes.count else {
            throw fields.failure("label_of_group", "has \(labels.count) labels for \(sizes.count) groups")
        }
        var rewards: [RewardEvaluation] = []
        let models = try fields.fields("rewards")
        for name in models.object.keys {
            let byLabel = try models.fields(name).fields("accuracy")
            var accuracy: [GroupEstimate] = []
            for label in byLabel.object.keys {
                guard let estimate = try byLabel.optionalFields(label) else { continue }
                accuracy.append(GroupEstimate(group: label, estimate: try Estimate(estimate)))
            }
            rewards.append(RewardEvaluation(name: name, accuracy: accuracy))
        }
        var ownAccuracy: [Estimate?] = []
        for name in rewardModelNames(groups: sizes.count).dropLast() {
            let own = try models.optionalFields(name)?.optionalFields("test_accuracy")
            if let own { ownAccuracy.append(try Estimate(own)) } else { ownAccuracy.append(nil) }
        }
        return MixtureRecord(
            groupSizes: sizes,
            labelOfGroup: labels,
            agreement: try fields.optionalDouble("assignment_agreement", in: 0...1),
            rewards: rewards,
            ownAccuracy: ownAccuracy,
            warnings: try fields.strings("warnings")
        )
    }
}

extension Estimate {
    /// `{mean, low, high}`, shares.
    fileprivate init(_ fields: JSONFields) throws(Failure) {
        self.init(
            mean: try fields.double("mean", in: 0...1),
            low: try fields.double("low", in: 0...1),
            high: try fields.double("high", in: 0...1)
        )
    }
}
