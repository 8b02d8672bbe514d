import Evaluation
import Preferences
import Reporting
import RewardMixture
import StrictJSON

/// A fitted mixture against the labels that the data carries, where it does: nothing here was seen by training.
struct MixtureSummary {
    /// Users that EM gave to each group.
    let groupSizes: [Double]
    /// The labels of the data, sorted; empty where users carry none.
    let labels: [String]
    /// How the found groups match the labels; nil without labels.
    let agreement: ClusterAgreement?
    /// The same of the groups as they were seeded, before EM.
    let seedAgreement: ClusterAgreement?
    /// How well each number of groups that was tried explains comparisons unseen.
    let candidates: [HeldOutFit]
    /// Groups that EM was asked for and that no user is left in.
    let emptyGroups: Int
    /// How differently the groups' models predict.
    let contrasts: [[GroupContrast?]]
    /// Held-out accuracy of each model on the users of each label: models (groups, then single) × labels.
    let accuracy: [[Estimate?]]
    /// Accuracy of each model on the users that it is for, those of its group or all: models (groups, then single).
    let ownAccuracy: [OwnAccuracy]
    /// Of the groups' models, then of the single one.
    private let names: [String]
    /// Users who carry a label.
    let labelledUsers: Int
    let shares: [Double]
    let iterations: Int
    let stopReason: StopReason
    /// Where EM came to from every start.
    let starts: [Start]
    /// What speaks against a model, one line each: it is as it was before its first step, or decides no better than
    /// chance.
    let warnings: [String]

    /// How often a model decides as its users do.
    struct OwnAccuracy {
        /// On `test`.
        let test: Estimate?
        /// On `assign`, where models decide that have not seen the comparison; nil where all have.
        let unseen: Estimate?
    }

    /// A start of EM.
    struct Start {
        /// Per `assign` comparison.
        let logLikelihood: Double
        let iterations: Int
        /// How its groups match those of the start that was kept.
        let likeKept: ClusterAgreement
        /// How they match the labels; nil without labels.
        let labels: ClusterAgreement?
    }

    init(_ mixture: FittedMixture<LanguageModelRewards>) {
        let members = mixture.scores.members
        let assignments = mixture.assignments
        let groups = mixture.models.count
        let names = rewardModelNames(groups: groups)
        self.names = names
        let labels = Set(members.compactMap(\.group)).sorted(by: precedes)
        let usersOfLabel = labels.map { label in members.indices.filter { members[$0].group == label } }
        groupSizes = RewardMixture.groupSizes(mixture.responsibilities, groups: groups)
        self.labels = labels
        let labelled = members.indices.filter { members[$0].group != nil }
        func agreement(of groups: [Int], count: Int) -> ClusterAgreement? {
            labelled.isEmpty
                ? nil
                : ClusterAgreement(
                    groups: labelled.map { groups[$0] },
                    truth: labelled.compactMap { members[$0].group },
                    groupCount: max(count, (groups.max() ?? 0) + 1)
                )
        }
        self.agreement = agreement(of: assignments, count: groups)
        seedAgreement = agreement(of: mixture.seed, count: 1)
        candidates = mixture.candidates
        emptyGroups = mixture.emptyGroups
        contrasts = mixture.contrasts
        labelledUsers = labelled.count
        accuracy =
            (0..<groups).map { group in usersOfLabel.map { mixture.scores.accuracy(of: group, users: $0) } }
            + [usersOfLabel.map { mixture.singleScores.accuracy(of: 0, users: $0) }]
        func own(_ scores: UserScores, _ model: Int, _ users: [Int]) -> OwnAccuracy {
            OwnAccuracy(
                test: scores.accuracy(of: model, users: users),
                unseen: !mixture.hasUnseen ? nil : scores.unseenAccuracy(of: model, users: users)
            )
        }
        let accuracies =
            (0..<groups).map { group in
                own(mixture.scores, group, members.indices.filter { assignments[$0] == group })
            } + [own(mixture.singleScores, 0, Array(members.indices))]
        ownAccuracy = accuracies
        shares = mixture.shares
        iterations = mixture.iterations.count
        stopReason = mixture.stopReason
        let comparisons = members.reduce(0) { $0 + $1.assignCount }
        starts = mixture.starts.map { start in
            Start(
                logLikelihood: start.logLikelihood / comparisons,
                iterations: start.iterations,
                likeKept: ClusterAgreement(
                    groups: start.assignments,
                    truth: assignments.map(String.init),
                    groupCount: (start.assignments.max() ?? 0) + 1
                ),
                labels: agreement(of: start.assignments, count: 1)
            )
        }
        let ofGroups = (0..<groups).map { group in
            weakness(of: names[group], mixture.finalTraining[group], accuracies[group].test)
        }
        // One reward for groups that oppose each other is at chance: that is a result, and no weakness.
        let ofSingle = weakness(
            of: names[groups],
            mixture.finalSingleTraining,
            accuracies[groups].test,
            mayBeAtChance: groups > 1
        )
        let ofEmpty =
            emptyGroups == 0
            ? nil
            : "\(emptyGroups) of \(groups + emptyGroups) groups ended without users and are left out of all that "
                + "follows"
        warnings = ([ofEmpty] + ofGroups + [ofSingle]).compactMap { $0 }
    }

