package import Optimizers
package import Tensors

/// A fitted mixture: one reward model per group, and which users each belongs to.
package struct FittedMixture<Models: RewardModels> {
    /// One model per group, with the weights of its lowest validation loss, trained on `fit` and `assign`.
    package let models: Models
    /// The single reward model of all users: the baseline (one model).
    package let single: Models
    /// The labels of groups 0 ..< K where they were known, else nil.
    package let labels: [String]?
    /// How the models explain every user: log-likelihoods as EM left them, test accuracies of the final models.
    package let scores: UserScores
    /// [U][1]: how the single model does, in the same way.
    package let singleScores: UserScores
    /// [U][K]: q_h(u).
    package let responsibilities: [[Double]]
    /// [K]: η_u, the mean of q(u) over users: the prior when a new user is assigned.
    package let shares: [Double]
    /// The single model's training before EM.
    package let singleTraining: GroupTraining
    /// [K]: the groups' models' last training, on `fit` and `assign`.
    package let finalTraining: [GroupTraining]
    /// The single model's.
    package let finalSingleTraining: GroupTraining
    /// One record per EM iteration of the start that was kept.
    package let iterations: [MixtureIteration]
    /// Why EM ended.
    package let stopReason: StopReason
    /// The final total log-likelihood on `assign` of every start, in order; the highest was kept.
    package let restartLogLikelihoods: [Double]

    /// Each user's likeliest group.
    package var assignments: [Int] { responsibilities.map(argmax) }

    /// What `fitRewardMixture` goes on from to give this mixture again, without training.
    package func state() throws -> TrainingState {
        let outcome = StartOutcome(
            scores: scores,
            responsibilities: responsibilities,
            logLikelihood: restartLogLikelihoods.max() ?? -.infinity,
            iterations: iterations,
            stopReason: stopReason
        )
        let state = MixtureState(
            single: .init(training: singleTraining, scores: singleScores),
            best: outcome,
            logLikelihoods: restartLogLikelihoods,
            final: FinalFit(training: finalTraining, scores: scores),
            finalSingle: FinalFit(training: [finalSingleTraining], scores: singleScores)
        )
        return try TrainingState(state, as: "fit", single.weightVectors("single") + models.weightVectors("best"))
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
    /// [K]: accuracy of each group's model on the `test` comparisons of the users assigned to it; nil without any.
    package let testAccuracy: [Double?]
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
    /// A training step: of the single model, of an EM iteration, or of the final fit. At most `of` steps; usually
    /// fewer.
    ///
    /// `replicas`: of the models in training what must have the same bits on every rank.
    case step(stage: String, step: Int, of: Int, replicas: [Tensor])
    /// The single model is fitted.
    case single(GroupTraining, testAccuracy: Double?)
    /// An EM iteration is over.
    case iteration(MixtureIteration)
    /// EM is over and the models of the groups, or the single one, are trained on `fit` and `assign` together; the
    /// accuracy of each on the `test` comparisons of its users.
    case final([GroupTraining], testAccuracy: [Double?])
}
