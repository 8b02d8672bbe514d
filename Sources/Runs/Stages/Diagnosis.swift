import Failures
import Foundation
import MaxMinPolicy
import Preferences
import Reporting
import RewardMixture
package import StrictJSON

/// What a finished reward stage says of its users, before any policy is trained.
///
/// Are there groups, is one reward enough, would the mean of the groups do?
package struct Diagnosis {
    /// What the numbers amount to.
    package enum Verdict: String, CaseIterable {
        case oneReward = "one reward is enough"
        case meanServes = "the mean of the groups serves everyone"
        case meanLeavesBehind = "the mean leaves a group behind, MaxMin does not"
        case noneImprovesAll = "no policy improves all groups"
        case tooLittleData = "too little data to tell"
        /// There are groups; what policies would give them takes a calibration.
        case groups = "more than one reward"
    }

    /// A number of groups that was tried.
    struct Tried {
        /// As asked for, and as groups with users are left.
        let groups, left: Int
        let logLikelihood, gainOverSingle: ClusteredMean
        /// Whether each group's users are surely explained better by their own model than by any other group's.
        let areToldApart: Bool
        /// By how much at most; nil where that is not known.
        let mostEvidence: Double?
    }

    /// Two groups beside each other.
    struct Contrast {
        let diversity: ClusteredMean
        let comparisonsToBeSure: Double?
    }

    /// Whether the data said who is in which group, so that nobody had to be placed.
    let areGroupsKnown: Bool
    let shares: [Double]
    let tried: [Tried]
    /// [K][K]; nil on the diagonal.
    let contrasts: [[Contrast?]]
    /// Each user's id and posterior.
    let users: [(id: String, posterior: [Double])]
    /// Of the groups' rewards and, last, the single one; nil before calibration.
    let correlations: [[Double]]?
    /// Degrees of freedom of a correlation.
    let degreesOfFreedom: Int

    var groups: Int { shares.count }
}

/// Below this many nats a comparison, a gain of several rewards over one is not worth a policy: 0.01 is a prediction of
/// 58 % instead of 57 %.
private let negligibleGain = 0.01

extension Diagnosis {
    /// Users whose group is not sure: the likeliest has a posterior of at most 95 %.
    var unsure: Int { users.count { ($0.posterior.max() ?? 0) <= 0.95 } }

    /// The gain of several groups over one: of as many as were found or, where that is one, of the best other number.
    var gain: ClusteredMean {
        let others = tried.filter { $0.groups > 1 }
        let best = others.max { $0.logLikelihood.mean < $1.logLikelihood.mean }
        return best?.gainOverSingle ?? ClusteredMean(mean: 0, standardError: 0)
    }

    /// The predicted gain of each group under each objective, as a part of what its own policy would give it.
    var predictions: [(objective: String, gains: [Double])] { forecast?.predictions ?? [] }

    private var forecast: GainForecast? {
        correlations.map { correlations in
            GainForecast(
                correlations: correlations.prefix(groups).map { Array($0.prefix(groups)) },
                shares: shares,
                single: correlations.prefix(groups).map { $0[groups] }
            )
        }
    }

    /// Whether choices tell the groups that were found apart.
    private var areToldApart: Bool { tried.last { $0.left == groups }?.areToldApart == true }

    /// The rules are those of docs/algorithm.md.
    package var verdict: Verdict {
        if groups == 1 || gain.mean <= gain.standardError || !areGroupsKnown && !areToldApart {
            let isRuledOut = tried.dropFirst().allSatisfy {
                let most = $0.gainOverSingle.mean + 2 * $0.gainOverSingle.standardError
                return min(most, $0.mostEvidence ?? .infinity) < negligibleGain
            }
            return isRuledOut ? .oneReward : .tooLittleData
        }
        if !areGroupsKnown, 20 * unsure > users.count { return .tooLittleData }
        return forecast?.verdict ?? .groups
    }

    /// Whether a policy stage is worth its time.
    package var isPolicyWorthwhile: Bool {
        ![.oneReward, .tooLittleData, .noneImprovesAll].contains(verdict)
    }

