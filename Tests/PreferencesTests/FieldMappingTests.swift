import Failures
import StrictJSON
import Testing
import Text

@testable import Preferences

@Suite struct FieldMappingTests {
    func mapped(_ fields: JSONValue, _ rows: String..., name: String = "data.jsonl") throws -> [PreferenceRow] {
        try mapped(fields, lines: rows, name: name).rows
    }

    func mapped(
        _ fields: JSONValue,
        lines: [String],
        name: String = "data.jsonl"
    ) throws -> (rows: [PreferenceRow], report: LoadReport) {
        let options = LoadOptions(mapping: try FieldMapping(fields))
        return try withFile(Array((lines.joined(separator: "\n") + "\n").utf8), name: name) { path in
            var rows: [PreferenceRow] = []
            let report = try forEachPreference(of: path, options) { row, _ in rows.append(row) }
            return (rows, report)
        }
    }

    func failure(_ fields: JSONValue, _ row: String, name: String = "data.jsonl") -> Failure? {
        #expect(throws: Failure.self) { try mapped(fields, lines: [row], name: name) }
    }

    @Test func renamesFieldsAndLeavesOthersUnderTheirOwnNames() throws {
        let rows = try mapped(
            ["user_id": "who.id", "prompt": "question"],
            #"{"who":{"id":7},"question":"q","chosen":"a","rejected":"b","tie":true,"group":"g"}"#
        )
        let expected = PreferenceRow(userID: "7", group: "g", prompt: "q", responses: ["a", "b"], answer: .tie)
        #expect(rows == [expected])
    }

    @Test func everyElementOfAListIsAComparison() throws {
        let (rows, report) = try mapped(
            [
                "user_id": "votes[].by", "prompt": "q", "responses": ["a", "b"], "choice": "votes[].says",
                "choices": ["first": 0, "second": 1, "same": "tie", "skip": nil],
            ],
            lines: [
                #"{"q":"x","a":"A","b":"B","votes":[{"by":1,"says":"second"},{"by":2,"says":"same"},"#
                    + #"{"by":3,"says":"skip"}]}"#,
                #"{"q":"y","a":"A","b":"B","votes":[{"by":1,"says":"first"},{"by":2,"says":null}]}"#,
                #"{"q":"z","a":"A","b":"B","votes":[]}"#,
            ]
        )
        #expect(rows.map(\.userID) == ["1", "2", "1"])
        #expect(rows.map(\.answer) == [.choice(1), .tie, .choice(0)])
        #expect(report.unanswered == 2 && report.answers.ties == 1 && report.answers.choices == 2)
        #expect(report.dropped.count == 2 && report.dropped[0].hasSuffix("data.jsonl:1: nobody answered it"))
    }

    @Test func listsOfResponsesAndScoresAreReadInTheElement() throws {
        let rows = try mapped(
            [
                "user_id": "=rater {ratings[].by}", "prompt": "q", "responses": "answers[].text",
                "scores": "ratings[].stars", "missing": ["N/A"],
            ],
            #"{"q":"x","answers":[{"text":"A"},{"text":"B"},{"text":"C"}],"#
                + #""ratings":[{"by":"u","stars":[1,"5",3]},{"by":"v","stars":["N/A","2",null]},"#
                + #"{"by":"w","stars":["4","N/A",2]}]}"#
        )
        #expect(rows.map(\.userID) == ["rater u", "rater w"])
        #expect(rows[0].answer == .scores([1, 5, 3]))
        #expect(rows[1].responses == ["A", "C"] && rows[1].answer == .scores([4, 2]))
    }

