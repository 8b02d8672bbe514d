import Collectives
import Failures
import Foundation
import Preferences
import Tensors
import Testing

@testable import RewardMixture

/// Whole fits on simulated users with linear rewards.
@Suite struct SeparationTests {
    static let width = 8

    func groups(_ sizes: [Int], scale: Double = 3, seed: UInt64) -> [SimulatedGroup] {
        sizes.enumerated().map { number, size in
            SimulatedGroup(
                users: size,
                reward: rewardVector(width: Self.width, scale: scale, seed: 10 * seed + UInt64(number))
            )
        }
    }

    @Test(
        arguments: [
            ([11, 11], 2), ([8, 4], 1), ([12, 2], 1), ([20, 2], 1), ([20, 2], 2), ([11, 1], 1), ([11, 1], 2),
        ]
    )
    func findsBothGroups(sizes: [Int], folds: Int) throws {
        var right = 0
        for seed in 0..<4 as Range<UInt64> {
            let users = simulatedUsers(groups(sizes, seed: seed), comparisons: 120, folds: folds, seed: seed)
            let settings = linearSettings(groups: 2, folds: folds, seed: seed)
            let mixture = try fitLinear(users, settings, width: Self.width)
            right += rightUsers(mixture) == users.count ? 1 : 0
        }
        #expect(right >= 3, "\(right) of 4")
    }

    /// With few noisy comparisons the likelihood on `assign` may fall from one iteration to the next: that alone does
    /// not end EM, and what it returns is the best iteration.
    @Test func theBestIterationIsTheResult() throws {
        var fell = 0
        for (seed, folds) in (0..<8 as Range<UInt64>).flatMap({ [($0, 1), ($0, 2)] }) {
            let members = simulatedUsers(
                groups([8, 2], scale: 1, seed: seed),
                comparisons: 40,
                folds: folds,
                seed: seed
            )
            let users = try ShardedUsers(members, over: SoloCommunicator())
            let outcome = try expectationMaximization(
                LinearRewards(count: 2 * folds, width: Self.width),
                users: users,
                start: { oneHot(randomStart(users: members.count, groups: 2, seed: seed, restart: 0), groups: 2) },
                settings: linearSettings(groups: 2, folds: folds, seed: seed),
                restart: 0,
                from: nil,
                atBoundary: { _ in },
                report: { _ in }
            )
            let reached = outcome.iterations.filter { $0.seeded == nil }.map(\.logLikelihood)
            let best = try #require(reached.max())
            if let last = reached.last, last < best { fell += 1 }
            let assignments = outcome.responsibilities.map(argmax)
            let scores = try #require(outcome.scores)
            #expect(assignedLogLikelihood(scores.logLikelihoods, assignments: assignments) == best)
        }
        #expect(fell > 0, "no run of the test shows the case")
    }

    /// Groups that no user is left in are no groups.
    @Test(arguments: [1, 2])
    func emptyGroupsAreLeftOut(folds: Int) throws {
        let users = simulatedUsers(groups([6], seed: 5), comparisons: 60, folds: folds, seed: 5)
        var settings = linearSettings(groups: 3, folds: folds, seed: 5)
        settings.start = .residual
        let mixture = try fitLinear(users, settings, width: Self.width)
        #expect(mixture.models.count == mixture.shares.count)
        #expect(mixture.emptyGroups == 3 - mixture.models.count)
        #expect(mixture.shares.allSatisfy { $0 * 6 >= 0.5 })
        #expect(mixture.shares == mixture.shares.sorted(by: >))
    }

    /// As many groups as there are, and one where all are alike.
    @Test(arguments: [[6], [6, 3], [4, 4, 4, 4]])
    func findsHowManyGroupsThereAre(sizes: [Int]) throws {
        var right = 0
        for seed in 0..<2 as Range<UInt64> {
            let users = simulatedUsers(groups(sizes, seed: seed), comparisons: 200, folds: 2, seed: seed)
            var settings = linearSettings(groups: nil, folds: 2, seed: seed)
            settings.maxGroups = sizes.count + 1
            let mixture = try fitLinear(users, settings, width: Self.width)
            right += mixture.models.count == sizes.count ? 1 : 0
        }
        #expect(right == 2, "\(right) of 2")
    }

