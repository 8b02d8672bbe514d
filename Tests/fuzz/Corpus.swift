#if DEBUG

import Foundation

/// The files that inputs are made from: `PARSER/…` in the folder, small ones of every format and inputs that once went
/// wrong.
///
/// An input that went wrong is called `NUMBER-NAME`: the parser gets it as NAME.
enum Corpus {
    static let folder = ProcessInfo.processInfo.environment["FUZZ_CORPUS"] ?? "Tests/Fixtures/Fuzz"

    /// The names of a parser's files, sorted.
    static func names(in parser: String) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(folder)/\(parser)")) ?? []).sorted()
    }

    /// A file's bytes; nil where there is none.
    static func bytes(of file: String) -> [UInt8]? {
        FileManager.default.contents(atPath: "\(folder)/\(file)").map(Array.init)
    }

    /// All inputs of a parser.
    static func inputs(of parser: String) -> [Input] {
        names(in: parser).map { Input(name: plainName($0), bytes: bytes(of: "\(parser)/\($0)") ?? []) }
    }

    /// A name without the number in front of it.
    static func plainName(_ name: String) -> String {
        name.first?.isNumber == true ? String(name.drop { $0 != "-" }.dropFirst()) : name
    }
}

#endif
