/// A stage of the pipeline, in the order that `maxmin run` does them.
package enum Stage: String, CaseIterable, Sendable {
    /// Next-token training: makes the reference policy.
    case sft
    /// Samples response pairs and labels them for simulated users.
    case simulate
    /// Fits the mixture of reward models.
    case reward
    /// Brings the groups' rewards to one scale.
    case calibrate
    /// Aligns one policy per objective.
    case policy
    /// Measures win rates and accuracies.
    case evaluate
    /// Writes the report.
    case report

    /// Files and folders of the run directory that belong to this stage alone.
    package var outputs: [String] {
        switch self {
        case .sft: ["reference", "checkpoints/sft"]
        case .simulate: ["preferences.jsonl", "tastes.json"]
        case .reward: ["reward", "checkpoints/reward"]
        case .calibrate: ["reward/calibration.json", "reward/diagnosis.json"]
        case .policy: ["policy", "checkpoints/policy"]
        case .evaluate: ["evaluation.json"]
        case .report: ["report.html"]
        }
    }

    /// Its place in the order.
    var position: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
