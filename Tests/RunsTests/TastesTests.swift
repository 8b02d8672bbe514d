import Failures
import Foundation
import Preferences
import Simulation
import StrictJSON
import TestSupport
import Testing
import Text

@testable import Runs

@Suite struct TastesTests {
    static let pairs = (0..<40).map { index in
        ResponsePair(
            prompt: "The film was",
            first: response(index % 3 == 0 ? " superb." : " so I saw it.", tokens: 3 + index % 5),
            second: response(index % 4 == 0 ? " awful." : " dull in Rome.", tokens: 4)
        )
    }

    private static func response(_ text: String, tokens: Int) -> SampledResponse {
        SampledResponse(text: text, tokens: tokens, isComplete: true)
    }

    /// One mix and one taste without a scale.
    static func groups(weight: Double = -0.3) -> [SimulatedGroup] {
        [
            SimulatedGroup(
                name: "mixed",
                users: 2,
                taste: .mix([.init(.sentiment, weight: 0.1), .init(.length, weight: weight)])
            ),
            SimulatedGroup(name: "concise", users: 1, taste: .length),
        ]
    }
    static let names = [["sentiment", "length"], []]

    private func measured() throws -> [SimulatedGroup] {
        var groups = Self.groups()
        groups[0].taste = try groups[0].taste.standardized(over: Self.pairs, at: "")
        return groups
    }

    private func written(_ groups: [SimulatedGroup]) throws -> [UInt8] {
        let outlook = TasteOutlook(groups: groups, pairs: Self.pairs)
        return Array(TastesFile(groups: groups, names: Self.names).json(with: outlook).encoded(pretty: true).utf8)
    }

    /// The judge's taste is the one that chose, to the bit.
    @Test func aTasteReadBackIsTheOneThatChose() throws {
        let measured = try measured()
        let value = try JSONValue(parsing: written(measured), at: "tastes.json")
        let file = try TastesFile(JSONFields(value, at: "tastes.json"))
        #expect(file == TastesFile(groups: measured, names: Self.names))
        let again = try file.scaled(Self.groups()[0], names: Self.names[0], at: "tastes.json")
        for text in ["superb in Rome", "I was awful", ""] {
            let expected = measured[0].taste.utility(prompt: "p", response: text, tokens: 7)
            #expect(again.utility(prompt: "p", response: text, tokens: 7) == expected)
            #expect(Self.groups()[0].taste.utility(prompt: "p", response: text, tokens: 7) != expected)
        }
        #expect(value.object?["correlations"]?.array?.count == 2)
        #expect(value.object?["predictions"]?.object?["only-concise"]?.array?[1].number == 1)
    }