    /// EM gives ten alike users to groups by chance, and all folds seem to prove it right: `test` does not.
    @Test func alikeUsersAreOneGroup() throws {
        var right = 0
        for seed in 0..<8 as Range<UInt64> {
            let users = simulatedUsers(groups([10], seed: seed), comparisons: 100, folds: 2, seed: seed)
            var settings = linearSettings(groups: nil, folds: 2, seed: seed)
            settings.maxGroups = 3
            right += try fitLinear(users, settings, width: Self.width).models.count == 1 ? 1 : 0
        }
        #expect(right >= 7, "\(right) of 8")
    }

    /// After EM the models learn from `assign` too: accuracies are those of the final models, log-likelihoods are EM's,
    /// of comparisons that its models had not seen.
    @Test func theFinalFitLearnsFromAssign() throws {
        var final = 0.0
        var beforeFinal = 0.0
        for seed in 0..<6 as Range<UInt64> {
            let users = simulatedUsers(groups([8, 4], scale: 2, seed: seed), comparisons: 60, seed: seed)
            let mixture = try fitLinear(users, linearSettings(groups: 2, seed: seed), width: Self.width)
            let again = try scoreUsers(users, under: mixture.models, over: SoloCommunicator())
            #expect(again.testCorrect == mixture.scores.testCorrect)
            let single = try scoreUsers(users, under: mixture.single, over: SoloCommunicator())
            #expect(single.testCorrect == mixture.singleScores.testCorrect)
            for (user, group) in mixture.assignments.enumerated() {
                final += again.logLikelihoods[user][group]
                beforeFinal += mixture.scores.logLikelihoods[user][group]
            }
        }
        #expect(final > beforeFinal, "\(final) after the final fit, \(beforeFinal) before")
    }

    @Test func softAssignmentAndOtherStarts() throws {
        let users = simulatedUsers(groups([6, 6], seed: 3), comparisons: 120, seed: 3)
        for (assignment, start) in [
            (AssignmentRule.soft, MixtureStart.residual), (.hard, .random), (.soft, .roundRobin),
        ] {
            var settings = linearSettings(groups: 2, seed: 1)
            settings.assignment = assignment
            settings.start = start
            settings.restarts = start == .random ? 3 : 1
            let mixture = try fitLinear(users, settings, width: Self.width)
            #expect(rightUsers(mixture) == users.count, "\(assignment) \(start)")
            #expect(mixture.starts.map(\.logLikelihood).max() == mixture.iterations.map(\.logLikelihood).max())
            #expect(abs(mixture.shares.reduce(0, +) - 1) < 1e-12)
        }
    }

    /// Where the data's labels are the start and 5 of 12 are wrong, EM mends them; the labels say nothing more.
    @Test(arguments: [1, 2])
    func wrongLabelsAreMended(folds: Int) throws {
        let users = simulatedUsers(groups([6, 6], seed: 3), comparisons: 120, folds: folds, seed: 3)
        let labelled = users.enumerated().map { number, user in
            var told = user.user
            if number < 5 { told.group = told.group == "group-0" ? "group-1" : "group-0" }
            return ShardedUser(told, shard: user.shard, split: user.split)
        }
        var settings = linearSettings(groups: 2, folds: folds, seed: 1)
        settings.start = .labels
        let mixture = try fitLinear(labelled, settings, width: Self.width)
        let truth = users.map { $0.user.group == "group-1" ? 1 : 0 }
        let differ = zip(mixture.assignments, truth).count { $0 != $1 }
        #expect(differ == 0 || differ == users.count)
        #expect(mixture.seed == labelled.map { $0.user.group == "group-1" ? 1 : 0 })
        #expect(mixture.starts.map(\.iterations) == [mixture.iterations.count])
    }

