import Evaluation
import Failures
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
}

extension RunContext {
    /// Reads what the `reward` stage noted of its mixture.
    func loadMixtureRecord() throws(Failure) -> MixtureRecord {
        let path = try directory.require("reward/mixture.json", madeBy: .reward)
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let sizes = try fields.doubles("group_sizes")
        var rewards: [RewardEvaluation] = []
        let models = try fields.fields("rewards")
        for name in models.object.keys {
            let byLabel = try models.fields(name).fields("accuracy")
            var accuracy: [GroupEstimate] = []
            for label in byLabel.object.keys {
                guard let estimate = try byLabel.optionalFields(label) else { continue }
                accuracy.append(
                    GroupEstimate(
                        group: label,
                        estimate: Estimate(
                            mean: try estimate.double("mean"),
                            low: try estimate.double("low"),
                            high: try estimate.double("high")
                        )
                    )
                )
            }
            rewards.append(RewardEvaluation(name: name, accuracy: accuracy))
        }
        return MixtureRecord(
            groupSizes: sizes,
            labelOfGroup: try fields.optionalArray("label_of_group")?.map(\.string) ?? sizes.map { _ in nil },
            agreement: try fields.optionalDouble("assignment_agreement"),
            rewards: rewards
        )
    }
}