    @Test func turnsOfAFlatHistory() throws {
        let fields: JSONValue = [
            "prompt": ["log[turn<*, kept!=false]", "log[turn=*, by=human]"], "user_id": "id",
            "responses": "log[turn=*, by=bot].content", "scores": "log[turn=*, by=bot].score",
        ]
        let log = #"""
            {"id":"u","log":[{"turn":0,"by":"human","role":"human","content":"q0"},
            {"turn":0,"by":"bot","role":"model","content":"a","score":1,"kept":false},
            {"turn":0,"by":"bot","role":"model","content":"b","score":2,"kept":true},
            {"turn":1,"by":"human","role":"human","content":"q1"},
            {"turn":1,"by":"bot","role":"model","content":"c","score":9,"kept":true},
            {"turn":1,"by":"bot","role":"model","content":"d","score":3,"kept":false}]}
            """#.replacing("\n", with: "")
        let rows = try mapped(fields, log)
        #expect(
            rows.map(\.prompt.messages) == [
                [Message(.user, "q0")], [Message(.user, "q0"), Message(.assistant, "b"), Message(.user, "q1")],
            ]
        )
        #expect(rows.map(\.responses) == [["a", "b"], ["c", "d"]])
        #expect(rows.map(\.answer) == [.scores([1, 2]), .scores([9, 3])])
    }

    @Test func namesMayHoldValuesAndOddMarks() throws {
        let rows = try mapped(
            [
                "user_id": "`id [0-9]`", "prompt": ["first", "answer_{best}", "second"], "chosen": "list[1]",
                "rejected": "={{{list[0]}}", "group": "where.is?",
            ],
            #"{"id [0-9]":"u","first":"p","best":"b","answer_b":"B","second":"q","list":["x","y"]}"#
        )
        #expect(rows[0].prompt.messages == [Message(.user, "p"), Message(.assistant, "B"), Message(.user, "q")])
        #expect(rows[0].responses == ["y", "{x}"] && rows[0].group == nil)
    }

    @Test func readsTables() throws {
        let (rows, report) = try mapped(
            [
                "user_id": "rater.id", "responses": ["A", "B", "C"], "choice": "best",
                "choices": ["1": 0, "2": 1, "3": 2],
            ],
            lines: ["rater.id,prompt,A,B,C,best", "u,p,x,y,z,3", "u,q,x,,z,3", "u,r,x,y,z,", "v,s,x,y,z,2"],
            name: "data.csv"
        )
        #expect(rows.map(\.answer) == [.choice(2), .choice(1), .choice(1)])
        #expect(rows[1].responses == ["x", "z"] && report.unanswered == 1)
    }

    @Test(
        arguments: [
            (["user_id": "rater"], #"field "rater" is missing; did you mean "rate"?"#),
            (["user_id": "info.rater"], #""info.rater": "rater" is missing; did you mean "raters"?"#),
            (["user_id": "info.raters.id"], #""info.raters.id": "id" is looked for in an array, not in an object"#),
            (["user_id": "rate.id"], #""rate.id": "id" is looked for in a string"#),
            (["user_id": "info.raters[5]"], #""info.raters[5]": has no element 5: the list has 2"#),
            (["user_id": "rate", "responses": "info.raters[].x"], #""x" is looked for in an integer"#),
            (["user_id": "rate[].x"], #""rate[].x": needs a list, found a string"#),
            (
                ["user_id": "rate", "choice": "rate"],
                #"choice "r" is no index of a response; say in data.fields' choices"#
            ),
            (
                ["user_id": "rate", "choice": "rate", "choices": ["s": 0]],
                #"choice "r" is not among data.fields' choices"#
            ),
            (
                ["user_id": "rate", "responses": ["rate", "prompt"], "scores": ["rate", "prompt"]],
                #"score "r" is no number"#
            ),
            (["user_id": "rate", "responses": ["rate", "prompt"], "scores": "info.raters[]"], "found none"),
        ] as [(JSONValue, String)]
    ) func aWrongFieldIsNamed(fields: JSONValue, reason: String) throws {
        let row = #"{"rate":"r","info":{"raters":[1,2]},"prompt":"p","chosen":"a","rejected":"b"}"#
        if reason == "found none" {
            // Numbers suit.
            #expect(try mapped(fields, row)[0].answer == .scores([1, 2]))
            return
        }
        let refusal = try #require(failure(fields, row))
        #expect(refusal.code == .badData && refusal.location?.hasSuffix("data.jsonl:1") == true)
        #expect(refusal.message.contains(reason), "\(refusal.message)")
    }

    @Test(
        arguments: [
            ("rater", "needs names of fields"),
            ([], "is an empty list"),
            ([:], "maps none of"),
            (["promt": "x"], #"has no field "promt"; did you mean "prompt"?"#),
            (["prompt": 5], "prompt: needs a path"),
            (["prompt": ""], #"the path "" lacks a name"#),
            (["prompt": "a..b"], "lacks a name"),
            (["prompt": "a[b"], "has a [ without its ]"),
            (["prompt": "a[b]"], "[b] is neither a number nor a condition"),
            (["prompt": "a[-1]"], "counts elements from 0"),
            (["prompt": "a[]b"], #"needs a point before "b""#),
            (["prompt": "`a"], "has one backtick"),
            (["prompt": "=a {b"], "has a { without its }"),
            (["prompt": "a[b<3]"], "compares by < with * alone"),
            (["prompt": "a[b!c]"], "has a ! without ="),
            (["user_id": "a[].x", "choice": "b[].x"], "user_id and choice go through different lists"),
            (["user_id": "a[].x[].y"], "has several values in a comparison"),
            (["prompt": "a[t<*]"], "has a *, but no path has a list with =*"),
            (["choice": "a", "choices": ["x": "best"]], #""x" must mean the index of a response from 0, tie or null"#),
            (["choice": "a", "missing": "x"], "missing: needs a list of texts"),
        ] as [(JSONValue, String)]
    ) func aWrongMappingIsRefused(fields: JSONValue, reason: String) throws {
        let refusal = try #require(throws: Failure.self) { try FieldMapping(fields) }
        #expect(refusal.code == .configuration && refusal.message.contains(reason), "\(refusal.message)")
    }

    @Test func saysWhichFieldsItReads() throws {
        let mapping = try FieldMapping(["user_id": "votes[].by", "prompt": ["a", "b_{c}"], "group": "=all"])
        #expect(mapping.lines == ["user_id ← votes[].by", "group ← =all", "prompt ← a, b_{c}"])
        #expect(["votes", "a", "c"].allSatisfy(mapping.reads) && !mapping.reads("by"))
    }
}
