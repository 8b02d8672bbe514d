import Failures
import Testing

@testable import Preferences

@Suite struct SplitTests {
    static func settings(_ unit: SplitUnit, folds: Int) -> SplitSettings {
        var settings = SplitSettings()
        settings.unit = unit
        settings.folds = folds
        settings.assign = 1.0 / 3
        settings.validation = 0.1
        return settings
    }

    /// A user whose comparisons have prompts of these hashes.
    static func user(_ id: String, _ hashes: [UInt64]) -> User<TokenizedComparison> {
        User(
            id: id,
            comparisons: hashes.enumerated().map { TokenizedComparison([[Int32($0)], [-1]], promptHash: $1) }
        )
    }

    /// The split of one user, by that user's own prompts.
    func split(_ hashes: [UInt64], folds: Int = 1, seed: UInt64 = 1, user: String = "u") throws -> ComparisonSplit {
        try splitComparisons(of: [Self.user(user, hashes)], Self.settings(.user, folds: folds), seed: seed)[0]
    }

    /// Each comparison's part: those that E-steps read by fold, and the others.
    func parts(_ split: ComparisonSplit) -> [[Int]] {
        split.emParts.count == 1
            ? [split.emParts[0].fit, split.emParts[0].validation, split.emParts[0].assign, split.test]
            : split.emParts.map(\.assign) + [split.test]
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 10, 50, 200], [1, 2, 3])
    func partsAreDisjointAndComplete(count: Int, folds: Int) throws {
        let split = try split((0..<UInt64(count)).map { $0 &* 77 }, folds: folds)
        #expect(parts(split).joined().sorted() == Array(0..<count))
        if count >= 1 { #expect(split.emParts.contains { !$0.assign.isEmpty }) }
        if count >= 2 { #expect(split.emParts.contains { !$0.fit.isEmpty }) }
        guard count >= 50 else { return }
        #expect(abs(split.test.count - count / 5) <= 1)
        if folds == 1 {
            #expect(abs(split.emParts[0].assign.count - count / 3) <= 1)
            #expect(split.emParts[0].validation.count == count / 10)
            #expect(Set(split.final.fit) == Set(split.emParts[0].fit + split.emParts[0].assign))
            #expect(split.final.validation == split.emParts[0].validation)
        } else {
            #expect(split.emParts.allSatisfy { abs($0.assign.count - count * 4 / 5 / folds) <= 1 })
            #expect(split.final.fit.count == count - split.test.count && split.final.validation.isEmpty)
        }
        // What the E-step asks a model, the model has not seen.
        for fold in split.emParts { #expect(Set(fold.fit).isDisjoint(with: fold.assign)) }
    }

    @Test(arguments: [1, 2])
    func keepsThePromptsOfAUserTogether(folds: Int) throws {
        let hashes = (0..<120).map { UInt64($0 % 40) }
        let split = try split(hashes, folds: folds)
        var part = [UInt64: Int]()
        for (number, indices) in parts(split).enumerated() {
            #expect(!indices.isEmpty)
            for index in indices { #expect(part.updateValue(number, forKey: hashes[index]) ?? number == number) }
        }
    }

    /// What two users share is on one side, and folds are about equally large.
    @Test(arguments: [1, 2, 3])
    func keepsThePromptsOfAllUsersTogether(folds: Int) throws {
        let users = (0..<9).map { user in Self.user("u\(user)", (0..<40).map { UInt64(($0 * (user + 1)) % 50) }) }
        let splits = try splitComparisons(of: users, Self.settings(.prompt, folds: folds), seed: 3)
        var part = [UInt64: Int]()
        for (user, split) in zip(users, splits) {
            #expect(parts(split).joined().sorted() == Array(0..<40))
            for (number, indices) in parts(split).enumerated() {
                for index in indices {
                    let hash = user.comparisons[index].promptHash
                    #expect(part.updateValue(number, forKey: hash) ?? number == number)
                }
            }
        }
        #expect(abs(splits.reduce(0) { $0 + $1.test.count } - 72) <= 15)
        let sizes = (0..<folds).map { fold in splits.reduce(0) { $0 + $1.emParts[fold].assign.count } }
        #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 15)
        let reversed = try splitComparisons(of: users.reversed(), Self.settings(.prompt, folds: folds), seed: 3)
        #expect(Array(reversed.reversed()) == splits)
        #expect(try splitComparisons(of: users, Self.settings(.prompt, folds: folds), seed: 4) != splits)
    }

    @Test func tooFewPromptsToSplitByAreRefused() {
        #expect {
            try splitComparisons(of: [Self.user("u", [7, 7, 7])], Self.settings(.prompt, folds: 2), seed: 1)
        } throws: {
            ($0 as? Failure)?.location == "data.split" && "\($0)".contains("take data.split: user")
        }
    }

    @Test func splitsAUserOfOnePromptSingly() throws {
        let split = try split([UInt64](repeating: 9, count: 30))
        #expect(parts(split).map(\.count) == [11, 3, 10, 6])
    }

    /// Of one prompt too, both orders of a tie are on one side.
    @Test func theOrdersOfATieStayTogether() throws {
        let orders = (0..<20).flatMap { (number: Int32) -> [TokenizedComparison] in
            [[[number], [-1]], [[-1], [number]]].map { TokenizedComparison($0, weight: 0.5, promptHash: 9) }
        }
        let split = try splitComparisons(
            of: [User(id: "u", comparisons: orders)],
            Self.settings(.user, folds: 2),
            seed: 1
        )[0]
        for part in parts(split) { #expect(Set(part) == Set(part.map { $0 ^ 1 }) && !part.isEmpty) }
    }

    @Test func dependsOnSeedUserAndPromptsOnly() throws {
        let hashes = (0..<30).map { stableHash("prompt \($0)") }
        let test = Set(try split(hashes).test.map { hashes[$0] })
        let reversed = Array(hashes.reversed())
        #expect(Set(try split(reversed).test.map { reversed[$0] }) == test)
        #expect(Set(try split(hashes, seed: 2).test.map { hashes[$0] }) != test)
        #expect(Set(try split(hashes, user: "v").test.map { hashes[$0] }) != test)
    }

    @Test func holdsOutWholeUsersWhateverTheirOrder() {
        let users = (0..<40).map { Self.user("user \($0)", []) }
        func heldOut(_ users: [User<TokenizedComparison>], seed: UInt64) -> Set<String> {
            Set(heldOutUsers(of: users, fraction: 0.25, seed: seed).map { users[$0].id })
        }
        #expect(heldOut(users, seed: 8).count == 10)
        #expect(heldOut(users.reversed(), seed: 8) == heldOut(users, seed: 8))
        #expect(heldOut(users, seed: 9) != heldOut(users, seed: 8))
        #expect(heldOutUsers(of: [users[0]], fraction: 0.9, seed: 1).isEmpty)
    }

    @Test func dealsUsersByWork() {
        let users = [("c", 5), ("a", 5), ("b", 9), ("d", 1), ("e", 2)].map { (id: $0.0, work: $0.1) }
        let shards = dealUsersToShards(users, shards: 2)
        // b → 0; a → 1; c → 1; e → 0; d → 1 (10 against 11) or 0: loads 9, 5, 10 → e to shard 0 (11), d to shard 1
        // (11).
        #expect(shards == [[2, 4], [1, 0, 3]])
        #expect(dealUsersToShards(users, shards: 8).flatMap { $0 }.sorted() == Array(0..<5))
    }

    @Test func shardsDoNotDependOnTheOrderOfUsers() {
        let users = (0..<57).map { (id: "u\($0)", work: 100 + $0 * 37 % 11) }
        func named(_ users: [(id: String, work: Int)]) -> [[String]] {
            dealUsersToShards(users, shards: 8).map { $0.map { users[$0].id } }
        }
        #expect(named(users) == named(users.reversed()))
        let loads = dealUsersToShards(users, shards: 8).map { $0.reduce(0) { $0 + users[$1].work } }
        #expect((loads.max() ?? 0) - (loads.min() ?? 0) <= 110)
    }
}
