// What a checkpoint holds of a mixture's fitting, from the inside out:
//
//   m-step    step and budgets; the models' weights, best weights and moments
//   em        what one iteration hands to the next; the weights of the best iteration
//   (itself)  the single model, the starts that are done and the best of them, what the final fits gave
//
// Samplers are not among it: what they drew follows from the steps made.

//
// What is read back may have been changed by hand, so each has a check that its numbers are of the users and groups at
// hand.

/// Where an M-step is.
struct MStepState: Codable {
    /// Steps made.
    var step = 0
    var budgets: [EarlyStopping]
    /// Per group, what the rewards of the best weights are to be multiplied by.
    var rewardScale: [Double]

    func isValid(groups: Int, maxSteps: Int) -> Bool {
        let steps = 0...maxSteps
        return steps.contains(step) && budgets.count == groups && budgets.allSatisfy { steps.contains($0.steps) }
            && rewardScale.count == groups && rewardScale.allSatisfy(\.isFinite)
    }
}

/// Where EM is from one start: what an iteration hands to the next.
struct EMState: Codable {
    var responsibilities: [[Double]]
    var iterations: [MixtureIteration] = []
    /// How often an empty group may still be seeded.
    var seedingsLeft: Int
    /// Whether the last iteration seeded one.
    var justSeeded = false
    /// The iteration of highest likelihood so far.
    var best: BestIteration?

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        isTable(responsibilities, members.count, groups) && (best?.isValid(members: members, groups: groups) ?? true)
            && seedingsLeft >= 0
    }

    /// What an iteration must exceed to be the best.
    var bestLogLikelihood: Double { best.map { $0.isUnfinished ? -.infinity : $0.logLikelihood } ?? -.infinity }
}

/// How users were explained after the iteration of highest likelihood.
struct BestIteration: Codable {
    let scores: UserScores
    let responsibilities: [[Double]]
    let logLikelihood: Double
    /// Whether a group was seeded anew after it: it is unfinished, and any other is better.
    let isUnfinished: Bool

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        scores.isValid(members: members, groups: groups) && isTable(responsibilities, members.count, groups)
    }
}

/// What EM reached from one start.
struct StartOutcome: Codable, Equatable {
    let scores: UserScores
    let responsibilities: [[Double]]
    let logLikelihood: Double
    let iterations: [MixtureIteration]
    let stopReason: StopReason

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        scores.isValid(members: members, groups: groups) && isTable(responsibilities, members.count, groups)
    }
}

/// What a final fit did.
struct FinalFit: Codable {
    /// Of each model.
    let training: [GroupTraining]
    let scores: UserScores

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        training.count == groups && scores.isValid(members: members, groups: groups)
    }
}

/// What was fitted before the start, or the final fit, that is under way.
struct MixtureState: Codable {
    /// How the single model was trained and does; nil while it is trained.
    struct Single: Codable {
        let training: GroupTraining
        let scores: UserScores
    }

    var single: Single?
    /// The best start so far.
    var best: StartOutcome?
    /// Of every start that is done.
    var logLikelihoods: [Double] = []
    /// How the groups' models, and the single one, were trained and do after their final fits; nil until then.
    var final: FinalFit?
    var finalSingle: FinalFit?

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        let ofGroups = best?.isValid(members: members, groups: groups) ?? true
        return ofGroups && (final?.isValid(members: members, groups: groups) ?? true)
            && (finalSingle?.isValid(members: members, groups: 1) ?? true)
            && (single?.scores.isValid(members: members, groups: 1) ?? true)
    }
}

extension UserScores {
    fileprivate func isValid(members: [UserInfo], groups: Int) -> Bool {
        self.members == members && isTable(logLikelihoods, members.count, groups)
            && isTable(testCorrect, members.count, groups)
    }
}

/// Whether rows and columns are so many, and no number is NaN.
private func isTable(_ table: [[Double]], _ rows: Int, _ columns: Int) -> Bool {
    table.count == rows && table.allSatisfy { $0.count == columns && !$0.contains { $0.isNaN } }
}