    /// For people; a line each.
    package var lines: [String] {
        var lines = tried.map {
            "held-out log-likelihood of \($0.groups) group\($0.groups == 1 ? "" : "s"): \($0.logLikelihood.text) a "
                + "comparison" + ($0.groups == 1 ? "" : "; over one \($0.gainOverSingle.text)")
                + ($0.areToldApart ? "" : "; choices do not tell them apart")
        }
        let sure = "\(users.count - unsure) of \(users.count) users"
        lines.append(
            areGroupsKnown
                ? "the data say who is in which group; choices alone would place \(sure) with a posterior above 95 %"
                : "\(sure) are placed with a posterior above 95 %"
        )
        for i in 0..<groups {
            let own = contrasts[i].compactMap { $0 }
            guard !own.isEmpty else { continue }
            let diversity = own.map(\.diversity).max { $0.mean < $1.mean } ?? own[0].diversity
            let bound = (diversity.mean * (1 - shares[i])).formatted(decimals: 3)
            // More than anybody could make are as good as none.
            let needed = own.map { contrast in contrast.comparisonsToBeSure.flatMap { $0 < 1e15 ? $0 : nil } }
            let most = needed.contains { $0 == nil } ? nil : needed.compactMap { $0 }.max()
            let sure =
                most.map { "\(Int($0.rounded(.up))) comparisons place a user" }
                ?? "no number of comparisons places a user"
            lines.append(
                "group-\(i), \((100 * shares[i]).formatted(decimals: 1)) % of users: its predictions differ from "
                    + "another group's by up to \(diversity.text); one reward for all may miss it by \(bound); \(sure)"
            )
        }
        if let correlations {
            for i in 0..<groups {
                for j in (i + 1)..<groups {
                    let (low, high) = interval(correlations[i][j])
                    lines.append(
                        "correlation of group-\(i) and group-\(j) within prompts: "
                            + "\(correlations[i][j].formatted(decimals: 2)) (\(low.formatted(decimals: 2)) to "
                            + "\(high.formatted(decimals: 2)))"
                    )
                }
            }
            for (objective, gains) in predictions {
                let text = gains.map { $0.formatted(decimals: 2) }.joined(separator: ", ")
                lines.append("predicted gain of each group under \(objective), of what its own policy gives: \(text)")
            }
        } else {
            lines.append("what policies would give each group is not known before the stage calibrate")
        }
        lines.append("verdict: \(verdict.rawValue)")
        if !isPolicyWorthwhile { lines.append("a policy stage is not worth its time") }
        return lines
    }

    /// Fisher's 95 % interval of a correlation.
    private func interval(_ correlation: Double) -> (Double, Double) {
        let bounded = min(max(correlation, -0.999_999), 0.999_999)
        let spread = 1.96 / Double(max(degreesOfFreedom - 3, 1)).squareRoot()
        return (tanh(atanh(bounded) - spread), tanh(atanh(bounded) + spread))
    }

    /// One object: what `--json` prints and `diagnosis.json` holds.
    package var json: JSONObject {
        var object: JSONObject = [
            "groups": .integer(groups), "groups_known": .bool(areGroupsKnown), "told_apart": .bool(areToldApart),
            "verdict": .string(verdict.rawValue),
            "policy_worthwhile": .bool(isPolicyWorthwhile),
            "log_likelihood": .array(
                tried.map {
                    [
                        "groups": .integer($0.groups), "mean": .number($0.logLikelihood.mean),
                        "standard_error": .number($0.logLikelihood.standardError),
                        "gain_over_single": $0.gainOverSingle.json, "told_apart": .bool($0.areToldApart),
                    ]
                }
            ),
            "shares": .array(shares.map(JSONValue.number)),
            "users": .array(
                users.map { ["user_id": .string($0.id), "posterior": .array($0.posterior.map(JSONValue.number))] }
            ),
            "unsure_users": .integer(unsure),
            "diversity": .array(contrasts.map { .array($0.map { $0?.diversity.json ?? .null }) }),
            "comparisons_to_be_sure": .array(
                contrasts.map { .array($0.map { JSONValue(optional: $0?.comparisonsToBeSure) }) }
            ),
        ]
        object["correlation"] = correlations.map { .array($0.map { .array($0.map(JSONValue.number)) }) } ?? .null
        var predicted = JSONObject()
        for (objective, gains) in predictions { predicted[objective] = .array(gains.map(JSONValue.number)) }
        object["predictions"] = correlations == nil ? .null : .object(predicted)
        return object
    }
}