    var hasLabels: Bool { !labels.isEmpty }

    /// For people.
    var lines: [String] {
        let tried = candidates.map { fit in
            let mean = fit.perComparison
            return "\(fit.groups): \(mean.mean.formatted(decimals: 4)) ± \(mean.standardError.formatted(decimals: 4))"
                + (fit.areToldApart ? "" : " (not told apart)")
        }
        let explained =
            tried.isEmpty
            ? [] : ["reward: held-out log-likelihood a comparison by groups, \(tried.joined(separator: ", "))"]
        let own = ownAccuracy.enumerated().map { model, own in
            let figures = [("test", own.test), ("other unseen", own.unseen)].compactMap { part, estimate in
                estimate.map { estimate in
                    let ends = [estimate.low, estimate.high].map { (100 * $0).formatted(decimals: 1) }
                    return "\((100 * estimate.mean).formatted(decimals: 1)) (\(ends[0])–\(ends[1])) % on \(part)"
                }
            }
            let users = model < groupSizes.count ? "its group" : "all"
            return "reward: accuracy of \(names[model]) for \(users): \(figures.joined(separator: ", "))"
        }
        guard let agreement, let seedAgreement else { return explained + own }
        func right(_ agreement: ClusterAgreement) -> Int {
            Int((agreement.agreement * Double(labelledUsers)).rounded())
        }
        let placed =
            "reward: \(right(agreement)) of \(labelledUsers) users in the group of their label, "
            + "\(right(seedAgreement)) when the groups were seeded"
        return explained + own + [placed]
            + accuracy.enumerated().map { model, row in
                let figures = zip(labels, row).map {
                    "\($0) \($1.map { (100 * $0.mean).formatted(decimals: 1) } ?? "–") %"
                }
                return "reward: held-out accuracy of \(names[model]) on \(figures.joined(separator: ", "))"
            }
    }

    /// The content of `mixture.json`.
    func json(known: MixtureSummary?, heldOutUsers: UserScores?) -> JSONObject {
        var object: JSONObject = [
            "group_sizes": .array(groupSizes.map(JSONValue.number)),
            "shares": .array(shares.map(JSONValue.number)),
            "iterations": .integer(iterations),
            "stop_reason": .string(stopReason.rawValue),
            "rewards": .object(accuracyJSON),
            "warnings": .array(warnings.map(JSONValue.string)),
            "empty_groups": .integer(emptyGroups),
            "starts": .array(starts.map(\.json)),
            "log_likelihood": .array(candidates.map { $0.json(beside: candidates[0]) }),
            "contrasts": .array(
                contrasts.enumerated().map { i, row in
                    .array(row.enumerated().map { j, own in own?.json(shares[i], shares[j]) ?? .null })
                }
            ),
        ]
        if let agreement {
            object["assignment_agreement"] = .number(agreement.agreement)
            object["adjusted_rand_index"] = .number(agreement.adjustedRandIndex)
            object["seed_agreement"] = seedAgreement.map { .number($0.agreement) } ?? .null
            object["seed_adjusted_rand_index"] = seedAgreement.map { .number($0.adjustedRandIndex) } ?? .null
            object["label_of_group"] = .array(agreement.labels.map { $0.map(JSONValue.string) ?? .null })
        }
        if let known { object["known_groups"] = .object(known.accuracyJSON) }
        if let heldOutUsers { object["held_out_users"] = heldOutJSON(heldOutUsers) }
        return object
    }

