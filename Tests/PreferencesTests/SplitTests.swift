import Testing

@testable import Preferences

@Suite struct SplitTests {
    func split(_ hashes: [UInt64], seed: UInt64 = 1, user: String = "u") -> ComparisonSplit {
        splitComparisons(user: user, promptHashes: hashes, fractions: SplitFractions(), seed: seed)
    }

    @Test(arguments: [0, 1, 2, 3, 4, 5, 10, 50, 200]) func partsAreDisjointAndComplete(count: Int) {
        let split = split((0..<UInt64(count)).map { $0 &* 77 })
        #expect((split.fit + split.validation + split.assign + split.test).sorted() == Array(0..<count))
        if count >= 1 { #expect(!split.assign.isEmpty) }
        if count >= 2 { #expect(!split.fit.isEmpty) }
        if count >= 50 {
            #expect(abs(split.assign.count - count / 3) <= 1)
            #expect(abs(split.test.count - count / 5) <= 1)
            #expect(split.validation.count == Int(Double(count - split.assign.count - split.test.count) * 0.15))
        }
    }

    @Test func keepsThePromptsOfAUserTogether() {
        let hashes = (0..<120).map { UInt64($0 % 40) }
        let split = split(hashes)
        var part = [UInt64: Int]()
        for (number, indices) in [split.fit, split.validation, split.assign, split.test].enumerated() {
            for index in indices { #expect(part.updateValue(number, forKey: hashes[index]) ?? number == number) }
        }
        #expect(!split.test.isEmpty && !split.validation.isEmpty)
    }

    @Test func splitsAUserOfOnePromptSingly() {
        let split = split([UInt64](repeating: 9, count: 30))
        #expect(split.assign.count == 10 && split.test.count == 6 && split.fit.count + split.validation.count == 14)
    }

    @Test func dependsOnSeedUserAndPromptsOnly() {
        let hashes = (0..<30).map { stableHash("prompt \($0)") }
        let test = Set(split(hashes).test.map { hashes[$0] })
        let reversed = Array(hashes.reversed())
        #expect(Set(split(reversed).test.map { reversed[$0] }) == test)
        #expect(Set(split(hashes, seed: 2).test.map { hashes[$0] }) != test)
        #expect(Set(split(hashes, user: "v").test.map { hashes[$0] }) != test)
    }

    @Test func splitsTokenizedUsers() {
        let comparisons = (0..<9).map {
            TokenizedComparison(chosen: [1, Int32($0)], rejected: [1, 99], promptLength: 1)
        }
        let user = TokenizedUser(
            id: "u",
            group: "g",
            comparisons: comparisons,
            promptHashes: (0..<9).map { UInt64($0) }
        )
        let split = SplitUser(
            user,
            fractions: SplitFractions(assign: 1.0 / 3, test: 1.0 / 3, validation: 0.34),
            seed: 5
        )
        #expect((split.fit.count, split.validation.count, split.assign.count, split.test.count) == (2, 1, 3, 3))
        #expect(split.id == "u" && split.group == "g")
    }

    @Test func holdsOutWholeUsersWhateverTheirOrder() {
        let ids = (0..<40).map { "user \($0)" }
        let (kept, heldOut) = holdOutUsers(ids, fraction: 0.25, seed: 8) { $0 }
        #expect(kept.count == 30 && heldOut.count == 10)
        #expect(Set(holdOutUsers(ids.reversed(), fraction: 0.25, seed: 8) { $0 }.heldOut) == Set(heldOut))
        #expect(Set(holdOutUsers(ids, fraction: 0.25, seed: 9) { $0 }.heldOut) != Set(heldOut))
        #expect(holdOutUsers(["only"], fraction: 0.9, seed: 1) { $0 }.kept == ["only"])
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
