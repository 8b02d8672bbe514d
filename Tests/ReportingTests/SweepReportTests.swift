import StrictJSON
import Testing

@testable import Reporting

@Suite struct SweepReportTests {
    /// Runs of two values of beta with two seeds each, of which the last failed.
    private func report(label: String = "") -> SweepReport {
        let runs = (0..<4).map { index -> SweptRun in
            let series = "beta=\(index / 2)\(label)"
            var run = SweptRun(
                index: index + 1,
                name: "\(series),seed=\(index % 2)",
                series: series,
                values: [("policy.beta", "\(index / 2)"), ("run.seed", "\(index % 2)")],
                state: index == 3 ? "failed" : "done"
            )
            if index < 3 {
                run.record = finishedRun(name: run.name, single: index == 0 ? 0.2 : 0.3)
            } else {
                run.exitCode = 70
                run.message = "the <loss>"
            }
            return run
        }
        return SweepReport(file: "s.yaml", base: "b.yaml", directory: "runs/s", runs: runs)
    }

    @Test func theFileHasEveryRunsFiguresAndTheirMeanAndRange() throws {
        let fields = try JSONFields(report().json(), at: "sweep.json")
        let runs = try fields.fieldsList("runs")
        #expect(try runs.map { try $0.string("state") } == ["done", "done", "done", "failed"])
        #expect(try runs[3].int("exit_code") == 70 && runs[3].string("message") == "the <loss>")
        #expect(try runs[3].fields("policies").object.count == 0)
        #expect(try runs[1].fields("values").string("run.seed") == "1")
        let judged = try runs[0].fields("policies").fields("single").fields("by_judge").fields("taste")
        #expect(try judged.string("worst_group") == "concise")
        #expect(try judged.fields("worst_win_rate").double("mean") == 0.2)
        #expect(try judged.fields("worst_less_baseline").double("low") == 0.2 - 0.65 - 0.05)
        #expect(try judged.fields("win_rate").double("positive") == 0.95)
        let series = try fields.fieldsList("summary")
        #expect(try series.map { try $0.string("name") } == ["beta=0", "beta=1"])
        #expect(try series.map { try $0.int("evaluated") } == [2, 1])
        let single = try series[0].fields("policies").fields("single").fields("by_judge").fields("taste")
        let difference = try single.fields("worst_less_baseline")
        #expect(try difference.double("low") == 0.2 - 0.65 && difference.double("high") == 0.3 - 0.65)
        #expect(try difference.int("below_zero") == 2 && difference.int("above_zero") == 0)
        let intervals = try single.fields("worst_win_rate_intervals")
        #expect(try intervals.double("low") == 0.2 - 0.05 && intervals.double("high") == 0.3 + 0.05)
        #expect(
            try series[0].fields("policies").fields("maxmin").fields("by_judge").fields("taste")
                .optionalFields("worst_less_baseline") == nil
        )
        let worst = try single.fields("worst_win_rate")
        #expect(try worst.double("mean") == 0.25 && worst.double("low") == 0.2 && worst.double("high") == 0.3)
    }

    @Test func theTablesHaveMeanAndRangeInEightyColumns() throws {
        let text = try report().tables()
        #expect(text.contains("3 of 4 runs done\nrun 4, beta=1,seed=1: failed: the <loss>\n"))
        #expect(text.contains("single, win rate % by taste\n"))
        let tables = text.split(separator: "single, win rate % by taste\n").dropFirst()
        func cells(_ row: String) -> [[Substring]] {
            tables.compactMap { table in
                table.split(separator: "\n").first { $0.hasPrefix(row) }.map { line in
                    line.split(separator: "  ").map { $0.drop { $0 == " " } }
                }
            }
        }
        #expect(
            cells("beta=0") == [
                ["beta=0", "95 (95–95)", "25 (20–30)", "25 (20–30)", "15–35", "-40 (-45 to -35)"],
                ["beta=0", "2 below of 2", "3.2 (3.2–3.2)"],
            ]
        )
        #expect(text.contains("less maxmin's"))
        // A range of one run is none.
        #expect(cells("beta=1") == [["beta=1", "95", "30", "30", "25–35", "-35"], ["beta=1", "1 below of 1", "3.2"]])
        #expect(text.split(separator: "\n").allSatisfy { $0.count <= 80 })
    }

    @Test func longNamesBecomeNumbers() throws {
        let label = ",a_long_key_indeed=" + String(repeating: "7", count: 30)
        let text = try report(label: label).tables()
        #expect(text.contains("series 2: beta=1\(label)\n"))
        let tables = text.split(separator: "\n").drop { !$0.contains("win rate %") }
        #expect(tables.contains { $0.hasPrefix("series 1  ") } && tables.allSatisfy { $0.count <= 80 })
    }

    @Test func thePageHasBothAndNoMarkupOfOthers() throws {
        let page = try report().html()
        #expect(
            page.contains("<h2>Mean and range</h2>") && page.contains("<h2>What differs in the configurations</h2>")
        )
        #expect(
            page.contains("25.0 (20.0–30.0)") && page.contains("the &lt;loss&gt;") && page.contains("failed with 70")
        )
        #expect(!page.contains("<loss>") && !page.contains("<script"))
    }

    @Test func aSweepOfNothingYetSaysSo() throws {
        let run = SweptRun(index: 1, name: "seed=1", series: "all", values: [("run.seed", "1")], state: "new")
        let report = SweepReport(file: "s", base: "b", directory: "d", runs: [run])
        #expect(try report.tables() == "0 of 1 runs done\nrun 1, seed=1: new\n")
        #expect(try report.html().contains("Left out: the run has no stage <code>evaluate</code>"))
    }

    @Test func intervalsThatExcludeZeroAreCountedOnEachSide() {
        func difference(_ means: [Double]) -> String? {
            SweepSeries.Difference(means.map { Interval(mean: $0, low: $0 - 0.1, high: $0 + 0.1) })?.excludingZero
        }
        #expect(difference([]) == nil)
        #expect(difference([0.05, -0.05, 0.1]) == "0 of 3")
        #expect(difference([-0.2, 0.3, -0.11, 0]) == "2 below, 1 above of 4")
    }
}
