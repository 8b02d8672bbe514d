import Collectives
import Foundation
import Preferences
import Testing

@testable import RewardMixture

/// What a fit tells of its training while it works.
@Suite struct TrainingReportTests {
    private struct Look: Equatable, Sendable {
        let fit: MixtureFit
        let found: Validation
    }

    private struct Told: Sendable {
        var plan: [MixtureFit] = []
        var began: [MixtureFit] = []
        var looks: [Look] = []
        var passes: [String: [[Int]]] = [:]
    }

    private static func fit(
        _ settings: RewardMixtureSettings,
        over communicator: any Communicator = SoloCommunicator(),
        hosting hosted: Range<Int> = 0..<4
    ) throws -> (mixture: FittedMixture<LinearRewards>, told: Told) {
        var told = Told()
        let mixture = try fitRewardMixture(
            RankTests.users(folds: settings.folds).filter { hosted.contains($0.shard) },
            settings: settings,
            over: communicator,
            makeModels: { LinearRewards(count: $0 * $1, width: RankTests.width) },
            report: { event in
                switch event {
                case .planned(let plan): told.plan += plan
                case .began(let fit, 0, settings.maxSteps): told.began.append(fit)
                case .validation(let fit, let found): told.looks.append(Look(fit: fit, found: found))
                case .passed(let pass, let done, let total):
                    told.passes[pass.rawValue, default: []].append([done, total])
                default: break
                }
            }
        )
        return (mixture, told)
    }

    @Test(arguments: [1, 2]) func everyFitIsAnnouncedAndLookedAt(folds: Int) throws {
        var settings = linearSettings(groups: nil, folds: folds, seed: 2)
        settings.maxGroups = 3
        settings.restarts = 2
        settings.start = .random
        settings.maxIterations = 3
        let (_, told) = try Self.fit(settings)
        let ofGroups = [2, 3].flatMap { groups in
            [0, 1].map { MixtureFit(kind: .mixture, groups: groups, restart: $0) }
                + [MixtureFit(kind: .final, groups: groups)]
        }
        let single = MixtureFit(kind: .single, groups: 1)
        // With one split, the single model that the E-step compares with is not the last one.
        let again = folds == 1 ? [MixtureFit(kind: .finalSingle, groups: 1)] : []
        #expect(told.plan == [single] + ofGroups + again, "\(told.plan.map(\.name))")
        let starts = told.began.reduce(into: [MixtureFit]()) { if $0.last?.isPart(of: $1) != true { $0.append($1) } }
        #expect(starts.count == told.plan.count && zip(starts, told.plan).allSatisfy { $0.isPart(of: $1) })
        #expect(Set(told.began.map(\.name)).count == told.began.count)
        for fit in told.began {
            let own = told.looks.filter { $0.fit == fit }
            #expect(own.first?.found.step == 0 && own.count > 1, "\(fit.name)")
            #expect(own.dropFirst().allSatisfy { $0.found.step % settings.evaluateEvery == 0 })
        }
        // On one axis, no step of EM from one start is there twice.
        let steps = told.looks.filter { $0.fit.isPart(of: ofGroups[0]) }.map { $0.fit.stepsBefore + $0.found.step }
        #expect(zip(steps, steps.dropFirst()).allSatisfy { $0 < $1 })
        for (pass, counts) in told.passes {
            #expect(counts.allSatisfy { $0[0] <= $0[1] && $0[0] > 0 } && counts.contains { $0[0] == $0[1] }, "\(pass)")
        }
        #expect(told.passes.keys.sorted() == ["E-step", "scoring", "validation"])
    }

    /// Of the models before training, and of those that are kept: by their own rewards.
    @Test func aLookTellsLossAccuracyAndMargin() throws {
        let (mixture, told) = try Self.fit(linearSettings(groups: 1, folds: 1, seed: 2))
        let first = try #require(told.looks.first?.found.groups[0])
        #expect(abs((first.loss ?? 0) - log(2)) < 1e-12 && first.accuracy == 0.5 && first.margin == 0)
        #expect(first.trainingLoss == nil && first.gradientNorm == nil)
        let own = told.looks.filter { $0.fit.kind == .finalSingle }
        let best = try #require(own.first { $0.found.step == mixture.finalSingleTraining.bestStep }?.found.groups[0])
        #expect(own.allSatisfy { ($0.found.groups[0]?.loss ?? 0) >= mixture.finalSingleTraining.bestLoss ?? 1 })
        #expect(
            best.loss == mixture.finalSingleTraining.bestLoss && best.bestStep == mixture.finalSingleTraining.bestStep
        )
        #expect((best.trainingLoss ?? 1) < log(2) && (best.gradientNorm ?? 0) > 0)
        let rewards = mixture.single.rewards(
            of: RankTests.users().flatMap { $0.comparisons($0.split[.final].validation) },
            under: 0..<1
        )[0]
        let margins = stride(from: 0, to: rewards.count, by: 2).map { Double(rewards[$0] - rewards[$0 + 1]) }
        let mean = margins.reduce(0, +) / Double(margins.count)
        let right = Double(margins.count { $0 > 0 }) / Double(margins.count)
        #expect(abs((best.accuracy ?? 0) - right) < 1e-12)
        #expect(abs((best.margin ?? 0) * (best.rewardScale ?? 0) - mean) < 1e-5)
    }

    @Test func ranksTellTheSame() throws {
        var changed = linearSettings(groups: 2, folds: 2, seed: 2)
        changed.maxIterations = 2
        let settings = changed
        let alone = try Self.fit(settings).told.looks
        for ranks in 2...3 {
            let together = try InProcessGroup.run(ranks: ranks) { communicator in
                let hosted = try Shards(count: 4, ranks: ranks).hosted(by: communicator.rank)
                return try Self.fit(settings, over: communicator, hosting: hosted).told.looks
            }
            #expect(together.allSatisfy { $0 == alone })
        }
    }

    /// A start, then one table for each iteration; the best one's is the result.
    @Test func responsibilitiesOfEveryIterationAreKept() throws {
        var settings = linearSettings(groups: 2, folds: 2, seed: 2)
        settings.start = .random
        let mixture = try Self.fit(settings).mixture
        #expect(mixture.history.count == mixture.iterations.count + 1)
        #expect(mixture.history.dropFirst().contains(mixture.responsibilities))
        #expect(mixture.history[0] != mixture.responsibilities)
        #expect(try Self.fit(linearSettings(groups: 1, folds: 2, seed: 2)).mixture.history.isEmpty)
    }

    /// The paper's way looks at nothing, and tells how it trains.
    @Test func thePapersWayTellsOfTraining() throws {
        var settings = linearSettings(groups: 2, folds: 1, seed: 2)
        settings.paper = true
        settings.maxIterations = 2
        let (_, told) = try Self.fit(settings)
        let groups = told.looks.filter { $0.found.step > 0 }.flatMap(\.found.groups).compactMap { $0 }
        #expect(!groups.isEmpty && groups.allSatisfy { $0.loss == nil && $0.accuracy == nil })
        #expect(groups.allSatisfy { $0.trainingLoss != nil && $0.gradientNorm != nil })
    }
}
