import Collectives
import Optimizers
import Randomness
import Tensors
import Testing

@testable import RewardMixture

/// A training state as it was at a boundary, kept in memory.
private struct KeptState: SavedState {
    private var records: [String: [UInt8]] = [:]
    private var vectors: [String: [Float]] = [:]

    init(_ state: TrainingState) {
        for record in state.records { records[record.name] = record.json }
        for vector in state.vectors { vectors[vector.name] = vector.values.array() }
    }

    func json(of record: String) -> [UInt8]? { records[record] }

    /// Every record's name.
    var names: [String] { records.keys.sorted() }

    /// The same with another text in a record.
    func replacing(_ pattern: Regex<Substring>, with text: String, in record: String) -> KeptState {
        var state = self
        let json = String(decoding: records[record] ?? [], as: UTF8.self)
        state.records[record] = Array(json.replacing(pattern, with: text).utf8)
        return state
    }

    func damaged(_ record: String) -> any Error { Damaged(record: record) }

    func fill(_ wanted: [StateVector]) throws {
        for vector in wanted { vector.values.copy(from: try #require(vectors[vector.name])) }
    }
}

private struct Killed: Error {}

private struct Damaged: Error, Equatable {
    let record: String
}

@Suite struct ResumeTests {
    private static let width = 6

    /// Everything that a fit gives, bit by bit.
    private struct Outcome: Equatable {
        let weights: [[Float]]
        let single: [Float]
        let assignments: [Int]
        let scores: UserScores
        let singleScores: UserScores
        let iterations: [MixtureIteration]
        let restarts: [Double]

        init(_ mixture: FittedMixture<LinearRewards>) {
            weights = mixture.models.weights.map { $0.array() }
            single = mixture.single.weights[0].array()
            assignments = mixture.assignments
            scores = mixture.scores
            singleScores = mixture.singleScores
            iterations = mixture.iterations
            restarts = mixture.starts.map(\.logLikelihood)
        }
    }

    private static func fit(
        _ settings: RewardMixtureSettings,
        reusing earlier: FittedMixture<LinearRewards>? = nil,
        from saved: (any SavedState)? = nil,
        atBoundary: StepBoundary = { _ in }
    ) throws -> FittedMixture<LinearRewards> {
        try fitRewardMixture(
            RankTests.users(folds: settings.folds),
            settings: settings,
            over: SoloCommunicator(),
            reusing: earlier,
            from: saved,
            atBoundary: atBoundary,
            makeModels: { LinearRewards(count: $0 * $1, width: width) },
            report: { _ in }
        )
    }

    private static func settings(
        _ assignment: AssignmentRule,
        _ start: MixtureStart,
        groups: Int? = 3,
        folds: Int = 1
    ) -> RewardMixtureSettings {
        var settings = linearSettings(groups: groups, folds: folds, seed: 2)
        settings.maxGroups = 3
        settings.assignment = assignment
        settings.start = start
        settings.restarts = start == .random ? 2 : 1
        settings.maxIterations = 4
        return settings
    }

    @Test(
        arguments: [
            (.hard, .residual, 3, 1), (.soft, .random, 3, 1), (.known, .residual, 3, 1), (.hard, .residual, nil, 2),
            (.soft, .random, 3, 2), (.known, .residual, 3, 2),
        ] as [(AssignmentRule, MixtureStart, Int?, Int)]
    )
    func aFitKilledAnywhereGivesTheUndisturbedFit(
        assignment: AssignmentRule,
        start: MixtureStart,
        groups: Int?,
        folds: Int
    ) throws {
        let settings = Self.settings(assignment, start, groups: groups, folds: folds)
        var boundaries = 0
        let undisturbed = Outcome(try Self.fit(settings) { _ in boundaries += 1 })
        var random = CounterRandom(seed: 7, purpose: .test)
        for _ in 0..<6 {
            let kill = Int.random(in: 1...boundaries, using: &random)
            var passed = 0
            var kept: KeptState?
            #expect(throws: Killed.self) {
                _ = try Self.fit(settings) { state in
                    passed += 1
                    // The last save may lie some steps back.
                    if passed == max(1, kill - 3) { kept = KeptState(try state()) }
                    if passed == kill { throw Killed() }
                }
            }
            let saved = try #require(kept)
            let resumed = try Self.fit(settings, from: saved)
            #expect(Outcome(resumed) == undisturbed, "killed at boundary \(kill) of \(boundaries)")
        }
    }

    /// Numbers that are not of these users, groups and settings are refused by the name of their record, and none
    /// traps.
    @Test func recordsChangedByHandAreRefused() throws {
        let settings = Self.settings(.hard, .random)
        var kept: KeptState?
        #expect(throws: Killed.self) {
            _ = try Self.fit(settings) { state in
                kept = KeptState(try state())
                if kept?.names.contains("start-3-0/step/m-step") == true { throw Killed() }
            }
        }
        let saved = try #require(kept)
        for (record, pattern, text) in [
            ("start-3-0/step/m-step", /"step":\d+/, "\"step\":2147483647"),
            ("start-3-0/step/m-step", /"rewardScale":\[/, "\"rewardScale\":[1,"),
            ("start-3-0/em", /"responsibilities":\[/, "\"responsibilities\":[[1],"),
            ("start-3-0/em", /"seedingsLeft":\d+/, "\"a\":1"),
            ("fit", /"members":\[/, "\"members\":[],\"others\":["),
            ("fit", /"testCorrect":\[\[/, "\"testCorrect\":[[0,"),
        ] as [(String, Regex<Substring>, String)] {
            let changed = saved.replacing(pattern, with: text, in: record)
            #expect(changed.json(of: record) != saved.json(of: record), "\(record) has no \(text)")
            #expect(throws: Damaged(record: record)) { _ = try Self.fit(settings, from: changed) }
        }
    }

    @Test(arguments: [(3, 1), (nil, 2)] as [(Int?, Int)])
    func aFinishedFitIsTakenOverWithoutTraining(groups: Int?, folds: Int) throws {
        let settings = Self.settings(.hard, .random, groups: groups, folds: folds)
        let mixture = try Self.fit(settings)
        let again = try Self.fit(settings, from: KeptState(try mixture.savedState())) { _ in
            Issue.record("a finished fit trains")
        }
        #expect(Outcome(again) == Outcome(mixture))
    }

    @Test func aSecondFitGoesOnBesideTheFirst() throws {
        let first = try Self.fit(Self.settings(.hard, .residual))
        let settings = Self.settings(.known, .residual)
        let undisturbed = Outcome(try Self.fit(settings, reusing: first))
        var kept: KeptState?
        #expect(throws: Killed.self) {
            _ = try Self.fit(settings, reusing: first) { state in
                if kept != nil { throw Killed() }
                kept = KeptState(try TrainingState().adding(state(), under: "known"))
            }
        }
        let saved = try #require(kept).under("known")
        #expect(Outcome(try Self.fit(settings, reusing: first, from: saved)) == undisturbed)
    }
}
