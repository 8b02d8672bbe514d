import Failures
import Preferences
import Randomness
import Testing
import Text

@testable import Simulation

@Suite struct SimulatedUsersTests {
    /// Pairs whose lengths differ by a normal number of tokens and whose texts are all different.
    func pairs(_ count: Int, seed: UInt64 = 1) -> [ResponsePair] {
        (0..<count).map { index in
            var random = CounterRandom(seed: seed, purpose: .test, item: index)
            let tokens = 500 + Int(40 * random.normal())
            return ResponsePair(
                prompt: Conversation("prompt \(index)"),
                first: SampledResponse(text: "first \(index)", tokens: 500, isComplete: true),
                second: SampledResponse(text: "second \(index)", tokens: tokens, isComplete: tokens < 500)
            )
        }
    }

    func concise(_ users: Int) -> SimulatedGroup { SimulatedGroup(name: "concise", users: users, taste: .length) }
    func positive(_ users: Int) -> SimulatedGroup { SimulatedGroup(name: "positive", users: users, taste: .sentiment) }

    @Test func everyUserJudgesPairsOfTheirOwn() throws {
        let users = try simulateUsers(
            pairs: pairs(230),
            groups: [positive(20), concise(2)],
            comparisonsPerUser: 10,
            sharpness: 4,
            seed: 3
        )
        #expect(users.map(\.id) == (0..<22).map { "u0\($0 < 10 ? "0" : "")\($0)" })
        #expect(users.filter { $0.group == "concise" }.count == 2)
        #expect(users.allSatisfy { $0.comparisons.count == 10 })
        #expect(Set(users.flatMap { $0.comparisons.map(\.prompt) }).count == 220)
    }

    @Test func idsDoNotRevealGroups() throws {
        var places: Set<Set<String>> = []
        for seed in 0..<6 as Range<UInt64> {
            let users = try simulateUsers(
                pairs: pairs(30),
                groups: [positive(20), concise(2)],
                comparisonsPerUser: 1,
                sharpness: 4,
                seed: seed
            )
            places.insert(Set(users.filter { $0.group == "concise" }.map(\.id)))
        }
        #expect(places.count >= 5)
        #expect(!places.contains(["u020", "u021"]))
    }

    /// E[σ(sharpness · Z)] over the sign of Z, computed by numerical integration: the rate of choices that follow the
    /// utility.
    @Test(arguments: [(0.0, 0.5), (1.0, 0.6748), (4.0, 0.8712), (1000.0, 1.0)])
    func choicesFollowTheUtilityAsOftenAsTheirSharpnessSays(sharpness: Double, rate: Double) throws {
        let users = try simulateUsers(
            pairs: pairs(8000),
            groups: [concise(8)],
            comparisonsPerUser: 900,
            sharpness: sharpness,
            seed: 5
        )
        let comparisons = users.flatMap(\.comparisons)
        let lengths = Dictionary(
            uniqueKeysWithValues: pairs(8000).flatMap {
                [($0.first.text, $0.first.tokens), ($0.second.text, $0.second.tokens)]
            }
        )
        var followed = 0
        var counted = 0
        for comparison in comparisons {
            let chosen = try #require(lengths[comparison.chosen.text])
            let rejected = try #require(lengths[comparison.rejected.text])
            guard chosen != rejected else { continue }
            counted += 1
            followed += chosen < rejected ? 1 : 0
        }
        #expect(abs(Double(followed) / Double(counted) - rate) < 0.02)
    }

    /// lapse/2 + (1 − lapse)·E[σ(s·|Z|)], with E[σ(4·|Z|)] = 0.8712 and E[σ(|Z|)] = 0.6748.
    @Test(arguments: [(nil, 0.25, 0.125 + 0.75 * 0.8712), (1.0, 0.0, 0.6748), (1000.0, 0.4, 0.8), (nil, 1.0, 0.5)])
    func lapsesAndAGroupsOwnSharpnessDecideAsTheFormulaSays(sharpness: Double?, lapse: Double, rate: Double) throws {
        var group = concise(8)
        group.sharpness = sharpness
        group.lapse = lapse
        let users = try simulateUsers(
            pairs: pairs(8000),
            groups: [group],
            comparisonsPerUser: 900,
            sharpness: 4,
            seed: 11
        )
        let lengths = Dictionary(uniqueKeysWithValues: pairs(8000).map { ($0.second.text, $0.second.tokens) })
        var (followed, counted) = (0, 0)
        for comparison in users.flatMap(\.comparisons) {
            let secondIsChosen = comparison.chosen.text.hasPrefix("second")
            let second = secondIsChosen ? comparison.chosen.text : comparison.rejected.text
            let tokens = try #require(lengths[second])
            guard tokens != 500 else { continue }
            counted += 1
            followed += secondIsChosen == (tokens < 500) ? 1 : 0
        }
        // Four binomial standard errors.
        let error = (rate * (1 - rate) / Double(counted)).squareRoot()
        let found = Double(followed) / Double(counted)
        #expect(abs(found - rate) < 4 * error + 0.002, "\(found) is not \(rate)")
        // Which response is the first means nothing, to a coin neither.
        let firsts = users.flatMap(\.comparisons).count { $0.chosen.text.hasPrefix("first") }
        #expect(abs(Double(firsts) - 3600) < 4 * 7200.0.squareRoot() / 2)
    }

    @Test func passesOverIdenticalAndEmptyResponsesAndKeepsCompleteness() throws {
        var some = pairs(3)
        some[0].second.text = some[0].first.text
        some[1].first.text = ""
        let users = try simulateUsers(pairs: some, groups: [concise(1)], comparisonsPerUser: 1, sharpness: 1, seed: 1)
        #expect(users[0].comparisons[0].prompt == "prompt 2")
        #expect(throws: Failure.self) {
            try simulateUsers(pairs: some, groups: [concise(1)], comparisonsPerUser: 2, sharpness: 1, seed: 1)
        }
        let comparison = users[0].comparisons[0]
        let complete = [
            comparison.chosen.text: comparison.chosen.isComplete,
            comparison.rejected.text: comparison.rejected.isComplete,
        ]
        #expect(complete == ["first 2": some[2].first.isComplete, "second 2": some[2].second.isComplete])
    }

    @Test func equalUtilitiesAreACoin() throws {
        let users = try simulateUsers(
            pairs: pairs(2000),
            groups: [positive(1)],
            comparisonsPerUser: 2000,
            sharpness: 9,
            seed: 2
        )
        let firsts = users[0].comparisons.filter { $0.chosen.text.hasPrefix("first") }.count
        #expect(abs(firsts - 1000) < 100)
    }
}
