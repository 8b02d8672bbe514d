package import Optimizers
package import Tensors

/// A fitted mixture: one reward model per group, and which users each belongs to.
package struct FittedMixture<Models: RewardModels> {
    /// One model per group, with the weights of its lowest validation loss.
    package let models: Models
    /// The single reward model of all users: the baseline (one model).
    package let single: Models
    /// The labels of groups 0 ..< K where they were known, else nil.
    package let labels: [String]?
    /// How the models explain every user: on `assign` as models did that had not seen it, on `test` as these do.
    package let scores: UserScores
    /// [U][1]: how the single model does, in the same way.
    package let singleScores: UserScores
    /// [U][K]: q_h(u).
    package let responsibilities: [[Double]]
    /// [K]: η_u, the mean of q(u) over users: the prior when a new user is assigned.
    package let shares: [Double]
    /// The single model's training before EM.
    package let singleTraining: GroupTraining
    /// [K]: the groups' models' last training.
    package let finalTraining: [GroupTraining]
    /// The single model's.
    package let finalSingleTraining: GroupTraining
    /// Each user's group when the last group was seeded, before EM moved anybody: what EM added is the difference.
    package let seed: [Int]
    /// One record per EM iteration of the start that was kept.
    package let iterations: [MixtureIteration]
    /// [iterations + 1][U][K]: the responsibilities at that start, then those that each E-step gave.
    ///
    /// A group that is left out has no column. Empty where there was no EM.
    package let history: [[[Double]]]
    /// Why EM ended.
    package let stopReason: StopReason
    /// What EM reached from every start, in order; the one of the highest likelihood was kept.
    package let starts: [ReachedStart]
    /// How well each number of groups that was tried explains comparisons unseen: of the single model, then of each K;
    /// none without `test` comparisons.
    package let candidates: [HeldOutFit]
    /// Whether the models that the E-step asks have not seen what they are asked.
    package let hasUnseen: Bool
    /// [K][K]: how differently the groups' models predict; nil on the diagonal, and without `test` comparisons.
    package let contrasts: [[GroupContrast?]]
    /// Groups that EM was asked for and that no user is left in.
    package let emptyGroups: Int
    private let state: MixtureState
    private let modelsOfFits: [Models]

    /// Each user's likeliest group.
    package var assignments: [Int] { responsibilities.map(argmax) }

    init(
        fits: [GroupsFit],
        models: [Models],
        single: Models,
        singleFit: FinalFit,
        finalSingleFit: FinalFit,
        labels: [String]?,
        choosesGroups: Bool,
        hasUnseen: Bool
    ) {
        self.hasUnseen = hasUnseen
        let everyone = singleFit.scores.members.map { _ in [1.0] }
        let ofSingle = HeldOutFit(
            groups: 1,
            left: 1,
            finalSingleFit.scores,
            responsibilities: everyone,
            contrasts: [[nil]]
        )
        let ofGroups = fits.map {
            HeldOutFit(
                groups: $0.groups,
                left: $0.left,
                $0.final.scores,
                responsibilities: $0.outcome.responsibilities,
                contrasts: $0.contrasts
            )
        }
        candidates = singleFit.scores.members.contains { $0.testWeight > 0 } ? [ofSingle] + ofGroups : []
        // 0: the single model.
        let chosen = choosesGroups ? smallestGoodFit(candidates) : fits.count
        self.single = single
        self.labels = labels
        self.models = chosen == 0 ? single : models[chosen - 1]
        // Nil where one group was asked for.
        let fit = fits.isEmpty ? nil : fits[max(chosen, 1) - 1]
        let kept = chosen == 0 ? nil : fit
        let final = kept?.final ?? finalSingleFit
        scores = final.scores
        singleScores = finalSingleFit.scores
        responsibilities = kept?.outcome.responsibilities ?? everyone
        shares = groupShares(responsibilities, groups: final.training.count)
        singleTraining = singleFit.training[0]
        finalTraining = final.training
        finalSingleTraining = finalSingleFit.training[0]
        seed = kept?.outcome.seed ?? everyone.map { _ in 0 }
        iterations = fit?.outcome.iterations ?? []
        history = kept?.outcome.history ?? []
        stopReason = fit?.outcome.stopReason ?? .oneGroup
        starts = fit?.starts ?? []
        contrasts = kept?.contrasts ?? [[nil]]
        emptyGroups = kept.map { $0.groups - $0.left } ?? 0
        state = MixtureState(single: singleFit, finalSingle: finalSingleFit, fits: fits)
        modelsOfFits = models
    }

    /// What `fitRewardMixture` goes on from to give this mixture again, without training.
    ///
    /// The models that the single one had of folds are not among it: nothing asks them any more.
    package func savedState() throws -> TrainingState {
        let groups = modelsOfFits.enumerated().flatMap { $1.weightVectors("groups-\($0)") }
        return try TrainingState(state, as: "fit", single.weightVectors("final-single") + groups)
    }
}

/// What one EM iteration did: a line of the log.
package struct MixtureIteration: Equatable, Codable, Sendable {
    /// Counted from 0.
    package let restart: Int
    /// Counted from 1.
    package let iteration: Int
    /// Temperature of the soft E-step; 1 with hard assignment.
    package let temperature: Double
    /// Total log-likelihood on `assign`: of the assigned groups (hard, known) or of the mixture (soft).
    package let logLikelihood: Double
    /// The same per comparison; chance is −log 2.
    package let logLikelihoodPerComparison: Double
    /// Σ_h q_h(u) of each group, after the E-step.
    package let groupSizes: [Double]
    /// Users whose group changed.
    package let changes: Int
    /// [K]: accuracy on the `assign` comparisons of each group's users, of the group's models that have not seen them;
    /// nil without any.
    package let accuracy: [Double?]
    /// The M-step of each group.
    package let training: [GroupTraining]
    /// A group that was empty and is seeded for the next iteration, with the positions of the users that seed it.
    package let seeded: Seeding?

    /// A group seeded anew.
    package struct Seeding: Equatable, Codable, Sendable {
        /// The group.
        package let group: Int
        /// Positions of the users in `UserScores.members`.
        package let users: [Int]
    }
}

/// What `fitRewardMixture` reports while it works; the same events on every rank.
package enum MixtureEvent {
    /// Which trainings there will be, in order; EM from one start, which has several, is there once.
    case planned([MixtureFit])
    /// A training begins or goes on: of the single model, of an EM iteration, or of the final fit, after `step` steps.
    ///
    /// At most `of` steps; usually fewer.
    case began(MixtureFit, step: Int, of: Int)
    /// A training step, with the loss per comparison of its batch, of all models together.
    ///
    /// `replicas`: of the models in training what must have the same bits on every rank.
    case step(Int, loss: Double, replicas: [Tensor])
    /// A look at the models of a training.
    case validation(MixtureFit, Validation)
    /// So many shards of this rank have gone through a pass without training: the one event that differs between ranks.
    case passed(MixturePass, done: Int, of: Int)
    /// The single model is fitted.
    case single(GroupTraining, testAccuracy: Double?)
    /// An EM iteration is over.
    case iteration(MixtureIteration)
    /// EM is over and the models of the groups, or the single one, are trained on all that they may see; the accuracy
    /// of each on the `test` comparisons of its users.
    case final([GroupTraining], testAccuracy: [Double?])
}
