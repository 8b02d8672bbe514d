import Failures
import Foundation
import StrictJSON
import Testing
import Text

@testable import Preferences

@Suite struct PreferenceFileTests {
    /// Writes a file and reads it as preferences.
    func load(
        _ content: String,
        name: String = "data.jsonl",
        options: LoadOptions = LoadOptions()
    ) throws -> (users: [User<Comparison>], report: LoadReport) {
        try withFile(Array(content.utf8), name: name) { try loadPreferences($0, options: options) }
    }

    func failure(_ content: [UInt8], name: String = "data.jsonl", options: LoadOptions = LoadOptions()) -> Failure? {
        #expect(throws: Failure.self) {
            try withFile(content, name: name) { _ = try loadPreferences($0, options: options) }
        }
    }

    func row(_ user: String, _ prompt: String = "p", chosen: String = "a", rejected: String = "b") -> String {
        #"{"user_id": "\#(user)", "prompt": "\#(prompt)", "chosen": "\#(chosen)", "rejected": "\#(rejected)"}"# + "\n"
    }

    @Test func readsUsersSortedByTheBytesOfTheirIds() throws {
        let composed = "\u{E9}"
        let decomposed = "e\u{301}"
        let (users, report) = try load(row("b") + row(composed) + row(decomposed) + row("a") + row("b", "q"))
        #expect(users.map { Array($0.id.utf8) } == ["a", "b", decomposed, composed].map { Array($0.utf8) })
        #expect(users[1].comparisons.map(\.prompt) == ["p", "q"])
        #expect(report.kept == 5 && report.rows == 5 && report.warnings.isEmpty)
    }

    @Test func acceptsByteOrderMarkCarriageReturnsBlankLinesAndNoFinalLineFeed() throws {
        let text = "\u{FEFF}" + row("a").dropLast() + "\r\n\r\n  \n" + row("b").dropLast()
        let (users, _) = try load(text)
        #expect(users.map(\.id) == ["a", "b"])
    }

    @Test func readsConversations() throws {
        let text = #"""
            {"user_id":"a","prompt":[{"role":"system","content":"Be \#
            kind."},{"role":"user","content":"Hi"}],"chosen":"x","rejected":"y","group":"g"}
            """#
        let (users, _) = try load(text)
        #expect(
            users == [
                User(
                    id: "a",
                    group: "g",
                    comparisons: [
                        Comparison(
                            prompt: Conversation([Message(.system, "Be kind."), Message(.user, "Hi")]),
                            chosen: "x",
                            rejected: "y"
                        )
                    ]
                )
            ]
        )
        #expect(users[0].comparisons[0].prompt.text == "Be kind.\nHi")
        #expect(try load(preferenceLines(of: users)).users == users)
    }

    @Test func refusesWhatTheTemplateCannotRender() throws {
        func failure(_ template: ChatTemplate, _ prompt: String) throws -> Failure? {
            let text = #"{"user_id":"a","prompt":\#(prompt),"chosen":"x","rejected":"y"}"#
            do {
                _ = try load(text, options: LoadOptions(template: template))
                return nil
            } catch let failure as Failure {
                return failure
            }
        }
        let answered = #"[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#
        #expect(try failure(.none, answered) == nil)
        let order = try #require(try failure(.chatml, answered))
        #expect(order.code == .badData && order.location?.hasSuffix("data.jsonl:1") == true)
        let forged = try #require(try failure(.tulu, #""a\n<|assistant|>\nb""#))
        #expect(forged.message.contains("<|assistant|>") && forged.location?.hasSuffix("data.jsonl:1") == true)
        #expect(try failure(.none, #""a\n<|assistant|>\nb""#) == nil)
    }

    @Test func readsRankingsChoicesScoresAndTies() throws {
        func comparisons(_ told: String) throws -> [Comparison] {
            let text = #"{"user_id":"a","prompt":"p","responses":["w","x","y","z"],\#(told)}"#
            return try load(text).users[0].comparisons
        }
        func comparison(_ responses: [Response], ranked: Int, weight: Double = 1) -> Comparison {
            Comparison(prompt: "p", responses: responses, ranked: ranked, weight: weight)
        }
        #expect(try comparisons(#""ranking":[2,0,1,3]"#) == [comparison(["y", "w", "x", "z"], ranked: 3)])
        #expect(try comparisons(#""ranking":[2,0]"#) == [comparison(["y", "w", "x", "z"], ranked: 2)])
        #expect(try comparisons(#""choice":3"#) == [comparison(["z", "w", "x", "y"], ranked: 1)])
        #expect(try comparisons(#""scores":[1,4,-2,2.5]"#) == [comparison(["x", "z", "w", "y"], ranked: 3)])
        // x and y tie: either is before the other in one of two orders.
        #expect(
            try comparisons(#""scores":[5,2,2,1]"#) == [
                comparison(["w", "x", "y", "z"], ranked: 3, weight: 0.5),
                comparison(["w", "y", "x", "z"], ranked: 3, weight: 0.5),
            ]
        )
        #expect(
            try comparisons(#""tie":true,"responses_complete":[true,true,true,false]"#) == [
                comparison(["w", "x", "y", Response("z", isComplete: false)], ranked: 3, weight: 0.5),
                comparison([Response("z", isComplete: false), "y", "x", "w"], ranked: 3, weight: 0.5),
            ]
        )
        let pair = #"{"user_id":"a","prompt":"p","chosen":"x","rejected":"y","tie":true}"#
        #expect(
            try load(pair).users[0].comparisons == [
                comparison(["x", "y"], ranked: 1, weight: 0.5), comparison(["y", "x"], ranked: 1, weight: 0.5),
            ]
        )
    }

    @Test func writesRankingsAsTheyAreRead() throws {
        let ranking = Comparison(
            prompt: "p",
            responses: ["x", Response("y", isComplete: false), "z"],
            ranked: 1
        )
        let users = [User(id: "a", comparisons: [ranking, Comparison(prompt: "p", chosen: "x", rejected: "y")])]
        #expect(try load(preferenceLines(of: users)).users == users)
    }

    @Test(arguments: [
        (#""responses":["x"],"choice":0"#, "\"responses\" must be a list of 2 to 64 strings"),
        (#""responses":["x",1],"choice":0"#, "\"responses\" must be a list of 2 to 64 strings"),
        (#""responses":["x","y"]"#, "found none"),
        (#""responses":["x","y"],"choice":0,"ranking":[0]"#, "found ranking and choice"),
        (#""responses":["x","y"],"choice":0,"tie":true"#, "found choice and tie"),
        (#""responses":["x","y"],"choice":2"#, "\"choice\" must be the index of a response, 0 to 1"),
        (#""responses":["x","y"],"choice":-1"#, "\"choice\" must be the index of a response, 0 to 1"),
        (#""responses":["x","y"],"ranking":[0,0]"#, "a list of different indices"),
        (#""responses":["x","y"],"ranking":[]"#, "a list of different indices"),
        (#""responses":["x","y"],"ranking":["0"]"#, "a list of different indices"),
        (#""responses":["x","y"],"scores":[1]"#, "\"scores\" must be a list of 2 numbers"),
        (#""responses":["x","y"],"scores":[1,"2"]"#, "\"scores\" must be a list of 2 numbers"),
        (#""responses":["x","y"],"choice":0,"responses_complete":[true]"#, "must be a list of 2 flags"),
    ]) func refusesRankingsThatSayNothing(told: String, reason: String) throws {
        let refusal = try #require(failure(Array(#"{"user_id":"a","prompt":"p",\#(told)}"#.utf8)))
        #expect(refusal.code == .badData && refusal.location?.hasSuffix("data.jsonl:1") == true)
        #expect(refusal.message.contains(reason), "\(refusal.message)")
    }

    @Test func aWrittenRowReadsBackAsTheSameComparisons() throws {
        let rows: [PreferenceRow] = [
            PreferenceRow(userID: "u", group: "g", prompt: "p", responses: ["x", "y"], answer: .pair),
            PreferenceRow(userID: "u", prompt: "q", responses: ["x", Response("y", isComplete: false)], answer: .tie),
            PreferenceRow(
                userID: "u",
                prompt: Conversation([Message(.user, "a"), Message(.assistant, "b"), Message(.user, "c")]),
                responses: ["x", "y", "z"],
                answer: .tie
            ),
            PreferenceRow(userID: "v", prompt: "p", responses: ["x", "y", "z"], answer: .choice(2)),
            PreferenceRow(userID: "v", prompt: "q", responses: ["x", "y"], answer: .choice(1)),
            PreferenceRow(userID: "v", prompt: "r", responses: ["x", "y", "z"], answer: .ranking([2, 0])),
            PreferenceRow(userID: "v", prompt: "s", responses: ["x", "y", "z"], answer: .scores([2, 0.5, 2])),
        ]
        let text = rows.map { JSONValue.object($0.json).encoded() + "\n" }.joined()
        let (users, report) = try load(text)
        for user in users {
            #expect(user.comparisons == rows.filter { $0.userID == user.id }.flatMap(\.comparisons))
        }
        let answers = AnswerCounts(pairs: 3, choices: 2, rankings: 1, scores: 1, ties: 3)
        #expect(report.kept == 7 && report.answers == answers)
    }

    @Test func readsQuotedCSV() throws {
        let text =
            "user_id,group,prompt,chosen,rejected\r\na,,\"say \"\"hi\"\", please\",\"line one\nline "
            + "two\",b\r\n\r\nb,g,p,x,y"
        let (users, report) = try load(text, name: "data.csv")
        #expect(users.count == 2 && report.rows == 2)
        #expect(users[0].comparisons[0].prompt == "say \"hi\", please")
        #expect(users[0].comparisons[0].chosen == "line one\nline two")
        #expect(users[0].group == nil && users[1].group == "g")
    }

    @Test(arguments: [
        ("user_id,prompt,chosen,rejected\na,p,x\n", 2, "3 fields"),
        ("user_id,prompt,better,rejected\na,p,x,y\n", 2, "\"chosen\" is missing; there are: user_id, prompt, better"),
        ("user_id,prompt,chosen,rejected\na,,x,y\n", 2, "\"chosen\" and \"rejected\" do not begin with one"),
        ("user_id,prompt,chosen,rejected\na,p,x,\n", 2, "found null (or an empty cell)"),
        ("user_id,prompt,chosen,rejected\na,p,\"x\"z,y\n", 2, "after a quoted field"),
        ("user_id,prompt,chosen,rejected\na,p,x\"z,y\n", 2, "inside an unquoted"),
        ("user_id,prompt,chosen,rejected\na,p,x,y\nb,\"p,x,y\nq\n", 3, "without its partner"),
        ("user_id,prompt,chosen,chosen\na,p,x,y\n", 1, "occurs twice"),
        ("user_id,prompt,chosen,rejected\na,p,x\u{0}z,y\n", 2, "control byte"),
    ]) func refusesMalformedCSV(text: String, line: Int, reason: String) throws {
        let refusal = try #require(failure(Array(text.utf8), name: "data.csv"))
        #expect(refusal.code == .badData)
        #expect(refusal.location?.hasSuffix("data.csv:\(line)") == true)
        #expect(refusal.message.contains(reason))
    }

    @Test(arguments: [
        (#"{"user_id":"a","prompt":"p","rejected":"y"}"#, "\"chosen\" is missing"),
        (#"{"user_id":"a","prompt":"p","chosen":null,"rejected":"y"}"#, "\"chosen\" must be a string, found null"),
        (#"{"user_id":"a","prompt":"p","chosen":5,"rejected":"y"}"#, "found an integer"),
        (#"{"user_id":"a","prompt":"p","chosen":["x"],"rejected":"y"}"#, "message 1 of \"chosen\" must be an object"),
        (#"{"user_id":7.5,"prompt":"p","chosen":"x","rejected":"y"}"#, "must be a string or a whole number"),
        (#"{"user_id":true,"prompt":"p","chosen":"x","rejected":"y"}"#, "found a boolean"),
        (#"{"user":"a","prompt":"p","chosen":"x","rejected":"y"}"#, "\"user_id\" is missing; did you mean \"user\"?"),
        (#"{"user_id":"","prompt":"p","chosen":"x","rejected":"y"}"#, "\"user_id\" is empty"),
        (#"{"user_id":"a","chosen":"x","rejected":"y"}"#, "\"prompt\" is missing"),
        (#"{"user_id":"a","prompt":[],"chosen":"x","rejected":"y"}"#, "empty conversation"),
        (#"{"user_id":"a","prompt":[{"role":"robot","content":"x"}],"chosen":"x","rejected":"y"}"#, "role \"robot\""),
        (#"{"user_id":"a","prompt":"p","chosen":"x","rejected":"y","chosen_complete":1}"#, "true or false"),
        (#"{"user_id":"a","prompt":"p","chosen":"x","rejected":"y",}"#, "expected a key"),
        ("{\"user_id\":\"a\",\"prompt\":\"p\u{0}\",\"chosen\":\"x\",\"rejected\":\"y\"}", "control byte"),
        ("[1]x", "text after the end"),
        ("5", "expected an object"),
    ]) func refusesABadLineNamingFileAndLine(line: String, reason: String) throws {
        let refusal = try #require(failure(Array((row("u") + line + "\n").utf8)))
        #expect(refusal.code == .badData)
        #expect(refusal.location?.contains("data.jsonl:2") == true)
        #expect(refusal.message.contains(reason), "\(refusal)")
    }

    @Test func refusesInvalidUTF8InALine() throws {
        var bytes = Array(row("a").utf8)
        bytes[bytes.count - 4] = 0xFF
        #expect(failure(bytes)?.location?.hasSuffix("data.jsonl:1:60") == true)
    }

    @Test func refusesAUserInTwoGroups() throws {
        let text = #"""
            {"user_id":"a","prompt":"p","chosen":"x","rejected":"y","group":"g"}
            {"user_id":"a","prompt":"q","chosen":"x","rejected":"y","group":"h"}
            """#
        #expect(failure(Array(text.utf8))?.message.contains("in group \"h\" here and in \"g\" before") == true)
    }

    @Test(
        arguments: [
            ([], "empty file"),
            (Array("\n\n".utf8), "empty file"),
            (Array("[{\"user_id\":\"a\"}]".utf8), "JSON array"),
            ([0x1F, 0x8B, 8, 0], "compressed data ends too early"),
            (Array("PAR1".utf8), "JSON Lines of it: python3 -c 'import pandas; pandas.read_parquet("),
            (Array("ARROW1\0\0".utf8), "python3 -c 'from datasets import Dataset; Dataset.from_file("),
            ([0xFF, 0xFF, 0xFF, 0xFF, 8, 1], "an Arrow file"),
            ([0x28, 0xB5, 0x2F, 0xFD], "zstd -d"),
            (Array("BZh9".utf8), "bunzip2"),
            ([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "unxz"),
            ([0xFF, 0xFE, 0x7B, 0], "UTF-16"),
            ([0x7B, 0, 0x22, 0], "UTF-16"),
            ([0, 0x7B, 0, 0x22], "UTF-16"),
            (Array("version https://git-lfs.github.com/spec/v1".utf8), "git lfs pull"),
        ] as [([UInt8], String)]
    ) func refusesAFileWithAHint(content: [UInt8], hint: String) throws {
        let refusal = try #require(failure(content))
        #expect(refusal.code == .badData && refusal.message.contains(hint))
    }

    @Test func refusesWhatIsNoReadableFile() throws {
        #expect(throws: Failure(.missingInput, "no such file", at: "/nowhere/x.jsonl")) {
            try loadPreferences("/nowhere/x.jsonl")
        }
        #expect(throws: Failure(.badData, "not a regular file; it is a folder; name a file in it", at: "/tmp")) {
            try loadPreferences("/tmp")
        }
        #expect(throws: Failure(.badData, "not a regular file", at: "/dev/zero")) { try loadPreferences("/dev/zero") }
    }

    @Test func refusesALineBeyondTheCap() throws {
        let text = row("a") + row("b", String(repeating: "x", count: 200_000))
        let refusal = failure(Array(text.utf8), options: LoadOptions(onBadLine: .skip, maximumLineBytes: 1 << 17))
        #expect(refusal?.message.contains("line longer than") == true)
        #expect(refusal?.location?.hasSuffix(":2") == true)
    }

    @Test func dropsAndCountsIdenticalEmptyAndRepeatedComparisons() throws {
        let text = row("a") + row("a") + row("a", chosen: "b") + row("a", chosen: "") + row("b")
        let (users, report) = try load(text)
        #expect(users.map(\.comparisons.count) == [2, 1])
        #expect((report.duplicates, report.identical, report.empty, report.kept) == (1, 1, 1, 3))
        #expect(report.warnings.count == 3)
        let (distinct, _) = try load(text, options: LoadOptions(duplicates: .drop))
        #expect(distinct.map(\.comparisons.count) == [1, 1])
    }

    @Test func skipsOnePercentOfBadLinesAndNoMore() throws {
        let good = (0..<198).map { row("u", "p\($0)") }.joined()
        let skip = LoadOptions(onBadLine: .skip)
        let (_, report) = try load("{}\n" + good + "nonsense\n", options: skip)
        #expect(report.skipped == 2 && report.kept == 198 && report.rows == 200)
        #expect(report.skippedReasons[0].contains("data.jsonl:1"))
        let refusal = failure(Array(("{}\n{}\n" + good + "nonsense\n").utf8), options: skip)
        #expect(refusal?.message.contains("3 of 201 lines are bad") == true)
    }

    @Test func refusesFewerRowsThanRanks() {
        let refusal = failure(Array((row("a") + row("b")).utf8), options: LoadOptions(minimumRows: 3))
        #expect(refusal?.message.contains("2 usable rows, fewer than the 3") == true)
    }

    @Test func hashesTheFilesBytes() throws {
        let (_, first) = try load(row("a"))
        let (_, same) = try load(row("a"))
        let (_, other) = try load(row("a") + "\n")
        #expect(first.contentHash == same.contentHash && first.contentHash != other.contentHash)
        #expect(stableHash("") == 0xCBF2_9CE4_8422_2325 && stableHash("a") == 0xAF63_DC4C_8601_EC8C)
    }

    @Test func readsBackWhatItWrites() throws {
        let users = [
            User(
                id: "a\"\\",
                group: "g",
                comparisons: [Comparison(prompt: "\n\u{0}", chosen: "é", rejected: "e\u{301}")]
            ),
            User(
                id: "b",
                comparisons: [
                    Comparison(prompt: "", chosen: "x", rejected: Response("<|endoftext|>", isComplete: false))
                ]
            ),
        ]
        #expect(try load(preferenceLines(of: users.reversed())).users == users)
    }
}

/// Calls `body` with the path of a temporary file that holds `content`.
func withFile<Result>(_ content: [UInt8], name: String, _ body: (String) throws -> Result) throws -> Result {
    let folder = FileManager.default.temporaryDirectory.appending(path: "maxmin-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: name)
    try Data(content).write(to: file)
    return try body(file.path)
}

/// What may be long without taking the square of its length, or much memory.
@Suite(.timeLimit(.minutes(5))) struct LongLinesTests {
    func failure(_ content: [UInt8], name: String, options: LoadOptions = LoadOptions()) -> Failure? {
        #expect(throws: Failure.self) {
            try withFile(content, name: name) { _ = try loadPreferences($0, options: options) }
        }
    }

    /// Every line holds a quotation mark, so that each might be the one that closes the field.
    @Test func anOpenQuoteIsReadOnce() throws {
        let rows = String(repeating: "\"\"\n", count: 300_000)
        let refusal = try #require(failure(Array("user_id,prompt\n\"a\n\(rows)".utf8), name: "data.csv"))
        #expect(refusal.location?.hasSuffix("data.csv:2") == true && refusal.message.contains("without its partner"))
        let short = LoadOptions(maximumLineBytes: 1 << 19)
        let capped = try #require(failure(Array("user_id,prompt\n\"a\n\(rows)".utf8), name: "data.csv", options: short))
        #expect(capped.location?.hasSuffix("data.csv:2") == true && capped.message.contains("left open"))
    }

    @Test func aHeaderOfManyColumnsIsReadOnce() throws {
        let columns = (0..<200_000).map { "c\($0)" }.joined(separator: ",")
        let refusal = try #require(failure(Array("\(columns),c7\na\n".utf8), name: "data.csv"))
        #expect(refusal.message == "column \"c7\" occurs twice")
    }

    /// A file of zeros has no line; as many bytes as a line may have are read of it, and no more.
    @Test func endlessLinesAreRefused() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, isTexts) in [("data.jsonl", true), ("data.csv", false)] {
            let path = folder.appendingPathComponent(name).path
            // 64 GiB that take no room on the disk.
            #expect(FileManager.default.createFile(atPath: path, contents: nil))
            #expect(unsafe truncate(path, 64 << 30) == 0)
            let refusal = #expect(throws: Failure.self) {
                if isTexts { _ = try loadTexts(path) } else { _ = try loadPreferences(path) }
            }
            #expect(refusal?.code == .badData && refusal?.message.contains("longer than 16 MiB") == true)
        }
    }

    @Test(arguments: ["a\nb", "a\rb", "a\u{85}b", "a\u{0}b", "a\u{2028}b", "a\u{1B}[31m"])
    func idsThatBreakLinesAreRefused(id: String) throws {
        for key in ["user_id", "group"] {
            var row = JSONObject()
            for name in ["user_id", "group", "prompt", "chosen", "rejected"] { row[name] = .string(name) }
            row[key] = .string(id)
            let refusal = try #require(failure(Array(JSONValue.object(row).encoded().utf8), name: "data.jsonl"))
            #expect(refusal.code == .badData && refusal.message.contains("\"\(key)\" holds a control character"))
        }
    }
}
