import Failures
import Foundation
import LanguageModels
import Testing
import Text

@testable import ModelFiles

@Suite struct ProvenanceTests {
    private let fixtures = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/Text/tiny").path

    private func encoding(_ template: ChatTemplate) throws -> ChatEncoding {
        try ChatEncoding(Tokenizer(directory: fixtures), template, endOfText: 0)
    }

    private func base(seed: UInt64) throws -> TemporaryFolder {
        let folder = try TemporaryFolder()
        let shape = ModelConfiguration(vocabularySize: 12, positions: 8, width: 8, layers: 1, heads: 2)
        let model = LanguageModel(shape, head: .none, precision: .float32, seed: seed)
        try ModelDirectory.save(model, to: folder.path, tokenizerFrom: nil)
        return folder
    }

    @Test func comesBackAsItWasSaved() throws {
        let (folder, base) = (try TemporaryFolder(), try base(seed: 1))
        #expect(try Provenance(directory: folder.path) == nil)
        try Provenance(directory: folder.path)?.check(folder.path, encoding(.none), tokenizerIn: fixtures, base: nil)
        try Provenance.save(encoding(.tulu), tokenizerIn: fixtures, base: base.path, to: folder.path)
        let noted = try #require(try Provenance(directory: folder.path))
        #expect(try noted == Provenance(encoding(.tulu), tokenizerIn: fixtures, base: base.path))
        let jinja = try String(contentsOfFile: folder.path + "/chat_template.jinja", encoding: .utf8)
        #expect(try jinja == encoding(.tulu).jinja)

        let merged = try TemporaryFolder()
        try Provenance.copy(ofAdapter: folder.path, to: merged.path)
        let copied = try Provenance(directory: merged.path)
        #expect(try copied == Provenance(encoding(.tulu), tokenizerIn: fixtures, base: nil))
        #expect(try String(contentsOfFile: merged.path + "/chat_template.jinja", encoding: .utf8) == jinja)
    }

    @Test func refusesAnotherTemplateTokenizerAndBase() throws {
        let (folder, own, other) = (try TemporaryFolder(), try base(seed: 1), try base(seed: 2))
        try Provenance.save(encoding(.alpaca), tokenizerIn: fixtures, base: own.path, to: folder.path)
        func refusal(_ template: ChatTemplate, _ tokenizer: String, _ base: String) -> String {
            let failure = failure(of: {
                try Provenance(directory: folder.path)?.check(
                    folder.path,
                    encoding(template),
                    tokenizerIn: tokenizer,
                    base: base
                )
            })
            #expect(failure?.code == .configuration && failure?.location == folder.path + "/provenance.json")
            return failure?.message ?? ""
        }
        try Provenance(directory: folder.path)?.check(
            folder.path,
            encoding(.alpaca),
            tokenizerIn: fixtures,
            base: own.path
        )
        #expect(refusal(.none, fixtures, own.path).contains("chat_template alpaca, not none"))
        #expect(refusal(.alpaca, fixtures, other.path).contains("another base than \(other.path)"))

        // The same vocabulary, spelled otherwise, is another file.
        let respelled = try TemporaryFolder()
        let spelled = try String(contentsOfFile: fixtures + "/tokenizer.json", encoding: .utf8) + "\n"
        try respelled.write("tokenizer.json", spelled)
        #expect(refusal(.alpaca, respelled.path, own.path).contains("another tokenizer.json"))

        try folder.write("provenance.json", #"{"chat_template": "vicuna"}"#)
        #expect(failure(of: { try Provenance(directory: folder.path) })?.message.contains("vicuna") == true)
    }
}