    @Test func anotherMixIsRefused() throws {
        let value = try JSONValue(parsing: written(measured()), at: "tastes.json")
        let file = try TastesFile(JSONFields(value, at: "tastes.json"))
        for (group, names) in [
            (Self.groups(weight: -0.4)[0], Self.names[0]), (Self.groups()[0], ["sentiment", "voice"]),
        ] {
            #expect {
                try file.scaled(group, names: names, at: "tastes.json")
            } throws: {
                ($0 as? Failure)?.code == .badData && "\($0)".contains("do the stage simulate again")
            }
        }
    }

    @Test(arguments: [
        ("\"mixes\"", "\"mixed\"", "mixes"), ("\"deviation\": ", "\"deviation\": -", "deviation"),
        ("\"mean\": ", "\"mean\": \"1\", \"was\": ", "mean"), ("\"weight\"", "\"weights\"", "weight"),
    ])
    func aDamagedFileIsRefused(text: String, replacement: String, key: String) throws {
        let content = String(decoding: try written(measured()), as: UTF8.self)
        let damaged = content.replacingOccurrences(of: text, with: replacement)
        #expect(damaged != content)
        #expect {
            let value = try JSONValue(parsing: Array(damaged.utf8), at: "tastes.json")
            _ = try TastesFile(JSONFields(value, at: "tastes.json"))
        } throws: {
            ($0 as? Failure)?.code == .badData && "\($0)".contains(key)
        }
    }

    /// For two groups the weights of MaxMin are ½, ½: it is the mean.
    @Test func theOutlookSaysWhatFollows() {
        let names = ["a", "b", "c"]
        func outlook(_ correlations: [[Double]], users: [Int] = [6, 6, 6]) -> TasteOutlook {
            TasteOutlook(
                names: Array(names.prefix(correlations.count)),
                users: Array(users.prefix(correlations.count)),
                pairs: 9,
                correlations: correlations
            )
        }
        #expect(outlook([[1, -0.5], [-0.5, 1]]).conclusion == "the mean of the groups serves everyone")
        #expect(outlook([[1, -1], [-1, 1]], users: [2, 2]).conclusion == "no policy improves all groups")
        #expect(outlook([[1, 0.9], [0.9, 1]]).conclusion == "one reward is enough")
        let opposed = outlook([[1, 0.8, -0.65], [0.8, 1, -0.65], [-0.65, -0.65, 1]])
        #expect(opposed.conclusion == "the mean of the groups leaves c behind, MaxMin does not")
        // Against a group of two, the shortest vector of the hull has weights (t/2, t/2, 1 − t), t = 1.65/3.2.
        let (pair, third) = (1.65 / 3.2, 1.55 / 3.2)
        let squares = pair * pair * 0.9 + third * third - 2 * pair * third * 0.65
        #expect(opposed.predictions[0].gains.allSatisfy { abs($0 - squares.squareRoot()) < 1e-6 })
        #expect(abs(opposed.predictions[1].gains[2] + 0.3 / (2 * 1.15 - 0.3).squareRoot()) < 1e-6)
        #expect(opposed.predictions.map(\.objective).last == "only-c")
        #expect(opposed.predictions[3].gains == opposed.predictions[2].gains)
    }

    @Test func theOutlookFitsEightyColumns() {
        let names = (0..<16).map { String(repeating: "long", count: 20) + "\($0)" }
        let correlations = names.indices.map { i in names.indices.map { i == $0 ? 1 : -0.05 } }
        let outlook = TasteOutlook(names: names, users: names.map { _ in 1 }, pairs: 10, correlations: correlations)
        let lines = outlook.text.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 }, "\(outlook.text)")
        #expect(lines.count > 3 * 16)
        let three = TasteOutlook(
            names: ["likes short words", "likes plain words", "against both, and long to tell of"],
            users: [1, 1, 1],
            pairs: 10,
            correlations: [[1, 0.8, -0.65], [0.8, 1, -0.65], [-0.65, -0.65, 1]]
        )
        #expect(three.conclusion.count > 80)
        #expect(three.text.split(separator: "\n").allSatisfy { $0.count <= 80 }, "\(three.text)")
        #expect(three.text.replacing("\n", with: " ").hasSuffix(three.conclusion))
    }

    @Test(arguments: [
        ("taste: mix", "components: names none"), ("taste: mix, components: []", "components: names none"),
        ("taste: voice, components: [{ taste: length, weight: 1 }]", "are for the taste mix, not for voice"),
        ("taste: mix, components: [{ taste: length, weight: 0 }]", "all weights are 0"),
        ("taste: mix, components: [{ taste: length }]", "components[0].weight: is missing"),
        ("taste: mix, components: [{ taste: length, weight: .inf }]", "components[0].weight: needs number"),
        ("taste: mix, components: [{ taste: length, weight: 1e400 }]", "components[0].weight: needs number"),
        ("taste: mix, components: [{ taste: mix, weight: 1 }]", "components[0].taste: is a mix in a mix"),
        ("taste: mix, components: [{ taste: lenth, weight: 1 }]", "did you mean length?"),
        ("taste: mix, components: [{ taste: length, wait: 1, weight: 1 }]", "unknown key"),
        ("taste: sentimant", "did you mean sentiment?"), ("taste: words", "words: names none"),
        ("taste: words, words: [two words]", "is not one word"), ("taste: words, words: [\"\"]", "words: needs"),
        ("taste: length, words: [plot]", "are for the taste words, not for length"),
        ("taste: length, lapse: 1.5", "lapse: needs number"), ("taste: length, sharpness: 0", "sharpness: needs"),
    ])
    func wrongUseIsNamed(keys: String, message: String) {
        let yaml = "simulate: { groups: [{ name: a, users: 1, \(keys) }] }"
        let found = problems(yaml)
        #expect(found.contains { $0.contains(message) && $0.contains("simulate.groups[0]") }, "\(found)")
    }

    @Test func componentsAreReadAndWrittenBack() throws {
        let yaml = """
            simulate: { groups: [{ name: a, users: 1, taste: mix, lapse: 0.1, sharpness: 2, components: [
              { taste: words, words: [plot, it's], weight: -0.5 }, { taste: ./x, weight: 1, strongest: 3 },
              { taste: y.json, weight: 1 }] }] }
            """
        let configuration = try Configuration(yaml: yaml, file: "run.yaml")
        let group = configuration.simulate.groups[0]
        #expect(group.lapse == 0.1 && group.sharpness == 2)
        #expect(group.components.map(\.weight) == [-0.5, 1, 1])
        #expect(group.components[0].liking.words == ["plot", "it's"] && group.components[1].liking.strongest == 3)
        #expect(configuration.simulate.scorerFiles == ["y.json"])
        let again = try Configuration(yaml: configuration.effectiveYAML, file: "run.yaml")
        #expect(again.simulate == configuration.simulate)
        let other = try Configuration(
            yaml: yaml,
            file: "run.yaml",
            overrides: ["simulate.groups.0.components.1.weight=2"]
        )
        #expect(other.simulate.groups[0].components[1].weight == 2)
    }

    /// The head of the file states what theory predicts for attributes that are independent.
    @Test func theThreeGroupsPartTheMeanFromMaxMin() throws {
        let path = packageRoot.appendingPathComponent("launch/runs/three-groups.yaml").path
        let configuration = try Configuration(yaml: String(contentsOfFile: path, encoding: .utf8), file: path)
        let mixes = configuration.simulate.groups.map { group in
            Dictionary(uniqueKeysWithValues: group.components.map { ($0.liking.taste, $0.weight) })
        }
        func product(_ a: [String: Double], _ b: [String: Double]) -> Double {
            a.reduce(0) { $0 + $1.value * (b[$1.key] ?? 0) }
        }
        let correlations = mixes.map { a in
            mixes.map { product(a, $0) / (product(a, a) * product($0, $0)).squareRoot() }
        }
        #expect(abs(correlations[0][1] - 0.8) < 0.02)
        #expect((-0.7 ... -0.6).contains(correlations[0][2]) && (-0.7 ... -0.6).contains(correlations[1][2]))
        let outlook = TasteOutlook(
            names: configuration.simulate.groups.map(\.name),
            users: configuration.simulate.groups.map(\.users),
            pairs: 1,
            correlations: correlations
        )
        #expect(outlook.conclusion == "the mean of the groups leaves critical behind, MaxMin does not")
        #expect((outlook.predictions[0].gains.min() ?? 0) > 0.35)
        #expect(outlook.predictions[1].gains[2] < -0.15)
    }
}
