import Testing

@testable import StrictYAML

@Suite struct YAMLReaderTests {
    /// What is wrong with a text, one line each; empty where it is right.
    private func problems(_ text: String) -> [String] {
        do {
            _ = try readYAML(text, file: "run.yaml")
            return []
        } catch {
            return error.problems.map(\.description)
        }
    }

    @Test(arguments: [
        ("a: &x 1\nb: *x", "run.yaml:1: anchors"),
        ("a: 1\nb: [1, *x]", "run.yaml:2: aliases"),
        ("a: 1\n\n*x : 2", "run.yaml:3: aliases"),
        ("a: !!int 1", "run.yaml:1: tags"),
        ("a: {b: !foo x}", "run.yaml:1: tags"),
        ("a: |\n  text", "run.yaml:1: block text"),
        ("a: ! x", "run.yaml:1: tags"),
        ("a: [x, *y : 1]", "run.yaml:1: aliases"),
        ("? [a]\n: b", "run.yaml:1: a key must be a plain word"),
        ("%YAML 1.2\n---\na: 1", "run.yaml:1: YAML directives"),
        ("a: 1\n<<: {b: 2}", "run.yaml:2: merge keys"),
        ("a: 1\n---\na: 2", "run.yaml:2: not valid YAML: but found another document"),
        ("a: 1\nb: 2\na: 3", "run.yaml:1: key \"a\" is given twice"),
        ("a:\n\tb: 1", "run.yaml:2: not valid YAML: found character that cannot start any token"),
        ("a: [1, 2", "run.yaml:2: not valid YAML"),
        ("a: \"open", "run.yaml:1: not valid YAML"),
        ("{[1]: 2}", "run.yaml:1: a key must be a plain word"),
        (String(repeating: "[", count: 100_000), "run.yaml:1: nested too deeply"),
        (String(repeating: "- ", count: 100_000), "run.yaml:1: nested too deeply"),
        (String(repeating: "x", count: 2_000_000), "run.yaml: larger than 1 MiB"),
    ])
    func unsupportedSyntaxIsRefused(text: String, start: String) {
        let found = problems(text)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix(start) == true, "\(found)")
    }

    /// What looks like the beginning of a quoted text to whoever reads characters, and is none to the parser, hides
    /// nothing.
    @Test(arguments: ["x: {a:\"b}\n", "x: {a:'b}\n", "x: a\"b\n", "x: [a']\n"])
    func syntaxIsRefusedBehindWhatLooksLikeText(cover: String) {
        let bomb = (1...40).map { "k\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        for (hidden, word) in [("c: &x 1", "anchors"), ("c: !!int 1", "tags"), ("c: *x", "aliases"), (bomb, "anchors")]
        {
            let found = problems(cover + hidden)
            #expect(found.count == 1 && found[0].contains(": \(word) ("), "\(found)")
        }
    }

    @Test func blocksNestedTooDeeplyAreRefused() {
        let text = (0..<600).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(problems(text).first?.contains("nested too deeply") == true)
    }

    /// Keys that Swift holds for equal are two, as bytes are.
    @Test func keysAreComparedByBytes() {
        #expect(throws: Never.self) { try readYAML("\u{E9}: 1\ne\u{301}: 2", file: "run.yaml") }
    }

    @Test(arguments: [
        "name: R&D * 2! | 3 > 2 ? %", "name: it's", "name: 'a''b & *c'", "name: \"&a \\\" *b\"", "name: a#b # &c *d",
        "\u{FEFF}name: a", "name: a\r\n", "# only a comment &x", "name: [\"*\"]", "name: \"two\n  lines &x\"",
        "name: ''",
    ])
    func indicatorsInsideTextAreText(text: String) throws(ConfigurationError) {
        _ = try readYAML(text, file: "run.yaml")
    }

    /// Whatever the bytes, the reader returns or throws: mutations of a real file, and random syntax.
    @Test func noTextTraps() {
        let seed =
            "run: { name: 'a''b', stages: [reward] }\nsimulate:\n  groups:\n  - { name: \"x\\n\", users: 1 }\n# end\n"
        let alphabet = Array("{}[],:-?&*!|>'\"%@`# \n\t\\ax1~<.\r\u{0}é".unicodeScalars)
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        for round in 0..<3_000 {
            var scalars = round.isMultiple(of: 2) ? Array(seed.unicodeScalars) : []
            for _ in 0..<(1 + next(12)) {
                let at = next(scalars.count + 1)
                if next(4) == 0, at < scalars.count {
                    scalars.remove(at: at)
                } else {
                    scalars.insert(alphabet[next(alphabet.count)], at: at)
                }
            }
            var text = ""
            text.unicodeScalars.append(contentsOf: scalars)
            _ = problems(text)
        }
    }

    @Test func editDistances() {
        #expect(editDistance(Array("kitten".utf8), Array("sitting".utf8)) == 3)
        #expect(editDistance([], Array("abc".utf8)) == 3)
        #expect(nearestName(to: "learningrate", among: ["beta", "learning_rate"]) == "learning_rate")
        #expect(nearestName(to: "zzzzzz", among: ["beta", "learning_rate"]) == nil)
    }
}