    /// `{"group-0": {"accuracy": {LABEL: {mean, low, high}}, "test_accuracy": {mean, low, high}, …}, …, "single": …}`.
    private var accuracyJSON: JSONObject {
        var object = JSONObject()
        for (model, row) in accuracy.enumerated() {
            var byLabel = JSONObject()
            for (label, value) in zip(labels, row) { byLabel[label] = value?.json ?? .null }
            object[names[model]] = [
                "accuracy": .object(byLabel), "test_accuracy": ownAccuracy[model].test?.json ?? .null,
                "unseen_accuracy": ownAccuracy[model].unseen?.json ?? .null,
            ]
        }
        return object
    }

    /// How users that EM never saw were assigned.
    private func heldOutJSON(_ heldOutUsers: UserScores) -> JSONValue {
        let groups = heldOutUsers.posteriors(shares: shares).map(argmax)
        let labelled = zip(heldOutUsers.members, groups).filter { $0.0.group != nil }
        let right = labelled.count { $0.0.group == agreement?.labels[$0.1] }
        return [
            "users": .integer(heldOutUsers.members.count),
            // Each by the model of the group that the user was assigned to.
            "accuracy": Accuracy(
                users: zip(groups, heldOutUsers.members).enumerated().map { user, own in
                    (heldOutUsers.testCorrect[user][own.0], own.1.testCount)
                }
            ).estimate?.json ?? .null,
            "agreement": labelled.isEmpty ? .null : .number(Double(right) / Double(labelled.count)),
        ]
    }
}

extension MixtureSummary.Start {
    /// An entry of `mixture.json`.
    fileprivate var json: JSONValue {
        [
            "log_likelihood_per_comparison": .number(logLikelihood), "iterations": .integer(iterations),
            "adjusted_rand_index_to_kept": .number(likeKept.adjustedRandIndex),
            "assignment_agreement": JSONValue(optional: labels?.agreement),
            "adjusted_rand_index": JSONValue(optional: labels?.adjustedRandIndex),
        ]
    }
}

extension HeldOutFit {
    /// An entry of `mixture.json`.
    fileprivate func json(beside single: HeldOutFit) -> JSONValue {
        [
            "groups": .integer(groups), "groups_left": .integer(left), "mean": .number(perComparison.mean),
            "standard_error": .number(perComparison.standardError), "gain_over_single": single.gain(of: self).json,
            "told_apart": .bool(areToldApart),
            "evidence": evidence.map { ["low": .number($0.low), "high": .number($0.high)] } ?? .null,
        ]
    }
}

extension GroupContrast {
    fileprivate func json(_ share: Double, _ other: Double) -> JSONValue {
        [
            "diversity": diversity.json, "evidence": evidence.json,
            "comparisons_to_be_sure": JSONValue(optional: comparisonsToBeSure(share: share, against: other)),
        ]
    }
}

/// Why a reward model is no better than none; nil where it is.
func weakness(
    of model: String,
    _ training: GroupTraining,
    _ accuracy: Estimate?,
    mayBeAtChance: Bool = false
) -> String? {
    let percent = accuracy.map { "\((100 * $0.mean).formatted(decimals: 1)) %" } ?? "unknown"
    if training.bestStep == 0 {
        return
            "the reward model \(model) is untrained: no step lowered its validation loss (held-out accuracy "
            + "\(percent)); "
            + "change reward.learning_rate or reward.max_steps, or give more comparisons"
    }
    guard let accuracy, accuracy.low <= 0.5, !mayBeAtChance else { return nil }
    return "the held-out accuracy of \(model), \(percent), is not above chance (95 % interval from "
        + "\((100 * accuracy.low).formatted(decimals: 1)) %); what is compared with it means little"
}

extension UserScores {
    /// Accuracy of one model on the `test` comparisons of some users, with its interval; nil without comparisons.
    fileprivate func accuracy(of model: Int, users: [Int]) -> Estimate? {
        Accuracy(users: users.map { (testCorrect[$0][model], members[$0].testCount) }).estimate
    }

    /// The same on the `assign` comparisons.
    fileprivate func unseenAccuracy(of model: Int, users: [Int]) -> Estimate? {
        Accuracy(users: users.map { (assignCorrect[$0][model], members[$0].assignDecided) }).estimate
    }
}
