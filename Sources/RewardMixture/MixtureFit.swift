/// Which training of a mixture's fitting: what its errors, progress and metrics name.
package struct MixtureFit: Equatable, Sendable {
    /// What is trained.
    package enum Kind: String, Sendable {
        /// The single model of all users, before EM.
        case single
        /// The models of the groups, in one iteration of EM.
        case mixture
        /// The models of the groups that EM found, on all that they may see.
        case final
        /// The single model, on all that it may see.
        case finalSingle = "final-single"
    }

    package let kind: Kind
    /// The K that was asked for.
    package let groups: Int
    /// Of EM: which start, counted from 0, and its iteration, counted from 1.
    package var restart = 0
    package var iteration = 0
    /// Of EM: how many steps the earlier iterations of this start took, the look before each counted as one.
    package var stepsBefore = 0

    /// Whether both are iterations of EM from one start, or the same training.
    package func isPart(of other: MixtureFit) -> Bool {
        kind == other.kind && groups == other.groups && restart == other.restart
    }

    /// As in "mixture of 2, start 1, iteration 3".
    package var name: String {
        switch kind {
        case .single: "single"
        case .mixture: "mixture of \(groups), start \(restart + 1), iteration \(iteration)"
        case .final: "final fit of \(groups) groups"
        case .finalSingle: "final single"
        }
    }
}

/// What a look at models in training found.
package struct Validation: Equatable, Sendable {
    /// Of one group: what its models say of comparisons that they have not trained on, and how they were trained since
    /// the last look.
    package struct Group: Equatable, Sendable {
        /// Per comparison, in nats, at the best damping; nil where the paper's way looks at none.
        package var loss: Double?
        /// The part of the comparisons that the models decide rightly; nil where all are ties.
        package var accuracy: Double?
        /// Mean of r(better) − r(worse), in nats, before damping.
        package var margin: Double?
        /// The damping: what the rewards are to be multiplied by, at most 1.
        package var rewardScale: Double?
        /// The step of the lowest loss so far.
        package var bestStep: Int
        /// Loss per comparison in training; nil before the first step.
        package var trainingLoss: Double?
        /// Mean norm of the gradient before clipping; nil before the first step.
        package var gradientNorm: Double?
    }

    /// Steps made in this fit.
    package let step: Int
    /// Of the last step.
    package let learningRate: Double
    /// Of every group; nil of one that is not trained, or not any more.
    package let groups: [Group?]
}

/// What goes through comparisons without training.
package enum MixturePass: String, Sendable {
    case validation
    case expectation = "E-step"
    case scoring
}

/// What steps of training amounted to since the last look.
struct TrainingSums: Codable {
    private var loss = 0.0
    private var comparisons = 0.0
    private var norm = 0.0
    private var updates = 0.0

    mutating func add(loss: Double, comparisons: Double) {
        self.loss += loss
        self.comparisons += comparisons
    }

    mutating func add(norm: Double) {
        self.norm += norm
        updates += 1
    }

    /// Per comparison; nil without any.
    var meanLoss: Double? { comparisons > 0 ? loss / comparisons : nil }
    /// Per update; nil without any.
    var meanNorm: Double? { updates > 0 ? norm / updates : nil }

    var isValid: Bool { [loss, comparisons, norm, updates].allSatisfy(\.isFinite) }
}

/// The trainings that `fitRewardMixture` does, in order.
func plan(
    _ candidates: [Int],
    _ settings: RewardMixtureSettings,
    hasSingle: Bool,
    isSingleFinal: Bool
) -> [MixtureFit] {
    let starts =
        settings.assignment != .known ? settings.restarts : settings.folds > 1 ? 0 : 1
    let ofGroups = candidates.flatMap { groups in
        (0..<starts).map { MixtureFit(kind: .mixture, groups: groups, restart: $0) }
            + (settings.paper ? [] : [MixtureFit(kind: .final, groups: groups)])
    }
    return (hasSingle ? [MixtureFit(kind: .single, groups: 1)] : []) + ofGroups
        + (isSingleFinal || !hasSingle ? [] : [MixtureFit(kind: .finalSingle, groups: 1)])
}