extension ClusteredMean {
    /// As the files of a run have it.
    var json: JSONValue { ["mean": .number(mean), "standard_error": .number(standardError)] }

    fileprivate var text: String { "\(mean.formatted(decimals: 3)) ± \(standardError.formatted(decimals: 3))" }

    fileprivate init(_ fields: JSONFields) throws(Failure) {
        let finite = Double.greatestFiniteMagnitude
        self.init(
            mean: try fields.double("mean", in: -finite...finite),
            standardError: try fields.double("standard_error", in: 0...finite)
        )
    }
}

extension Diagnosis {
    /// Reads what the stages `reward` and, where it is done, `calibrate` left in a run directory.
    package init(of directory: RunDirectory) throws {
        if let earlier = try earlierBuild(of: directory) { throw earlier }
        let path = try directory.require("reward/mixture.json", madeBy: .reward)
        let fields = try JSONFields(JSONValue(contentsOfFile: path), at: path)
        let shares = try fields.doubles("shares", in: 0...1)
        self.shares = shares
        areGroupsKnown = try fields.string("stop_reason") == StopReason.known.rawValue
        var tried: [Tried] = []
        for entry in try fields.optionalArray("log_likelihood") ?? [] {
            let one = try JSONFields(entry, at: path, path: "log_likelihood")
            tried.append(
                Tried(
                    groups: try one.int("groups", in: 1...64),
                    left: try one.int("groups_left", in: 1...64),
                    logLikelihood: try ClusteredMean(one),
                    gainOverSingle: try ClusteredMean(one.fields("gain_over_single")),
                    areToldApart: try one.bool("told_apart"),
                    mostEvidence: try one.optionalFields("evidence")?.double("high")
                )
            )
        }
        guard !tried.isEmpty else {
            throw fields.failure(
                "log_likelihood",
                "says nothing of unseen comparisons: do the reward stage again with a reward.test_fraction above 0"
            )
        }
        self.tried = tried
        let rows = try fields.optionalArray("contrasts") ?? []
        guard rows.count == shares.count, rows.allSatisfy({ $0.array?.count == shares.count }) else {
            throw fields.failure("contrasts", "must be \(shares.count) rows of as many")
        }
        contrasts = try rows.map { row in
            try (row.array ?? []).map { entry -> Contrast? in
                guard !entry.isNull else { return nil }
                let one = try JSONFields(entry, at: path, path: "contrasts")
                return Contrast(
                    diversity: try ClusteredMean(one.fields("diversity")),
                    comparisonsToBeSure: try one.optionalDouble("comparisons_to_be_sure", in: 0...Double.infinity)
                )
            }
        }
        let table = try AssignmentsTable(path: directory.require("reward/assignments.csv", madeBy: .reward))
        guard table.logLikelihoods.allSatisfy({ $0.count == shares.count }) else {
            throw Failure(.badData, "has not the \(shares.count) groups of mixture.json", at: "reward/assignments.csv")
        }
        let posteriors = softResponsibilities(table.logLikelihoods, shares: shares, temperature: 1)
        users = zip(table.ids, posteriors).map { ($0, $1) }
        let calibration = directory.file("reward/calibration.json")
        guard FileManager.default.fileExists(atPath: calibration) else {
            (correlations, degreesOfFreedom) = (nil, 0)
            return
        }
        let names = rewardModelNames(groups: shares.count)
        let found = try Calibration(JSONFields(JSONValue(contentsOfFile: calibration), at: calibration), models: names)
        correlations = found.correlations.isEmpty ? nil : found.correlations
        degreesOfFreedom = found.prompts * max(found.samplesPerPrompt - 1, 1)
    }
}