    @Test func accuracyIsHigherPerGroupThanOfTheSingleModel() throws {
        let users = simulatedUsers(groups([8, 8], seed: 4), comparisons: 160, seed: 4)
        let mixture = try fitLinear(users, linearSettings(groups: 2, seed: 4), width: Self.width)
        let single = try #require(mixture.singleScores.testAccuracy(of: 0, users: Array(users.indices)))
        for group in 0..<2 {
            let own = users.indices.filter { mixture.assignments[$0] == group }
            let accuracy = try #require(mixture.scores.testAccuracy(of: group, users: own))
            #expect(accuracy > single + 0.05)
        }
        // New users are assigned from `assign` alone, and few comparisons leave the posterior unsure.
        let mapping = mixture.scores.members.first?.group == "group-\(mixture.assignments[0])" ? [0, 1] : [1, 0]
        let strangers = simulatedUsers(groups([8, 8], seed: 4), comparisons: 60, seed: 99)
        let scores = try scoreUsers(strangers, under: mixture.models, over: SoloCommunicator())
        let assigned = scores.posteriors(shares: mixture.shares)
        #expect(zip(scores.members, assigned).count { $0.group == "group-\(mapping[argmax($1)])" } >= 15)
        let briefly = try scoreUsers(
            simulatedUsers(groups([8, 8], seed: 4), comparisons: 1, seed: 99),
            under: mixture.models,
            over: SoloCommunicator()
        )
        let unsure = briefly.posteriors(shares: mixture.shares)
        let surest = { (posteriors: [[Double]]) in posteriors.reduce(0) { $0 + ($1.max() ?? 0) } }
        #expect(surest(unsure) < surest(assigned))
    }

    @Test func oneGroupIsTheSingleModel() throws {
        let users = simulatedUsers(groups([6], seed: 5), comparisons: 60, seed: 5)
        let mixture = try fitLinear(users, linearSettings(groups: 1, seed: 5), width: Self.width)
        #expect(mixture.assignments == Array(repeating: 0, count: 6))
        #expect(mixture.stopReason == .noChange)
        #expect(mixture.iterations.count == 1)
    }

    /// With folds no group needs another training than the single model's.
    @Test func oneGroupIsTrainedOnce() throws {
        let users = simulatedUsers(groups([6], seed: 5), comparisons: 60, folds: 2, seed: 5)
        let mixture = try fitLinear(users, linearSettings(groups: 1, folds: 2, seed: 5), width: Self.width)
        #expect(mixture.assignments == Array(repeating: 0, count: 6))
        #expect(mixture.models === mixture.single && mixture.models.count == 1)
        #expect(mixture.stopReason == .oneGroup && mixture.iterations.isEmpty && mixture.starts.isEmpty)
        #expect(mixture.candidates.map(\.groups) == [1] && mixture.emptyGroups == 0)
        #expect(mixture.scores == mixture.singleScores)
    }

    @Test func moreGroupsThanTheTruthEnds() throws {
        let users = simulatedUsers(groups([6, 6], seed: 6), comparisons: 90, seed: 6)
        var settings = linearSettings(groups: 4, seed: 6)
        settings.maxIterations = 12
        let mixture = try fitLinear(users, settings, width: Self.width)
        // Groups may be split further, but hardly any user shares a group with mostly users of the other kind.
        let majorities = (0..<4).map { group in
            let labels = zip(mixture.scores.members, mixture.assignments).filter { $0.1 == group }.map(\.0.group)
            return max(labels.count { $0 == "group-0" }, labels.count { $0 == "group-1" })
        }
        #expect(majorities.reduce(0, +) >= 11)
        #expect(mixture.iterations.count { $0.seeded != nil } <= 6)
    }

    @Test func threeGroups() throws {
        let users = simulatedUsers(groups([8, 5, 3], seed: 8), comparisons: 150, seed: 8)
        let mixture = try fitLinear(users, linearSettings(groups: 3, seed: 8), width: Self.width)
        let pairs = Set(zip(mixture.scores.members, mixture.assignments).map { "\($0.group ?? "")/\($1)" })
        #expect(pairs.count == 3, "\(pairs)")
        #expect(mixture.iterations.first?.seeded?.group == 2)
    }

