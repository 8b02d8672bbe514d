import Failures
import Foundation
import Testing
import Text

@testable import ModelFiles

@Suite struct EncodingRecordTests {
    private let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/Text/tiny").path

    private func encoding(_ template: ChatTemplate) throws -> ChatEncoding {
        try ChatEncoding(Tokenizer(directory: fixtures), template, endOfText: 0)
    }

    @Test func comesBackAsItWasSaved() throws {
        let folder = try TemporaryFolder()
        #expect(try EncodingRecord(directory: folder.path) == nil)
        try EncodingRecord.save(encoding(.tulu), tokenizerIn: fixtures, to: folder.path)
        let record = try #require(try EncodingRecord(directory: folder.path))
        #expect(try record == EncodingRecord(encoding(.tulu), tokenizerIn: fixtures))
        let jinja = try String(contentsOfFile: folder.path + "/chat_template.jinja", encoding: .utf8)
        #expect(try jinja == encoding(.tulu).jinja)
        let merged = try TemporaryFolder()
        try EncodingRecord.copy(from: folder.path, to: merged.path)
        #expect(try EncodingRecord(directory: merged.path) == record)
    }

    @Test func refusesAnotherTemplateAndAnotherTokenizer() throws {
        let folder = try TemporaryFolder()
        try EncodingRecord.save(encoding(.alpaca), tokenizerIn: fixtures, to: folder.path)
        let record = try #require(try EncodingRecord(directory: folder.path))
        try record.require(EncodingRecord(encoding(.alpaca), tokenizerIn: fixtures), at: folder.path)

        let template = failure(of: {
            try record.require(EncodingRecord(encoding(.none), tokenizerIn: fixtures), at: folder.path)
        })
        #expect(template?.code == .configuration && template?.place == folder.path + "/encoding.json")
        #expect(template?.message.contains("chat_template alpaca, not none") == true)

        // The same vocabulary, spelled otherwise, is another file.
        let other = try TemporaryFolder()
        let spelled = try String(contentsOfFile: fixtures + "/tokenizer.json", encoding: .utf8) + "\n"
        try other.write("tokenizer.json", spelled)
        let tokenizer = failure(of: {
            try record.require(EncodingRecord(encoding(.alpaca), tokenizerIn: other.path), at: folder.path)
        })
        #expect(tokenizer?.code == .configuration && tokenizer?.message.contains("tokenizer.json") == true)

        try folder.write("encoding.json", #"{"chat_template": "vicuna"}"#)
        #expect(failure(of: { try EncodingRecord(directory: folder.path) })?.message.contains("vicuna") == true)
    }
}
