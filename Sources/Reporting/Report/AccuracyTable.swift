import Failures
import StrictJSON

/// The accuracy of each reward model of some mixtures on each label; nil where the data name no groups.
///
/// `mixtures`: `reward/mixture.json` of each run, and what its models' names begin with.
func accuracyTable(_ mixtures: [(prefix: String, fields: JSONFields?)]) throws(Failure) -> String? {
    var labels: [String] = []
    var models: [(name: String, own: [(group: String, rate: Interval)])] = []
    for (prefix, fields) in mixtures {
        guard let rewards = try fields?.optionalFields("rewards") else { continue }
        for model in rewards.object.keys {
            let own = try intervals(rewards.fields(model).fields("accuracy"))
            for (label, _) in own where !labels.contains(label) { labels.append(label) }
            models.append((prefix + model, own))
        }
    }
    guard !labels.isEmpty else { return nil }
    let rows = models.map { name, own in
        [name] + labels.map { label in own.first { $0.group == label }?.rate.percent ?? "–" }
    }
    return table(["model"] + labels.map { "\($0), %" }, rows)
}