    @Test func usersWithOneComparisonDoNotBreakAnything() throws {
        let many = simulatedUsers(groups([6, 6], seed: 9), comparisons: 90, seed: 9)
        let few = simulatedUsers(groups([3, 3], seed: 9), comparisons: 1, seed: 10).map {
            ShardedUser(
                User(id: "one-" + $0.user.id, group: $0.user.group, comparisons: $0.user.comparisons),
                shard: $0.shard,
                split: $0.split
            )
        }
        let mixture = try fitLinear(many + few, linearSettings(groups: 2, seed: 9), width: Self.width)
        let certain = zip(mixture.scores.members, mixture.assignments).filter { !$0.0.id.hasPrefix("one-") }
        #expect(Set(certain.map { "\($0.0.group ?? "")/\($0.1)" }).count == 2)
        // All users with one comparison each: nothing to find, but an answer for everyone.
        let only = few.map {
            ShardedUser($0.user, shard: $0.shard, split: ComparisonSplit(fit: $0.split.emParts[0].assign))
        }
        #expect(try fitLinear(only, linearSettings(groups: 2, seed: 9), width: Self.width).assignments.count == 6)
    }

    @Test(arguments: [1, 2])
    func knownGroupsReplaceTheEStep(folds: Int) throws {
        let users = simulatedUsers(groups([7, 3], seed: 11), comparisons: 90, folds: folds, seed: 11)
        var settings = linearSettings(groups: 5, folds: folds, seed: 11)
        settings.assignment = .known
        let mixture = try fitLinear(users, settings, width: Self.width)
        #expect(mixture.labels == ["group-0", "group-1"])
        #expect(zip(mixture.scores.members, mixture.assignments).allSatisfy { $0.group == "group-\($1)" })
        // With several folds the last training has all that is asked for.
        #expect(mixture.stopReason == .known && mixture.iterations.count == (folds == 1 ? 1 : 0))
        for group in 0..<2 {
            let own = users.indices.filter { mixture.assignments[$0] == group }
            #expect(try #require(mixture.scores.testAccuracy(of: group, users: own)) > 0.65)
        }
    }

    /// The paper's way: from round-robin the same comparisons train and are asked, for equal epochs, and the models of
    /// the last iteration are kept as they are.
    @Test func thePapersWay() throws {
        let all = simulatedUsers(groups([6, 6], seed: 3), comparisons: 120, seed: 3)
        let users = all.map { user in
            ShardedUser(
                user.user,
                shard: user.shard,
                split: ComparisonSplit(sharing: Array(0..<100), test: Array(100..<120))
            )
        }
        var settings = linearSettings(groups: 2, seed: 1)
        (settings.paper, settings.start) = (true, .roundRobin)
        var models: [LinearRewards] = []
        let mixture = try fitRewardMixture(
            users,
            settings: settings,
            over: SoloCommunicator(),
            makeModels: {
                models.append(LinearRewards(count: $0 * $1, width: Self.width))
                return models[models.count - 1]
            },
            report: { _ in }
        )
        #expect(rightUsers(mixture) == users.count)
        #expect(mixture.seed == users.indices.map { $0 % 2 } && mixture.candidates.map(\.groups) == [1, 2])
        // The largest group has all steps, the other as many as its comparisons need for as many epochs.
        for iteration in mixture.iterations {
            #expect(iteration.training.map(\.steps).max() == settings.maxSteps)
            #expect(iteration.training.allSatisfy { $0.bestStep == $0.steps && $0.bestLoss == nil })
        }
        #expect(mixture.stopReason == .noChange)
        // The single model, those of EM, and what is kept of those: none was trained a last time.
        #expect(models.count == 3)
        let ofEM = (0..<2).map { models[1].weights(of: $0).array() }
        #expect(ofEM.contains(mixture.models.weights(of: 0).array()))
    }
}
