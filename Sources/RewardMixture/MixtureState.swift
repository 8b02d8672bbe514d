// What a checkpoint holds of a mixture's fitting, from the inside out:
//
//   m-step    step and budgets; the models' weights, best weights and moments
//   em        what one iteration hands to the next
//   (itself)  the single model, the K that are done, and of the K under way the starts that are
//
// Samplers are not among it: what they drew follows from the steps made. What is read back may have been changed by
// hand, so each has a check that its numbers are of the users and groups at hand.

/// Where an M-step is.
struct MStepState: Codable {
    /// Steps made.
    var step = 0
    /// Per group, or one of all groups that share a backbone.
    var budgets: [EarlyStopping]
    /// Per group, what the rewards of the best weights are to be multiplied by.
    var rewardScale: [Double]
    /// Per group, the steps since the last look.
    var since: [TrainingSums]

    func isValid(groups: Int, budgets count: Int, maxSteps: Int) -> Bool {
        let steps = 0...maxSteps
        return steps.contains(step) && budgets.count == count && budgets.allSatisfy { steps.contains($0.steps) }
            && rewardScale.count == groups && rewardScale.allSatisfy(\.isFinite)
            && since.count == groups && since.allSatisfy(\.isValid)
    }
}

/// Where EM is from one start: what an iteration hands to the next.
struct EMState: Codable {
    var responsibilities: [[Double]]
    /// Each user's group when the last group was seeded.
    var seed: [Int]
    var iterations: [MixtureIteration] = []
    /// The responsibilities at the start, then those that each iteration's E-step gave.
    var history: [[[Double]]]
    /// How often an empty group may still be seeded.
    var seedingsLeft: Int
    /// Whether the last iteration seeded one.
    var justSeeded = false
    /// How many iterations there were since one whose likelihood was higher than any before.
    var iterationsWithoutGain = 0
    /// The finished iteration of highest likelihood so far.
    var best: BestIteration?

    init(from start: [[Double]], seedings: Int) {
        responsibilities = start
        history = [start]
        seed = start.map(argmax)
        seedingsLeft = seedings
    }

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        isTable(responsibilities, members.count, groups) && seed.count == members.count
            && seed.allSatisfy((0..<groups).contains) && (best?.isValid(members: members, groups: groups) ?? true)
            && seedingsLeft >= 0 && history.count == iterations.count + 1
            && history.allSatisfy { isTable($0, members.count, groups) }
    }
}

/// How users were explained after the iteration of highest likelihood.
struct BestIteration: Codable {
    let scores: UserScores
    let responsibilities: [[Double]]
    let logLikelihood: Double

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        scores.isValid(members: members, groups: groups) && isTable(responsibilities, members.count, groups)
    }
}

/// What EM reached from one start.
struct StartOutcome: Codable, Equatable {
    /// Nil of known groups, where the last training has the scores.
    let scores: UserScores?
    let responsibilities: [[Double]]
    let logLikelihood: Double
    /// Each user's group when the last group was seeded, before EM moved anybody; numbered as EM does.
    let seed: [Int]
    let iterations: [MixtureIteration]
    /// The responsibilities at the start, then those that each iteration's E-step gave.
    let history: [[[Double]]]
    let stopReason: StopReason

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        (scores?.isValid(members: members, groups: groups) ?? true)
            && isTable(responsibilities, members.count, groups) && seed.count == members.count
            && history.allSatisfy { isTable($0, members.count, groups) }
    }
}

extension StartOutcome {
    /// The groups that have at least half a user, the largest first.
    var groupsLeft: [Int] {
        let groups = responsibilities.first?.count ?? 0
        let sizes = groupSizes(responsibilities, groups: groups)
        let empty = emptyGroups(responsibilities, groups: groups)
        return sizes.indices.filter { !empty.contains($0) }.sorted { (-sizes[$0], $0) < (-sizes[$1], $1) }
    }

    /// The same with some of the groups.
    func keeping(_ left: [Int]) -> StartOutcome {
        func columns(_ row: [Double]) -> [Double] { left.map { row[$0] } }
        return StartOutcome(
            scores: scores.map { scores in
                UserScores(
                    members: scores.members,
                    foldLogLikelihoods: scores.foldLogLikelihoods.map { $0.map(columns) },
                    assignCorrect: scores.assignCorrect.map(columns),
                    testCorrect: scores.testCorrect.map(columns),
                    testLogLikelihoods: scores.testLogLikelihoods.map(columns)
                )
            },
            responsibilities: responsibilities.map { row in
                let total = columns(row).reduce(0, +)
                return columns(row).map { total > 0 ? $0 / total : 1 / Double(left.count) }
            },
            logLikelihood: logLikelihood,
            seed: seed,
            iterations: iterations,
            // What belonged to a group that is left out belongs to none.
            history: history.map { $0.map(columns) },
            stopReason: stopReason
        )
    }

