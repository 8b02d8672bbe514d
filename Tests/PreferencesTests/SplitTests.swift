import Testing

@testable import Preferences

@Suite struct SplitTests {
    func split(_ hashes: [UInt64], seed: UInt64 = 1, user: String = "u") -> ComparisonSplit {
        let comparisons = hashes.map { TokenizedComparison([[1], [2]], promptHash: $0) }
        return splitComparisons(of: User(id: user, comparisons: comparisons), fractions: SplitFractions(), seed: seed)
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

    @Test func holdsOutWholeUsersWhateverTheirOrder() {
        let users = (0..<40).map { User<TokenizedComparison>(id: "user \($0)", comparisons: []) }
        func heldOut(_ users: [User<TokenizedComparison>], seed: UInt64) -> Set<String> {
            Set(holdOutUsers(users, fraction: 0.25, seed: seed).heldOut.map(\.id))
        }
        #expect(holdOutUsers(users, fraction: 0.25, seed: 8).kept.count == 30)
        #expect(heldOut(users, seed: 8).count == 10)
        #expect(heldOut(users.reversed(), seed: 8) == heldOut(users, seed: 8))
        #expect(heldOut(users, seed: 9) != heldOut(users, seed: 8))
        #expect(holdOutUsers([users[0]], fraction: 0.9, seed: 1).kept == [users[0]])
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
