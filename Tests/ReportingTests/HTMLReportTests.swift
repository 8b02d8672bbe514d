import Failures
import Reporting
import StrictJSON
import Testing

struct HTMLReportTests {
    private static let evaluation: JSONValue = [
        "prompts": 256,
        "policies": [
            "maxmin": [
                "win_rate": ["positive": ["mean": 0.75, "low": 0.7, "high": 0.8]],
                "win_rate_against_single": [:], "kl": 3.25, "mean_tokens": 20.5,
                "samples": [["prompt": "A <b> & ", "response": "\"film\"</td><script>"]],
            ]
        ],
        "rewards": ["group-0": ["accuracy": ["positive": 0.7125]]],
        "assignment_agreement": 1.0, "warnings": ["group-1 <is> untrained"],
    ]

    private static func page(_ evaluation: JSONValue, curves: [UtilityCurves] = []) throws -> String {
        try htmlReport(
            name: "a < b",
            evaluation: JSONFields(evaluation, at: "evaluation.json"),
            curves: curves,
            configuration: "run: { name: a }"
        )
    }

    @Test func holdsTheFigures() throws {
        let page = try Self.page(Self.evaluation)
        for text in ["75.0 (70.0–80.0)", "<td>3.2</td>", "<td>20.5</td>", "<td>71.2</td>", "256 held-out", "100.0 %"] {
            #expect(page.contains(text), "\(text) is missing")
        }
    }

    @Test func textNeverBecomesMarkup() throws {
        let page = try Self.page(Self.evaluation)
        #expect(!page.contains("<script>"))
        #expect(page.contains("A &lt;b&gt; &amp; </i>&quot;film&quot;&lt;/td&gt;&lt;script&gt;"))
        #expect(page.contains("<h1>a &lt; b</h1>"))
        #expect(page.contains("Warning:</strong> group-1 &lt;is&gt; untrained."))
    }

    /// A mark or a sign that joins a letter of markup makes another Character of it, and the same markup to a browser.
    @Test(arguments: [
        "<script>\u{301}", "\u{600}<script>", "<\u{301}script>", "\"\u{301}", "\u{200D}&amp", "\u{1B}[31m\u{202E}",
    ])
    func nothingHidesMarkup(text: String) throws {
        let page = try htmlReport(
            name: "NAME\(text)NAME",
            evaluation: JSONFields(Self.evaluation, at: "evaluation.json"),
            curves: [],
            configuration: "run: { name: a }"
        )
        let bytes = Array(page.utf8)
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: "<h1>NAME".utf8) })
        let heading = bytes[(start + 8)...].prefix { $0 != UInt8(ascii: "N") }
        #expect(
            !heading.contains(UInt8(ascii: "<")) && !heading.contains(UInt8(ascii: "\"")) && !heading.contains(0x1B)
        )
        let ampersands = heading.indices.filter { heading[$0] == UInt8(ascii: "&") }
        #expect(
            ampersands.allSatisfy { at in
                ["&amp;", "&lt;", "&gt;", "&quot;"].contains { heading[at...].starts(with: $0.utf8) }
            }
        )
        #expect(!page.unicodeScalars.contains("\u{202E}"))
    }

    @Test func curvesSkipWhatIsNotFinite() throws {
        let curves = UtilityCurves(title: "maxmin", groups: [("group-0", [0, .nan, 2]), ("group-1", [1, 1, 1])])
        let page = try Self.page(Self.evaluation, curves: [curves])
        // Steps 0 and 2 of three, the lowest and highest value of the drawing.
        #expect(page.contains("points=\"40.0,160.0 600.0,40.0\""))
        #expect(page.contains("points=\"40.0,100.0 320.0,100.0 600.0,100.0\""))
    }

    @Test func namesWhatIsMissing() throws {
        let error = #expect(throws: Failure.self) { try Self.page(["prompts": 1, "policies": [:]]) }
        #expect(error?.description.contains("rewards") == true)
    }
}