    /// Groups that are given by label.
    init(known labels: [String], of users: [UserInfo]) {
        let groups = labelledGroups(of: users, labels)
        self.init(
            scores: nil,
            responsibilities: oneHot(groups, groups: labels.count),
            logLikelihood: 0,
            seed: groups,
            iterations: [],
            history: [],
            stopReason: .known
        )
    }
}

/// What is remembered of a start: whether others lead to the same groups.
package struct ReachedStart: Codable, Equatable, Sendable {
    /// Total on `assign`, after the best iteration.
    package let logLikelihood: Double
    /// How many there were.
    package let iterations: Int
    /// Each user's group before EM moved anybody, and after the best iteration; numbered as this start does.
    package let seed, assignments: [Int]

    init(_ outcome: StartOutcome) {
        logLikelihood = outcome.logLikelihood
        iterations = outcome.iterations.count
        seed = outcome.seed
        assignments = outcome.responsibilities.map(argmax)
    }
}

/// What the training of models that are kept did.
struct FinalFit: Codable {
    /// Of each group.
    let training: [GroupTraining]
    let scores: UserScores

    func isValid(members: [UserInfo], groups: Int) -> Bool {
        training.count == groups && scores.isValid(members: members, groups: groups)
    }
}

/// A number of groups that was fitted.
struct GroupsFit: Codable {
    /// The K that EM began with.
    let groups: Int
    /// The best start: its responsibilities are those of the groups that are left.
    let outcome: StartOutcome
    /// Of the groups that are left.
    let final: FinalFit
    /// How differently they predict.
    let contrasts: [[GroupContrast?]]
    /// What EM reached from every start.
    let starts: [ReachedStart]

    /// How many groups are left.
    var left: Int { final.training.count }

    func isValid(members: [UserInfo]) -> Bool {
        outcome.isValid(members: members, groups: left) && outcome.seed.allSatisfy((0..<groups).contains)
            && final.isValid(members: members, groups: left)
            && contrasts.count == left && contrasts.allSatisfy { $0.count == left }
            && starts.allSatisfy { $0.isValid(members: members, groups: groups) }
    }
}

/// What is done of a mixture's fitting.
struct MixtureState: Codable {
    /// The single model's training before EM; nil while it is trained.
    var single: FinalFit?
    /// Its last training; with several folds the same.
    var finalSingle: FinalFit?
    /// Every K that is done.
    var fits: [GroupsFit] = []
    /// Of the K under way every start that is done, and the best of them.
    var starts: [ReachedStart] = []
    var best: StartOutcome?

    func isValid(members: [UserInfo], groups: [Int]) -> Bool {
        let isStarted = fits.count < groups.count
        return fits.count <= groups.count
            && zip(fits, groups).allSatisfy { $0.groups == $1 && $0.isValid(members: members) }
            && starts.allSatisfy { $0.isValid(members: members, groups: isStarted ? groups[fits.count] : 0) }
            && (best?.isValid(members: members, groups: isStarted ? groups[fits.count] : 0) ?? true)
            && (single?.isValid(members: members, groups: 1) ?? true)
            && (finalSingle?.isValid(members: members, groups: 1) ?? true)
    }
}

extension ReachedStart {
    fileprivate func isValid(members: [UserInfo], groups: Int) -> Bool {
        [seed, assignments].allSatisfy { $0.count == members.count && $0.allSatisfy((0..<groups).contains) }
    }
}

extension UserScores {
    fileprivate func isValid(members: [UserInfo], groups: Int) -> Bool {
        self.members == members && foldLogLikelihoods.count == members.count
            && zip(foldLogLikelihoods, members).allSatisfy { isTable($0, $1.folds.count, groups) }
            && isTable(assignCorrect, members.count, groups) && isTable(testCorrect, members.count, groups)
            && isTable(testLogLikelihoods, members.count, groups)
    }
}

/// Whether rows and columns are so many, and no number is NaN.
private func isTable(_ table: [[Double]], _ rows: Int, _ columns: Int) -> Bool {
    table.count == rows && table.allSatisfy { $0.count == columns && !$0.contains { $0.isNaN } }
}
