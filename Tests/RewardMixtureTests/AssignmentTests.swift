import Foundation
import Preferences
import Testing

@testable import RewardMixture

@Suite struct AssignmentTests {
    @Test func hardTakesTheLargestAndTheLowerIndexOnTies() {
        #expect(
            hardResponsibilities([[-3, -2, -9], [-1, -1, -1], [-5, -4, -4]]) == [[0, 1, 0], [1, 0, 0], [0, 1, 0]]
        )
    }

    @Test func softIsBayesRule() {
        let q = softResponsibilities([[log(0.2), log(0.6)], [-2000, -2010]], shares: [0.75, 0.25], temperature: 1)
        #expect(abs(q[0][0] - 0.5) < 1e-12)
        #expect(abs(q[1][1] - 0.25 * exp(-10) / (0.75 + 0.25 * exp(-10))) < 1e-12)
        // At a high temperature only the shares remain; an empty group stays empty.
        #expect(abs(softResponsibilities([[-5, -1]], shares: [0.75, 0.25], temperature: 1e9)[0][0] - 0.75) < 1e-6)
        #expect(softResponsibilities([[-5, -1]], shares: [1, 0], temperature: 1) == [[1, 0]])
    }

    @Test func totals() {
        let l = [[log(0.2), log(0.6)], [log(0.5), log(0.1)]]
        #expect(abs(mixtureLogLikelihood(l, shares: [0.5, 0.5]) - log(0.4) - log(0.3)) < 1e-12)
        #expect(abs(assignedLogLikelihood(l, assignments: [1, 0]) - log(0.6) - log(0.5)) < 1e-12)
        #expect(groupSizes([[0.25, 0.75], [1, 0]], groups: 2) == [1.25, 0.75])
        #expect(groupShares([[0.25, 0.75], [1, 0]], groups: 2) == [0.625, 0.375])
        #expect(changedAssignments([[1, 0], [1, 0]], [[0.4, 0.6], [0.6, 0.4]]) == 1)
        #expect(largestShift([[1, 0], [1, 0]], [[0.4, 0.6], [0.9, 0.1]]) == 0.6)
    }

    @Test func temperatureFallsToOne() {
        var settings = RewardMixtureSettings()
        #expect(annealedTemperature(at: 1, settings) == 1)
        settings.assignment = .soft
        #expect((1...4).map { annealedTemperature(at: $0, settings) } == [4, 2, 1, 1])
    }

    @Test func stopRules() {
        let settings = RewardMixtureSettings()
        func reason(
            _ iteration: Int,
            changes: Int,
            shift: Double = 1,
            gain: Double,
            settled: Bool = true,
            _ assignment: AssignmentRule = .hard
        ) -> StopReason? {
            stopReason(
                iteration: iteration,
                changes: changes,
                shift: shift,
                logLikelihood: -1000 + gain,
                previous: -1000,
                settled: settled,
                assignment: assignment,
                settings: settings
            )
        }
        #expect(reason(2, changes: 0, gain: 50) == .noChange)
        #expect(reason(2, changes: 1, gain: 50) == nil)
        #expect(reason(2, changes: 1, gain: 0.05) == .noGain)
        #expect(reason(2, changes: 1, gain: -5) == .noGain)
        #expect(reason(2, changes: 0, gain: 50, .soft) == nil)
        #expect(reason(2, changes: 0, shift: 0.001, gain: 50, .soft) == .noChange)
        #expect(reason(2, changes: 0, gain: 0, settled: false) == nil)
        #expect(reason(10, changes: 3, gain: 50, settled: false) == .maxIterations)
        #expect(reason(1, changes: 3, gain: 50, .known) == .known)
    }

    @Test func earlyStoppingKeepsTheBestStep() {
        var budget = EarlyStopping(patience: 2, maxSteps: 100)
        let isBest = [0.7, 0.6, 0.65, 0.5, 0.55].enumerated().map { look in
            budget.observe(loss: look.element, step: 10 * look.offset)
        }
        #expect(isBest == [true, true, false, true, false])
        #expect(!budget.stopped)
        let again = budget.observe(loss: 0.5, step: 50)
        #expect(!again)
        #expect(budget.stopped && budget.bestStep == 30 && budget.bestLoss == 0.5 && budget.steps == 50)
        var short = EarlyStopping(patience: 2, maxSteps: 10)
        _ = short.observe(loss: 1, step: 10)
        #expect(short.stopped)
    }

    @Test func writesCSV() {
        let users = ["u1", "a,\"b\""].map { id in
            UserInfo(ShardedUser(User(id: id, comparisons: []), shard: 0, split: ComparisonSplit()))
        }
        let scores = UserScores(members: users, logLikelihoods: [[-1.5, -2], [-3, -0.1]], testCorrect: [[], []])
        let text = assignmentsCSV(of: scores, responsibilities: [[1, 0], [0.25, 0.75]])
        #expect(
            text == """
                user_id,group,log_likelihood_0,log_likelihood_1,responsibility_0,responsibility_1
                u1,0,-1.5,-2.0,1.0,0.0
                "a,""b""\",1,-3.0,-0.1,0.25,0.75

                """
        )
    }
}
