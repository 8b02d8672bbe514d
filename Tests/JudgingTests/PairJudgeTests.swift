import Failures
import Foundation
import Testing

@testable import Judging

@Suite struct PairJudgeTests {
    var endpoint = ChatEndpoint()
    let questions = (0..<4).map {
        PreferenceQuestion(rubric: "brevity", prompt: "Q\($0)", first: "short \($0)", second: "much longer \($0)")
    }

    init() {
        endpoint.url = "http://127.0.0.1:9/v1"
        endpoint.model = "judge"
        endpoint.timeout = 10
        endpoint.concurrency = 2
        endpoint.retries = 3
    }

    func judge(_ cache: AnswerCache = AnswerCache(), key: String? = nil) -> PairJudge {
        PairJudge(endpoint, key: key, cache: cache)
    }

    func decide(
        _ transport: FakeTransport,
        _ cache: AnswerCache = AnswerCache(),
        key: String? = nil
    ) throws -> PairDecisions {
        try judge(cache, key: key).decide(questions, over: transport) { _, _ in }
    }

    func failure(_ transport: FakeTransport, key: String? = nil) -> Failure? {
        do {
            _ = try decide(transport, key: key)
            return nil
        } catch { return error as? Failure }
    }

    /// Who finds the short response, wherever it stands.
    func honest(_ body: String) -> HTTPOutcome { completion(body.contains(#"<A>\nshort"#) ? "A" : "B") }

    @Test func aWinCountsWhereBothOrdersAgree() throws {
        let honest = try decide(FakeTransport { _, body in (self.honest(body), 1) })
        #expect(honest.wins == [1, 1, 1, 1] && honest.contradicted == 0 && honest.pairs == 4)
        #expect(honest.usage.requests == 8 && honest.usage.promptTokens == 800 && honest.usage.completionTokens == 8)
        // Who always takes the first says nothing.
        let biased = try decide(FakeTransport { _, _ in (completion("A"), 1) })
        #expect(biased.wins == [0.5, 0.5, 0.5, 0.5] && biased.contradicted == 4)
        let undecided = try decide(
            FakeTransport { _, body in (body.contains(#"<A>\nshort"#) ? completion("C") : completion("B"), 1) }
        )
        #expect(undecided.wins == [0.5, 0.5, 0.5, 0.5] && undecided.contradicted == 0)
    }

    @Test func equalResponsesAreTiesThatNobodyIsAsked() throws {
        let same = PreferenceQuestion(rubric: "r", prompt: "p", first: "x", second: "x")
        let transport = FakeTransport { _, body in (self.honest(body), 1) }
        let decided = try judge().decide([same, questions[0], questions[0].swapped], over: transport) { _, _ in }
        #expect(decided.wins == [0.5, 1, 0] && decided.pairs == 1)
        #expect(transport.sent.count == 2)
    }

    @Test func noMoreThanConcurrencyAreUnderWay() throws {
        let transport = FakeTransport { _, body in (self.honest(body), 1) }
        _ = try decide(transport)
        #expect(transport.mostUnderWay == 2)
        #expect(transport.sent == [0, 0, 1, 1, 2, 2, 3, 3])
    }

    /// 1 s, 2 s, 4 s, a quarter more or less.
    @Test func failuresAreTriedAgainEverLater() throws {
        var one = self
        one.endpoint.concurrency = 1
        let transport = FakeTransport { request, body in (request < 3 ? refusal(500) : self.honest(body), 0) }
        let decided = try one.judge().decide([questions[0]], over: transport) { _, _ in }
        #expect(decided.wins == [1] && decided.usage.requests == 5 && decided.usage.repeated == 3)
        // The other order is asked while the first waits, and fails too.
        let waits = transport.sent
        #expect(waits[0] == 0 && waits[1] == 0 && (0.75...1.25).contains(waits[2]))
    }

    @Test func retryAfterHoldsAllRequests() throws {
        let transport = FakeTransport { request, body in
            (request == 0 ? refusal(429, retryAfter: "30") : self.honest(body), 0)
        }
        let decided = try decide(transport)
        #expect(decided.wins == [1, 1, 1, 1])
        // The second was under way already.
        #expect(transport.sent.dropFirst(2).allSatisfy { $0 >= 30 })
    }

    @Test func datesAreRead() {
        let now = Date(timeIntervalSince1970: 784_111_777)
        #expect(retrySeconds("Sun, 06 Nov 1994 08:50:37 GMT", at: now) == 60)
        #expect(retrySeconds("Sun, 06 Nov 1994 08:00:37 GMT", at: now) == 0)
        #expect(retrySeconds("7", at: now) == 7)
        for wrong in ["-1", "nan", "inf", "soon", ""] { #expect(retrySeconds(wrong, at: now) == nil) }
    }

    @Test func whatTakesTooLongIsCancelledAndTriedAgain() throws {
        let transport = FakeTransport { request, body in request == 0 ? nil : (self.honest(body), 0) }
        #expect(try decide(transport).wins == [1, 1, 1, 1])
        #expect(transport.cancelled == [1] && transport.now >= 10.75)
    }

    @Test func anEndpointThatNeverAnswersEndsIt() throws {
        var lenient = self
        lenient.endpoint.mostUnanswered = 1
        let failed = lenient.failure(FakeTransport { _, _ in nil })
        #expect(failed?.code == .inputOutput)
        #expect(failed?.message.contains("does not answer after 3 retries (no answer within 10 s)") == true)
    }

    /// Asked twice more, told what to answer; then it counts as a tie, as far as that is allowed.
    @Test func nonsenseIsAskedAgainThenCounted() throws {
        var bodies: [String] = []
        let transport = FakeTransport { _, body in
            bodies.append(body)
            let isHard = body.contains("Q2") && body.contains(#"<A>\nshort"#)
            return (isHard ? completion("I like both") : self.honest(body), 0)
        }
        let failed = failure(transport)
        #expect(failed?.code == .inputOutput)
        #expect(failed?.message.contains("1 of 8 questions have no answer, the last because of: answers") == true)
        #expect(bodies.count { $0.contains("one letter and nothing else: A, B or C.") } == 2)
        var lenient = self
        lenient.endpoint.mostUnanswered = 0.2
        let decided = try lenient.judge().decide(questions, over: transport) { _, _ in }
        #expect(decided.wins == [1, 1, 0.5, 1] && decided.usage.unanswered == 1 && decided.pairs == 3)
        #expect(
            decided.warnings == ["the language model left 1 questions without an answer; these pairs count as ties"]
        )
    }

    @Test func aReplyThatIsNoCompletionIsTriedAgain() throws {
        let broken = [#"{"choices": []}"#, "<html>", #"{"usage": 1}"#, ""]
        let transport = FakeTransport { request, body in
            (
                request < broken.count
                    ? .reply(status: 200, retryAfter: nil, body: Array(broken[request].utf8)) : self.honest(body), 0
            )
        }
        let decided = try decide(transport)
        #expect(decided.wins == [1, 1, 1, 1] && decided.usage.repeated == 4)
    }

    /// No message shows the key, even where the endpoint repeats it.
    @Test func aRefusalEndsItAtOnceAndHidesTheKey() throws {
        let transport = FakeTransport { _, _ in (refusal(401, "wrong key sk-secret"), 0) }
        let failed = failure(transport, key: "sk-secret")
        #expect(failed?.code == .inputOutput && failed?.location == "http://127.0.0.1:9/v1/chat/completions")
        #expect(failed?.message.hasPrefix("HTTP 401: wrong key …") == true)
        #expect(transport.sent.count <= 2)
    }

    @Test func costs() throws {
        var priced = endpoint
        #expect(JudgeUsage(promptTokens: 5).cost(by: priced) == nil)
        priced.promptPrice = 2
        priced.completionPrice = 10
        #expect(JudgeUsage(promptTokens: 1_000_000, completionTokens: 100_000).cost(by: priced) == 3)
    }
}

@Suite struct AnswerCacheTests {
    @Test func whatWasAnsweredIsNotAskedAgain() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "judgments.jsonl").path
        let tests = PairJudgeTests()
        let transport = FakeTransport { _, body in (tests.honest(body), 0) }
        _ = try tests.decide(transport, AnswerCache(path: path))
        #expect(transport.sent.count == 8)
        // Half a line, as of a killed process.
        let file = try #require(FileHandle(forWritingAtPath: path))
        try file.seekToEnd()
        try file.write(contentsOf: Data(#"{"request": "0"#.utf8))
        let again = try tests.decide(transport, AnswerCache(path: path))
        #expect(transport.sent.count == 8)
        #expect(again.wins == [1, 1, 1, 1] && again.usage.cached == 8 && again.usage.requests == 0)
        #expect(tests.judge(try AnswerCache(path: path)).requests(for: tests.questions).isEmpty)
        // Another model is asked anew.
        var other = tests
        other.endpoint.model = "other"
        #expect(other.judge(try AnswerCache(path: path)).requests(for: tests.questions).count == 8)
        // The file has neither prompts nor responses, nor anything of a half line.
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 8 && !text.contains("short") && !text.contains("Q1"))
    }

    @Test func aForeignFileIsRefused() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
        defer { try? FileManager.default.removeItem(atPath: path) }
        for line in ["{}", "x", #"{"request": "a", "answer": "A", "prompt_tokens": -1, "completion_tokens": 0}"#] {
            try (line + "\n").write(toFile: path, atomically: true, encoding: .utf8)
            do {
                _ = try AnswerCache(path: path)
                Issue.record("took \(line)")
            } catch let error as Failure {
                #expect(error.code == .badData && error.message.hasSuffix("then everything is asked again"))
                #expect(error.location?.hasPrefix("\(path):1") == true)
            }
        }
    }
}

@Suite struct VerdictTests {
    @Test(arguments: [
        ("A", "A"), (" b", nil), ("B.", "B"), ("**C**", "C"), ("Answer: A", "A"), ("My answer: B", "B"), ("[[A]]", "A"),
        ("The second is shorter.\n\nB", "B"), ("<think>A or B?\nA</think>\nB", "B"), ("<think>A", nil),
        ("A is better than B", nil), ("A good response", nil), ("B wins", nil), ("", nil),
        ("A\nbecause it is short and clear", nil), ("A B", nil), ("D", nil), ("B\n```", "B"),
    ])
    func answersAreRead(_ answer: String, _ verdict: String?) {
        #expect(Verdict(answer)?.rawValue == verdict)
    }

    @Test func addressesAreChecked() {
        func problem(_ url: String) -> String? {
            var endpoint = ChatEndpoint()
            endpoint.url = url
            return endpoint.problemOfURL
        }
        #expect(problem("https://api.openai.com/v1") == nil && problem("http://[::1]:8000") == nil)
        for wrong in ["", "api.openai.com/v1", "ftp://x", "http://", "http://u:p@host/v1", "http://h/v1?key=1"] {
            #expect(problem(wrong) != nil, "\(wrong)")
        }
        var endpoint = ChatEndpoint()
        endpoint.url = "http://h/v1/"
        #expect(endpoint.completions == "http://h/v1/chat/completions")
        endpoint.url = "http://h/v1/chat/completions"
        #expect(endpoint.completions == "http://h/v1/chat/completions")
    }

    @Test func keysComeFromTheEnvironment() throws {
        var endpoint = ChatEndpoint()
        #expect(try endpoint.key(in: [:]) == nil)
        endpoint.keyVariable = "KEY"
        #expect(try endpoint.key(in: ["KEY": "sk-1"]) == "sk-1")
        for wrong in [[:], ["KEY": ""], ["KEY": "a\r\nX: y"], ["KEY": "a b"]] {
            #expect(throws: Failure.self) { try endpoint.key(in: wrong) }
        }
    }
}
