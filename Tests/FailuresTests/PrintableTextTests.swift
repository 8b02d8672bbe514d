import Failures
import StrictYAML
import Testing

@Suite struct PrintableTextTests {
    @Test(arguments: [
        ("plain ä 漢 🙂", "plain ä 漢 🙂"), ("a\u{1B}[31mb", "a\\u{1B}[31mb"),
        ("a\nb\tc\u{0}\u{7F}", "a\\nb\\tc\\0\\u{7F}"),
        ("a\u{85}b\u{9B}31m", "a\\u{0085}b\\u{009B}31m"),
        ("a\u{202E}b\u{2066}c\u{200F}", "a\\u{202E}b\\u{2066}c\\u{200F}"),
        ("a\u{2028}b\u{61C}", "a\\u{2028}b\\u{061C}"), ("\u{1B}\u{301}", "\\u{1B}\u{301}"),
    ])
    func controlsAreEscaped(text: String, expected: String) {
        #expect(printable(text).utf8.elementsEqual(expected.utf8))
    }

    /// Every scalar that acts rather than shows, and no other.
    @Test func noControlRemains() {
        let all = (0..<0x3000 as Range<UInt32>).compactMap(Unicode.Scalar.init)
        let shown = printable(String(String.UnicodeScalarView(all)), limit: .max)
        let forbidden: [ClosedRange<UInt32>] = [
            0...0x1F, 0x7F...0x9F, 0x200E...0x200F, 0x2028...0x202E, 0x2066...0x2069,
        ]
        #expect(!shown.unicodeScalars.contains { scalar in forbidden.contains { $0.contains(scalar.value) } })
        #expect(shown.unicodeScalars.contains("\u{A0}") && shown.unicodeScalars.contains("\u{300}"))
    }

    @Test func linesStayWhereTheyAreMeant() {
        #expect(printable("a\nb\r", keepsLines: true) == "a\nb\\r")
    }

    @Test(arguments: ["x", "\u{1B}", "漢"])
    func longTextIsCut(unit: String) {
        let shown = printable(String(repeating: unit, count: 100_000))
        #expect(shown.utf8.count <= 4096 && shown.utf8.count > 4000 && shown.hasSuffix("…"))
        #expect(printable(String(repeating: "x", count: 4096)).hasSuffix("…"))
        #expect(!printable(String(repeating: "x", count: 4093)).hasSuffix("…"))
    }

    @Test func failuresAreOneLineOfAtMostFourKibibytes() {
        let long = String(repeating: "\u{202E}\n", count: 1 << 20)
        let shown = Failure(.badData, long, at: long).description
        #expect(shown.utf8.count <= 4096)
        #expect(shown.contains(": ") && !shown.unicodeScalars.contains(where: isControl))
    }
}
