import Reporting
import Testing

/// A meter on a clock that tests set by hand, with everything it wrote.
private final class Stage {
    var time = 100.0
    var columns = 200
    private(set) var writes: [String] = []

    func meter(_ style: ProgressStyle) -> ProgressMeter {
        ProgressMeter(style: style, columns: { self.columns }, now: { self.time }, write: { self.writes.append($0) })
    }
}

struct ProgressMeterTests {
    @Test func barsShowRateAndTimeLeft() {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("reward fit", total: 200)
        stage.time += 10
        meter.advance(by: 50, notes: ["loss 0.61"])
        #expect(
            stage.writes == [
                "\r\u{1B}[Kreward fit [--------------------]  0/200  0s",
                "\r\u{1B}[Kreward fit [#####---------------]  50/200  5.00/s  30s left  loss 0.61",
            ]
        )
    }

    /// What is done between two steps stands first, until the next one.
    @Test func betweenStepsANoteStandsFirst() {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("fit 2 of 4, iteration 1", total: 200)
        for act in [{ meter.advance(notes: ["loss 0.61"]) }, { meter.note("E-step 3/8") }, { meter.advance() }] {
            stage.time += 1
            act()
        }
        let ends = stage.writes.map { $0.split(separator: "left  ").last ?? "" }
        #expect(ends[1...2] == ["loss 0.61", "E-step 3/8  loss 0.61"])
        #expect(stage.writes[3].hasSuffix("left"))
    }

    /// Fast steps at first, slow ones since: the bar has the rate of the last minute, the closing line that of all.
    @Test func ratesAreOfTheLastMinute() throws {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("fit", total: 1000)
        for pause in Array(repeating: 0.1, count: 500) + Array(repeating: 2, count: 40) {
            stage.time += pause
            meter.advance()
        }
        #expect(try #require(stage.writes.last).hasSuffix("540/1000  2.00 s each  15m20s left"))
        // One step that takes longer than a minute.
        stage.time += 100
        meter.advance()
        #expect(try #require(stage.writes.last).contains("541/1000  100 s each"))
        meter.end()
        #expect(try #require(stage.writes.last) == "fit: 541 steps in 3 min 50 s, 2.35 steps/s\n")
    }

    @Test func barsAreRedrawnAtMostTenTimesASecond() {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("score", total: 10_000)
        for _ in 0..<10_000 {
            stage.time += 0.001
            meter.advance()
        }
        #expect((90...101).contains(stage.writes.count))
    }

    @Test func barsFitTheTerminal() {
        let stage = Stage()
        stage.columns = 30
        stage.meter(.bar).begin("a task with a long name, and more", total: 10)
        #expect(stage.writes == ["\r\u{1B}[Ka task with a long name, and…"])
    }

    /// The longest name that a run has, at every width: two notes stay as long as there is room for them, each whole.
    @Test(arguments: [40, 60, 80, 100, 160]) func twoNotesFitEightyColumns(columns: Int) throws {
        let stage = Stage()
        stage.columns = columns
        let meter = stage.meter(.bar)
        meter.begin("policy maxmin-uncalibrated", total: 1000)
        stage.time += 4321
        meter.advance(by: 500, notes: ["worst F -0.19", "KL 12.5", "group-1 of F 0.98 -0.19", "25 tokens"])
        let bar = try #require(stage.writes.last).dropFirst("\r\u{1B}[K".count)
        #expect(bar.count < columns)
        switch columns {
        case 40: #expect(bar == "policy maxmin-uncalibrated  500/1000")
        case 60: #expect(bar == "policy maxmin-uncalibrated [####----]  500/1000  1h12m left")
        case 80: #expect(bar == "policy maxmin-uncalibrated [##--]  500/1000  1h12m left  worst F -0.19  KL 12.5")
        case 100: #expect(bar.contains("8.64 s each  1h12m left  worst F -0.19  KL 12.5"))
        default: #expect(bar.hasSuffix("KL 12.5  group-1 of F 0.98 -0.19  25 tokens"))
        }
    }

    /// On a terminal, what is done is one line where it can be; no figure is lost, and no word broken.
    @Test func closingLinesFitTheTerminal() {
        let summary = "log-likelihood -0.3571 a comparison, groups of 20 + 2, 0 changes"
        for (style, columns, end) in [
            (
                ProgressStyle.bar, 80,
                "mixture: 4 steps in 8.0 s, log-likelihood -0.3571 a comparison, groups of 20 +\n2, 0 changes\n"
            ),
            (.bar, 200, "mixture: 4 steps in 8.0 s, 2.00 s each, \(summary)\n"),
            (.lines, 80, "mixture: 4 steps in 8.0 s, 2.00 s each, \(summary)\n"),
        ] {
            let stage = Stage()
            stage.columns = columns
            let meter = stage.meter(style)
            meter.begin("mixture", total: 4)
            stage.time += 8
            meter.advance(by: 4)
            meter.end(summary)
            #expect(stage.writes.last == end)
        }
    }

    @Test func saidLinesReplaceTheBar() {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("score", total: 2)
        meter.say("group 1 is empty")
        meter.say("again")
        stage.time += 4
        meter.advance(by: 2)
        meter.end("done")
        let clear = "\r\u{1B}[K"
        #expect(
            stage.writes == [
                clear + "score [--------------------]  0/2  0s", clear, "group 1 is empty\n", "again\n",
                clear + "score [####################]  2/2  2.00 s each  0s left", clear,
                "score: 2 steps in 4.0 s, 2.00 s each, done\n",
            ]
        )
    }

    @Test func linesComeEveryTenSecondsAndLaterMoreRarely() {
        let stage = Stage()
        let meter = stage.meter(.lines)
        meter.begin("policy", total: 86_400, unit: "steps")
        for _ in 0..<100 {
            stage.time += 1
            meter.advance()
        }
        #expect(stage.writes.count == 10)
        #expect(stage.writes.first == "policy: 10 of 86400 steps, 1.00 steps/s, 23 h 59 min left\n")
        for _ in 0..<86_300 {
            stage.time += 1
            meter.advance()
        }
        #expect((200...500).contains(stage.writes.count))
    }

    @Test func aShortTaskGetsOneLine() {
        let stage = Stage()
        let meter = stage.meter(.lines)
        meter.begin("calibrate", total: 64, unit: "prompts")
        stage.time += 0.5
        meter.advance(by: 64)
        meter.end()
        meter.end()
        #expect(stage.writes == ["calibrate: 64 prompts in 0.5 s, 128 prompts/s\n"])
    }

    /// Before its first step a bar says how long it has been at it.
    @Test func aLongFirstStepIsAlive() throws {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("simulate", total: 368)
        stage.time += 75
        meter.note("sampling 3/736, 5120 tokens")
        #expect(
            try #require(stage.writes.last)
                == "\r\u{1B}[Ksimulate [--------------------]  0/368  1m15s  sampling 3/736, 5120 tokens"
        )
        let log = Stage()
        let lines = log.meter(.lines)
        lines.begin("simulate", total: 368, unit: "pairs")
        log.time += 75
        lines.note("sampling 3/736, 5120 tokens")
        #expect(log.writes == ["simulate: 0 of 368 pairs, 1 min 15 s, sampling 3/736, 5120 tokens\n"])
    }

    /// However soon a step ends after a note, the bar has the step and not the note.
    @Test func aStepReplacesANoteAtOnce() throws {
        let stage = Stage()
        let meter = stage.meter(.bar)
        meter.begin("simulate", total: 368)
        stage.time += 40
        meter.note("sampling 256/256, 5120 tokens")
        meter.advance(by: 128)
        let last = try #require(stage.writes.last)
        #expect(last.contains("128/368") && !last.contains("sampling"))
    }

    /// Prose is broken between words; tables, commands and words longer than the terminal are not.
    @Test func saidLinesBreakBetweenWords() {
        let stage = Stage()
        stage.columns = 20
        let table = "group        win rate\n-----        --------"
        let path = "/a/path/that/is/longer/than/all"
        let meter = stage.meter(.bar)
        meter.say("one two three four five six")
        meter.say("  maxmin run with many words")
        meter.say(table)
        meter.say("see \(path) here")
        #expect(
            stage.writes == [
                "one two three four\nfive six\n", "  maxmin run with many words\n", "\(table)\n",
                "see\n\(path)\nhere\n",
            ]
        )
    }

    @Test func silenceIsSilent() {
        let stage = Stage()
        let meter = stage.meter(.silent)
        meter.begin("score", total: 1)
        stage.time += 100
        meter.advance()
        meter.say("hello")
        meter.end()
        #expect(stage.writes == [])
    }

    @Test func controlsAreShown() {
        let stage = Stage()
        stage.meter(.lines).say("a\u{1B}[2K\u{202E}\r\nb")
        #expect(stage.writes.map { Array($0.utf8) } == [Array("a\\u{1B}[2K\\u{202E}\\r\nb\n".utf8)])
    }
}
