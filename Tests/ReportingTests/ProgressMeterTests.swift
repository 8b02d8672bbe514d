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
        meter.advance(by: 50, note: "loss 0.61")
        #expect(
            stage.writes == [
                "\r\u{1B}[Kreward fit [--------------------] 0 of 200 steps",
                "\r\u{1B}[Kreward fit [#####---------------] 50 of 200 steps, 5.00 steps/s, 30 s left, loss 0.61",
            ]
        )
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
        stage.meter(.bar).begin("a task with a long name", total: 10)
        #expect(stage.writes.map { $0.dropFirst("\r\u{1B}[K".count).count } == [29])
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
                clear + "score [--------------------] 0 of 2 steps", clear, "group 1 is empty\n", "again\n",
                clear + "score [####################] 2 of 2 steps, 2.00 s each, 0.0 s left", clear,
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
