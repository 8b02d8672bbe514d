import Failures
import StrictJSON
import Testing

@testable import Reporting

struct HTMLReportTests {
    @Test func holdsTheFigures() throws {
        let page = try htmlReport(finishedRun())
        for text in [
            "75.0 (70.0–80.0)", "<td class=\"n\">3.2</td>", "<td class=\"n\">20.5</td>", "256 held-out", "100.0 %",
            "2 min 00 s", "71.0 (66.0–76.0)", "Diagnosis: more than one reward.", "0.085 ± 0.045", "Llama &lt;CPU&gt;",
        ] {
            #expect(page.contains(text), "\(text) is missing")
        }
    }

    /// Every chart is there once: two judges' bars and the frontier, likelihood, users, correlations, EM, users by
    /// iteration, six figures of a reward fit, utilities and weights of maxmin, utilities of single, four figures of
    /// both.
    @Test func drawsEveryChart() throws {
        let page = try htmlReport(finishedRun())
        let titles = page.split(separator: "<figcaption><strong>").dropFirst().map { $0.prefix { $0 != "<" } }
        #expect(
            titles == [
                "Win rate by taste.", "Win rate by reward.", "What the worst-off group gets, at what divergence.",
                "How many groups?",
                "Who is in which group?", "Do the groups want the same?", "EM, iteration by iteration.",
                "Who was in group-1 (concise), and when?", "Validation loss: final-of-2.", "Accuracy: final-of-2.",
                "Margin: final-of-2.", "Training loss: final-of-2.", "Gradient: final-of-2.",
                "Learning rate: final-of-2.", "Utilities under maxmin.", "Utilities under single.",
                "Weights under maxmin.", "Divergence.",
                "Lengths.",
                "Entropy.", "Gradient.", "Loss of the reference.", "Learning rate of the reference.",
            ]
        )
        #expect(!page.contains("NaN") && !page.contains("nan\"") && !page.contains("inf"))
    }

    /// A group has one color, whatever the order in which a judge names the groups.
    @Test func groupsKeepTheirColor() throws {
        let page = try htmlReport(finishedRun())
        let bars = page.split(separator: "<title>").filter { $0.hasPrefix("maxmin, ") }
        let colors = bars.map { bar in (bar.prefix { $0 != ":" }, bar.contains("bar s0")) }
        #expect(colors.count == 4)
        #expect(colors.allSatisfy { $0.1 == $0.0.hasSuffix("positive") }, "\(bars)")
    }

    @Test func saysWhyThereIsNoDiagnosis() throws {
        var run = finishedRun()
        (run.diagnosis, run.undiagnosed) = (nil, "an earlier build <wrote> it")
        #expect(try htmlReport(run).contains("has no diagnosis: an earlier build &lt;wrote&gt; it."))
    }

    /// Shades are the responsibilities of the group, row by row; a run of an earlier build has no such record.
    @Test func usersMoveThroughIterations() throws {
        var run = finishedRun()
        let page = try htmlReport(run)
        for text in ["&lt;u1&gt;, start: 0.0 %", "u2, iteration 1: 75.0 %", "&lt;u1&gt;, iteration 1: 10.0 %"] {
            #expect(page.contains(text), "\(text) is missing")
        }
        run.responsibilities = nil
        #expect(try !htmlReport(run).contains("and when?"))
        run.responsibilities = try JSONFields(["users": ["a"], "iterations": [[[1.0], [0.5]]]], at: "r.json")
        #expect(throws: Failure.self) { try htmlReport(run) }
    }

    @Test func needsNothingFromElsewhere() throws {
        let page = try htmlReport(finishedRun())
        for text in ["<script", "http", "@import", "url(", "<link", "src="] { #expect(!page.contains(text)) }
    }

    @Test func textNeverBecomesMarkup() throws {
        let page = try htmlReport(finishedRun())
        #expect(!page.contains("<script>"))
        #expect(page.contains("<p>&quot;film&quot;&lt;/p&gt;&lt;script&gt;</p>"))
        #expect(page.contains("<h3 class=\"prompt\">A &lt;b&gt; &amp; </h3>"))
        #expect(page.contains("<h1>a &lt; b</h1>"))
        #expect(page.contains("Warning:</strong> group-1 &lt;is&gt; untrained."))
    }

    /// A mark or a sign that joins a letter of markup makes another Character of it, and the same markup to a browser.
    @Test(arguments: [
        "<script>\u{301}", "\u{600}<script>", "<\u{301}script>", "\"\u{301}", "\u{200D}&amp", "\u{1B}[31m\u{202E}",
    ])
    func nothingHidesMarkup(text: String) throws {
        let page = try htmlReport(finishedRun(name: "NAME\(text)NAME"))
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

    /// The strip below the utilities: group-0 is worst at steps 1 and 2, group-1 at step 3.
    @Test func marksTheWorstOffGroup() throws {
        let page = try htmlReport(finishedRun())
        let chart = try #require(page.split(separator: "Utilities under maxmin.").dropFirst(2).first)
        let strip = chart.split(separator: "<rect class=\"fill ").dropFirst().prefix(2).map { $0.prefix(2) }
        #expect(strip == ["s0", "s1"])
    }

    /// With intervals of its own, paired with the baseline's; a file of before has none, and no such table.
    @Test func comparesTheWorstOffGroupWithTheBaselines() throws {
        var run = finishedRun()
        let page = try htmlReport(run)
        #expect(page.contains("less maxmin's, points"))
        #expect(page.contains("-45.0 (-50.0 to -40.0)"))
        var old = try #require(run.evaluation).object
        old["baseline"] = nil
        run.evaluation = try JSONFields(.object(old), at: "evaluation.json")
        #expect(try !htmlReport(run).contains("The worst-off group</h3>"))
    }

    @Test func saysWhichStagesAreMissing() throws {
        var run = finishedRun()
        run.evaluation = nil
        var page = try htmlReport(run)
        #expect(page.contains("did not do the stage <code>evaluate</code>"))
        #expect(page.split(separator: "Left out: the run has no stage <code>evaluate</code>").count == 3)
        run.diagnosis = nil
        run.metrics = MetricsTable()
        page = try htmlReport(run)
        for stage in ["sft", "reward", "policy"] {
            #expect(page.contains("Left out: the run has no stage <code>\(stage)</code>"), "\(stage)")
        }
        #expect(!page.contains("<figure>"))
    }

    @Test func saysWhereMaxMinDidNotHelp() throws {
        #expect(try htmlReport(finishedRun()).contains("So MaxMin helped the worst-off group"))
        #expect(try htmlReport(finishedRun(single: 0.9)).contains("So MaxMin did not help the worst-off group"))
        #expect(try htmlReport(finishedRun(single: 0.62)).contains("This run does not show that MaxMin helped"))
        #expect(
            try htmlReport(finishedRun()).contains(
                "(single less maxmin: -45.0 (-50.0 to -40.0) points, on the same prompts)"
            )
        )
    }

    /// A divergence that is small but there is not shown as none.
    @Test func smallDivergencesAreShown() {
        #expect([0, 0.0009, 0.094, 0.5, 3.25].map(shownNats) == ["0.0", "0.001", "0.094", "0.5", "3.2"])
    }

    /// Groups that choices do not tell apart are not called found, and known ones not placed.
    @Test func saysHowGroupsCameAbout() throws {
        var run = finishedRun()
        #expect(try htmlReport(run).contains("The 2 users form 2 groups"))
        func change(_ change: (inout JSONObject) -> Void) throws {
            var object = try #require(run.diagnosis).fields.object
            change(&object)
            run.diagnosis?.fields = try JSONFields(.object(object), at: "diagnosis.json")
        }
        try change { $0["groups_known"] = true }
        let known = try htmlReport(run)
        #expect(known.contains("The 2 users are of 2 groups") && known.contains("The data say who is in which."))
        #expect(known.contains("Training is given them.") && known.contains("by choices alone"))
        try change { ($0["groups_known"], $0["told_apart"]) = (false, false) }
        #expect(try htmlReport(run).contains("were put into 2 groups, which choices do not tell apart: group-0"))
    }

    /// Numbers along an axis that would touch are left out; all marks stay.
    @Test func numbersOfAnAxisDoNotTouch() {
        let axis = Axis([0, 0.00005], ticks: 10)
        let drawing = Frame(x: axis, y: Axis([0, 1])).grid("x", "y")
        #expect(drawing.split(separator: "class=\"axis\"").count - 1 == axis.ticks.count + 1)
        let numbers = drawing.split(separator: "text-anchor=\"middle\">0.0000").count - 1
        #expect(numbers > 1 && numbers < axis.ticks.count)
    }

    @Test func namesWhatIsMissing() throws {
        var run = finishedRun()
        run.evaluation = try JSONFields(["prompts": 1], at: "evaluation.json")
        let error = #expect(throws: Failure.self) { try htmlReport(run) }
        #expect(
            error?.description.contains("evaluation.json") == true && error?.description.contains("policies") == true
        )
    }

    @Test func runsStandSideBySide() throws {
        var (first, second) = (finishedRun(), finishedRun(single: 0.9))
        (first.directory, second.directory) = ("runs/one", "runs/two")
        (first.keys, second.keys) = (["run.seed": "1", "shards": "8"], ["run.seed": "<2>", "shards": "8"])
        let page = try comparisonPage([first, second])
        // Both have one name, so their directories tell them apart.
        #expect(page.contains("<th>run.seed</th><td class=\"n\">1</td><td>&lt;2&gt;</td>"))
        #expect(page.contains("<th>one: single</th>") && page.contains("<th>two: single</th>"))
        #expect(!page.contains("<th>shards</th>") && !page.contains("<script"))
        second.evaluation = nil
        second.diagnosis = nil
        second.mixture = nil
        second.metrics = MetricsTable()
        #expect(try comparisonPage([first, second]).contains("<th>two</th><td class=\"n\">–</td>"))
    }
}
