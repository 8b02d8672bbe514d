import Failures
import Foundation
import ModelFiles
import RewardMixture
import StrictJSON
import TestSupport
import Testing

@testable import Runs

@Suite struct DiagnosisTests {
    /// Groups of equal shares with given correlations, the single reward last.
    func diagnosis(
        gain: Double,
        standardError: Double = 0.01,
        areToldApart: Bool = true,
        mostEvidence: Double? = 0.5,
        areGroupsKnown: Bool = false,
        posteriors: [[Double]] = Array(repeating: [0.99, 0.01], count: 20),
        correlations: [[Double]]?
    ) -> Diagnosis {
        let groups = posteriors[0].count
        let none = ClusteredMean(mean: 0, standardError: 0)
        let single = Diagnosis.Tried(
            groups: 1,
            left: 1,
            logLikelihood: ClusteredMean(mean: -0.6, standardError: 0.02),
            gainOverSingle: none,
            areToldApart: true,
            mostEvidence: nil
        )
        let more = Diagnosis.Tried(
            groups: max(2, groups),
            left: max(2, groups),
            logLikelihood: ClusteredMean(mean: -0.6 + gain, standardError: 0.02),
            gainOverSingle: ClusteredMean(mean: gain, standardError: standardError),
            areToldApart: areToldApart,
            mostEvidence: mostEvidence
        )
        return Diagnosis(
            areGroupsKnown: areGroupsKnown,
            shares: Array(repeating: 1 / Double(groups), count: groups),
            tried: [single, more],
            contrasts: Array(repeating: Array(repeating: nil, count: groups), count: groups),
            users: posteriors.enumerated().map { ("u\($0)", $1) },
            correlations: correlations,
            degreesOfFreedom: 300
        )
    }

    @Test func verdictsFollowTheNumbers() {
        let opposed = [[1, -0.6, 0.9], [-0.6, 1, -0.5], [0.9, -0.5, 1]]
        let alike = [[1, 0.9, 0.99], [0.9, 1, 0.93], [0.99, 0.93, 1]]
        let against = [[1, -1, 0.9], [-1, 1, -0.9], [0.9, -0.9, 1]]
        #expect(diagnosis(gain: 0.1, correlations: nil).verdict == .groups)
        #expect(diagnosis(gain: 0.1, correlations: opposed).verdict == .meanServes)
        #expect(diagnosis(gain: 0.1, correlations: alike).verdict == .oneReward)
        #expect(diagnosis(gain: 0.1, correlations: against).verdict == .noneImprovesAll)
        // No sure gain: too little data, unless a gain is ruled out.
        #expect(diagnosis(gain: 0.02, standardError: 0.03, correlations: opposed).verdict == .tooLittleData)
        #expect(diagnosis(gain: 0.001, standardError: 0.002, correlations: opposed).verdict == .oneReward)
        // A gain, but another group's model may be as good for them.
        #expect(diagnosis(gain: 0.1, areToldApart: false, correlations: opposed).verdict == .tooLittleData)
        // It surely is.
        #expect(
            diagnosis(gain: 0.1, areToldApart: false, mostEvidence: -0.02, correlations: opposed).verdict == .oneReward
        )
        // One group was found, and several were no better.
        let one = Array(repeating: [1.0], count: 20)
        #expect(diagnosis(gain: -0.02, posteriors: one, correlations: [[1, 1], [1, 1]]).verdict == .oneReward)
        // Two of twenty users are not placed.
        let unsure = Array(repeating: [0.99, 0.01], count: 18) + [[0.6, 0.4], [0.5, 0.5]]
        #expect(diagnosis(gain: 0.1, posteriors: unsure, correlations: opposed).verdict == .tooLittleData)
    }

    /// Who is in which group need not show in choices where the data say it; that several rewards pay must.
    @Test func knownGroupsNeedNotBeToldApart() {
        let opposed = [[1, -0.6, 0.9], [-0.6, 1, -0.5], [0.9, -0.5, 1]]
        let unsure = Array(repeating: [0.6, 0.4], count: 20)
        func verdict(gain: Double) -> Diagnosis.Verdict {
            diagnosis(
                gain: gain,
                areToldApart: false,
                areGroupsKnown: true,
                posteriors: unsure,
                correlations: opposed
            ).verdict
        }
        #expect(verdict(gain: 0.1) == .meanServes && verdict(gain: 0.005) == .tooLittleData)
    }

    /// Two alike and one opposed.
    @Test func theMeanMayLeaveAGroupBehind() {
        let three = Array(repeating: [0.98, 0.01, 0.01], count: 30)
        let correlations = [
            [1, 0.9, -0.6, 0.9], [0.9, 1, -0.6, 0.9], [-0.6, -0.6, 1, -0.3], [0.9, 0.9, -0.3, 1],
        ]
        let diagnosis = diagnosis(gain: 0.1, posteriors: three, correlations: correlations)
        #expect(diagnosis.verdict == .meanLeavesBehind && diagnosis.isPolicyWorthwhile)
        #expect(diagnosis.lines.contains { $0.hasPrefix("correlation of group-0 and group-2") })
        #expect(diagnosis.json["predictions"]?.object?.keys == ["maxmin", "utilitarian", "proportional", "single"])
    }

    @Test func aRunWithoutARewardStageIsRefused() {
        #expect(throws: Failure.self) { try Diagnosis(of: RunDirectory(path: "/nowhere")) }
    }

    /// A run of a build that did not note what tells groups apart is refused by that name, not by a missing key.
    @Test func aRunOfAnEarlierBuildIsNamed() throws {
        try withTemporaryDirectory { path in
            let directory = RunDirectory(path: path)
            let entry = #"{"groups": 1, "groups_left": 1, "mean": -0.5, "standard_error": 0.1"#
            try FileManager.default.createDirectory(atPath: "\(path)/reward", withIntermediateDirectories: true)
            try writeAtomically(
                "{\"shares\": [1.0], \"log_likelihood\": [\(entry)}]}",
                to: "\(path)/reward/mixture.json"
            )
            try writeAtomically("{\"started\": \"2026-01-02T03:04:05Z\"}", to: "\(path)/environment.json")
            try directory.complete(.reward, CompletionNote())
            #expect {
                try Diagnosis(of: directory)
            } throws: { error in
                let failure = error as? Failure
                return failure?.location == "\(path)/reward/mixture.json"
                    && failure?.message.contains("earlier build of maxmin wrote it in the run of 2026-01-02T") == true
                    && failure?.message.contains("do the stage reward again") == true
            }
            try writeAtomically(
                "{\"shares\": [1.0], \"log_likelihood\": [\(entry), \"told_apart\": true}]}",
                to: "\(path)/reward/mixture.json"
            )
            #expect(try earlierBuild(of: directory) == nil)
        }
    }
}
