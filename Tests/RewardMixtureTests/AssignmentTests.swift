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
        #expect(settings.iterationsOfAnnealing == 3)
        for (temperature, decay, first) in [
            (4.0, 0.9, 15), (1, 1, 1), (1e30, 0.5, 101), (2, 1, nil), (2, 0.999_999, 693_148),
        ]
            as [(Double, Double, Int?)]
        {
            settings.temperature = temperature
            settings.temperatureDecay = decay
            #expect(settings.iterationsOfAnnealing == first)
            if let first, first > 1 { #expect(annealedTemperature(at: first - 1, settings) > 1) }
        }
    }

    @Test func stopRules() {
        func reason(
            _ iteration: Int,
            changes: Int,
            shift: Double = 1,
            withoutGain: Int = 0,
            isFinished: Bool = true,
            _ assignment: AssignmentRule = .hard
        ) -> StopReason? {
            var settings = RewardMixtureSettings()
            settings.assignment = assignment
            return stopReason(
                iteration: iteration,
                changes: changes,
                shift: shift,
                iterationsWithoutGain: withoutGain,
                isFinished: isFinished,
                settings: settings
            )
        }
        #expect(reason(2, changes: 0) == .noChange)
        #expect(reason(2, changes: 1) == nil)
        // A fall alone does not end EM.
        #expect(reason(2, changes: 1, withoutGain: 1) == nil)
        #expect(reason(2, changes: 1, withoutGain: 2) == .noGain)
        #expect(reason(2, changes: 0, .soft) == nil)
        #expect(reason(2, changes: 0, shift: 0.001, .soft) == .noChange)
        #expect(reason(2, changes: 0, withoutGain: 2, isFinished: false) == nil)
        #expect(reason(10, changes: 3, isFinished: false) == .maxIterations)
        #expect(reason(1, changes: 3, .known) == .known)
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
        let scores = UserScores(
            members: users,
            foldLogLikelihoods: [[[-1, -1.5], [-0.5, -0.5]], [[-3, -0.1]]],
            assignCorrect: [[], []],
            testCorrect: [[], []],
            testLogLikelihoods: [[], []]
        )
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
